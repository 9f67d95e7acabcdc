"""How a rule in plain language will be checked without a model, told before it is saved."""

from dataclasses import dataclass

from bylaw.evaluators.offline.hints import hint
from bylaw.evaluators.offline.wording import shape_of
from bylaw.policies.model import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class HowChecked:
    """How the offline evaluator checks a rule.

    `decides` says whether it ever decides it, `shape` which kind of wording it is (empty when none) and `how`
    what is looked for, and where. With `needs_judge`, some or all cases are left to a model or a person:
    `why` says what stands in the way, `rewording` what could be written instead, if something near could.
    """

    decides: bool
    shape: str
    how: str
    needs_judge: bool
    why: str = ""
    rewording: str = ""


def explain(text: str, effect: Effect) -> HowChecked:
    """Return how the rule is checked: from the same shape by which it is evaluated."""
    shape = shape_of(text, effect)
    if shape is None:
        why, rewording = hint(text)
        return HowChecked(
            decides=False,
            shape="",
            how="Nothing in it can be looked up word for word, so it is left to a judge.",
            needs_judge=True,
            why=why,
            rewording=rewording,
        )
    return HowChecked(
        decides=True,
        shape=shape.name,
        how=shape.how,
        needs_judge=bool(shape.gap),
        why=shape.gap,
        rewording=shape.rewording,
    )
