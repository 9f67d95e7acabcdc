"""What is embedded of a policy: what it is about, and what it asks for.

The two are told apart because procedures share their steps: title, topic, description and examples say where
a policy belongs, rules and conditions what happens there. Each example is a text of its own, so that all
count.
"""

from dataclasses import dataclass
from typing import Final

from bylaw.core.canonical_json import Json
from bylaw.policies.model import Content, NaturalRule, told_in

# More than a model reads; what comes first says most.
_MOST: Final = 4_000
_EXAMPLES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The texts of a policy, examples by themselves; `procedure` is empty where nothing is asked for."""

    about: str
    examples: tuple[str, ...]
    procedure: str


def texts_of(content: Content | str) -> Texts:
    """Return the texts of a policy; a message is what itself is about."""
    if isinstance(content, str):
        return Texts(about=content[:_MOST], examples=(), procedure="")
    examples = [_lines(_said(each.request) or each.name) for each in content.examples[:_EXAMPLES]]
    rules = [rule.text if isinstance(rule, NaturalRule) else rule.message for rule in content.rules]
    conditions = [f"{key} {' '.join(told_in(value))}" for key, value in (content.conditions or {}).items()]
    topic = (content.topic or "").replace("_", " ")
    return Texts(
        about=_lines(content.name.replace("_", " "), topic, content.description),
        examples=tuple(filter(None, examples)),
        procedure=_lines(*rules, *conditions),
    )


def _said(request: Json) -> str:
    """Return what an example says."""
    return " ".join(told_in(request))


def _lines(*said: str) -> str:
    """Return what is not blank, one a line and no more than is read."""
    return "\n".join(line for each in said if (line := " ".join(each.split())))[:_MOST]
