"""What is asked of a model and what it answers, whichever provider it has.

What is asked is in the words of OpenAI's chat completions, the dialect that callers speak; a provider with
another one is translated both ways. An answer holds nothing but what is named here: a part that nobody knows
cannot be held against policies, so it goes no further.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Object = dict[str, object]
Finish = Literal["stop", "length", "tool_calls", "content_filter"]
Reason = Literal[
    "off",
    "forbidden",
    "busy",
    "unreachable",
    "late",
    "malformed",
    "refused",
    "unsupported",
    "unknown_model",
    "declined",
    "truncated",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked of a model: messages as OpenAI has them, and `options` by OpenAI's names.

    `repeats`: the system messages will come again word for word, which makes them worth keeping there.
    """

    model: str
    messages: Sequence[Object]
    options: Object = field(default_factory=dict)
    repeats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a tool that a model asks for; `arguments` is the text that it wrote, JSON if all is well."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer; `refusal` is its text when the model says that it will not answer."""

    text: str = ""
    refusal: str = ""
    calls: tuple[Call, ...] = ()
    finish: Finish = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a call used, in tokens."""

    tokens_in: int = 0
    tokens_out: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Return what both used together."""
        return Usage(
            tokens_in=self.tokens_in + other.tokens_in, tokens_out=self.tokens_out + other.tokens_out
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model answered: at least one choice."""

    model: str
    choices: tuple[Choice, ...]
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Why there is no answer, in words that hold no credentials.

    `status` is what the provider answered with, 0 when it did not; `usage` is what was spent all the same.
    Units: `retry_after_s` in seconds.
    """

    reason: Reason
    message: str
    status: int = 0
    retry_after_s: int | None = None
    usage: Usage = field(default_factory=Usage)


class Malformed(ValueError):
    """A provider's answer is not of its shape; the text says where, and quotes nothing."""


class Unsupported(ValueError):
    """A provider has no way to say what is asked; the text says what."""
