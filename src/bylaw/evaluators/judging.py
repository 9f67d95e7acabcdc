"""How rules in words will be judged here: told when they are saved, and whenever somebody asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bylaw.core.errors import Problem
from bylaw.evaluators.offline import HowChecked, explain
from bylaw.policies.model import Chosen, Content, Effect, NaturalRule
from bylaw.policies.reader import join

Left = Literal["nothing", "some", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How one rule in words is judged.

    `by` are the evaluators that are asked, in order. `offline` is how it is checked without a model. `left`
    says which of its cases nobody here can judge: they are undecided.
    """

    by: tuple[Chosen, ...]
    offline: HowChecked
    left: Left


def judging(text: str, effect: Effect, chosen: Chosen | None, *, has_model: bool) -> Judging:
    """Return how a rule is judged where there is a model or not; `chosen` is what its policy chose."""
    offline = explain(text, effect)
    by: list[Chosen] = []
    if offline.decides and chosen != "model":
        by.append("offline")
    if has_model and chosen != "offline":
        by.append("model")
    left: Left = "nothing"
    if not by:
        left = "all"
    elif "model" not in by and offline.needs_judge:
        left = "some"
    return Judging(by=tuple(by), offline=offline, left=left)


def unjudged(content: Content, *, has_model: bool, path: str = "") -> Iterator[Problem]:
    """Yield a warning for each rule that nobody here can judge in any case; `path` is where `content` is."""
    rules = [(index, rule) for index, rule in enumerate(content.rules) if isinstance(rule, NaturalRule)]
    if rules and content.evaluator == "model" and not has_model:
        message = (
            "No model judges here, so every rule in words of this policy is undecided. Name a model"
            " (BYLAW_JUDGE_MODEL), or leave evaluator out."
        )
        yield Problem(path=join(path, "evaluator"), code="no_evaluator", message=message)
        return
    for index, rule in rules:
        found = judging(rule.text, rule.effect, content.evaluator, has_model=has_model)
        if found.left == "all":
            said = " ".join(filter(None, (found.offline.why, found.offline.rewording)))
            message = f"Nobody here can judge this rule, so it is undecided in every case. {said}".rstrip()
            yield Problem(path=join(path, f"rules[{index}].text"), code="needs_judge", message=message)
