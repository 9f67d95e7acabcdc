"""What mining finds, as values: quotes, drafts of rules, and how a draft stands beside the conversations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bylaw.core import canonical_json
from bylaw.policies.model import Expectation

# Where a rule shows: a person corrected the agent, an outcome says it, the agent gave it as a reason or told
# it, the agent asked for something first, a tool refused a call, calls were always made so, or never went
# beyond a limit. Or a model drafted it.
Kind = Literal[
    "correction", "outcome", "reason", "statement", "question", "refusal", "habit", "limit", "model"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Words of a conversation as they were said, personal data masked; `message` is counted from 0."""

    conversation_id: str
    message: int
    speaker: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule must pass or must find violated; `request` is a decision request as data.

    It is made of the words of a conversation; which one is not known where a report is older.
    """

    name: str
    expect: Expectation
    request: Mapping[str, object]
    conversation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a rule says of what is recorded: of how many cases what, and how many it could not be asked of."""

    satisfied: int = 0
    violated: int = 0
    undecided: int = 0
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule that conversations show: in words, and as an expression where calls of tools show it.

    `supports` are the conversations that show it, `against` how many show the opposite. `confidence` is
    `confidence.of`. `tried` is None where nothing recorded can be asked.
    """

    kind: Kind
    text: str
    expr: str = ""
    topic: str = ""
    quotes: tuple[Quote, ...]
    supports: tuple[str, ...]
    against: int = 0
    confidence: float
    examples: tuple[Case, ...] = ()
    tried: Tried | None = None

    @property
    def drawn_on(self) -> frozenset[str]:
        """The conversations that show it, and whose words are in it."""
        quoted = (each.conversation_id for each in self.quotes)
        told = (each.conversation_id for each in self.examples if each.conversation_id)
        samples = () if self.tried is None else self.tried.samples
        return frozenset((*self.supports, *quoted, *told, *samples))

    @property
    def digest(self) -> str:
        """What a draft is known by: its words and its expression."""
        return canonical_json.digest({"expr": self.expr, "text": fold(self.text)})


MOST_QUOTES: Final = 5
MOST_SHOWN: Final = 1_000  # characters of a quote, or of a text in an example


def fold(text: str) -> str:
    """Return a text as it is compared: case, spaces and the full stop do not count."""
    return " ".join(text.casefold().split()).rstrip(".")
