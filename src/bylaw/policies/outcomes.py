"""What a policy asks for: the order of outcomes, and which one follows from its action."""

from collections.abc import Mapping
from typing import Final

from bylaw.policies.model import Action, Content, NaturalRule, Outcome

# Weakest first.
OUTCOMES: Final[tuple[Outcome, ...]] = ("allow", "flag", "review", "block")
# What does not go on: not yet, or not at all.
STOPS: Final[frozenset[Outcome]] = frozenset({"review", "block"})
RANK: Final[Mapping[Outcome, int]] = {outcome: at for at, outcome in enumerate(OUTCOMES)}

_VIOLATED: Final[Mapping[Action, Outcome]] = {
    "log": "allow",
    "alert": "flag",
    "review": "review",
    "block": "block",
}
_UNDECIDED: Final[Mapping[Action, Outcome]] = {
    "log": "allow",
    "alert": "flag",
    "review": "review",
    "block": "review",
}


def when_violated(content: Content) -> Outcome:
    """Return the outcome of a policy that is violated."""
    return _VIOLATED[content.action]


def when_undecided(content: Content) -> Outcome:
    """Return the outcome of a policy that could not be decided: its own, or the default of its action."""
    return _UNDECIDED[content.action] if content.on_indeterminate is None else content.on_indeterminate


def is_firm(content: Content) -> bool:
    """Return whether a policy is never left out of a decision because it looks beside the point.

    Such a policy can stop what is decided about, withholds something, asks for a person, or is checked
    without judging words.
    """
    can_stop = not STOPS.isdisjoint((when_violated(content), when_undecided(content)))
    is_certain = not any(isinstance(rule, NaturalRule) for rule in content.rules)
    asks = any(rule.attention for rule in content.rules)
    return can_stop or is_certain or asks or content.mask is not None
