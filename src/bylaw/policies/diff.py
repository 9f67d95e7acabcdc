"""How one content differs from another: field by field, rule by rule, and whether it allows more or less."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from bylaw.core.canonical_json import Json
from bylaw.policies.content import RuleDocument, document, rule_document
from bylaw.policies.direction import Direction, expression_direction, together
from bylaw.policies.model import Content, DeterministicRule, Mask, NaturalRule, Outcome, Rule
from bylaw.policies.outcomes import RANK, when_undecided, when_violated

ChangeKind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that differs, and whether the policy allows more or less through it."""

    field: str
    old: Json
    new: Json
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """One rule that was added, removed or changed; `old` and `new` are rules as plain data, or None."""

    change: ChangeKind
    id: str
    old: RuleDocument | None
    new: RuleDocument | None
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Everything that differs; `direction` is that of all changes together, `text` a unified rendering."""

    fields: tuple[FieldChange, ...]
    rules: tuple[RuleChange, ...]
    direction: Direction
    text: str


def diff_contents(old: Content, new: Content) -> Diff:
    """Return how `new` differs from `old`."""
    fields = tuple(_field_changes(old, new))
    rules = tuple(_rule_changes(old.rules, new.rules))
    return Diff(
        fields=fields,
        rules=rules,
        direction=together([field.direction for field in fields] + [rule.direction for rule in rules]),
        text="\n".join(difflib.unified_diff(_lines(old), _lines(new), "old", "new", lineterm="")),
    )


def _field_changes(old: Content, new: Content) -> list[FieldChange]:
    before, after = cast("dict[str, Json]", document(old)), cast("dict[str, Json]", document(new))
    directions: dict[str, Direction] = {
        "action": _strength(when_violated(old), when_violated(new)),
        "on_indeterminate": _strength(when_undecided(old), when_undecided(new)),
        "conditions": _conditions(old.conditions, new.conditions),
        "topic": _presence(old.topic, new.topic),
        "mask": _withheld(old.mask, new.mask),
        "evaluator": "same" if old.evaluator == new.evaluator else "unclear",
    }
    return [
        FieldChange(
            field=name, old=before.get(name), new=after.get(name), direction=directions.get(name, "same")
        )
        for name in {**before, **after}
        if name != "rules" and before.get(name) != after.get(name)
    ]


def _strength(old: Outcome, new: Outcome) -> Direction:
    if old == new:
        return "same"
    return "narrows" if RANK[new] > RANK[old] else "widens"


def _presence(old: object, new: object) -> Direction:
    """Return the direction of something that limits where a policy applies: with it, more is allowed."""
    if old == new:
        return "same"
    if old is None:
        return "widens"
    return "narrows" if new is None else "unclear"


def _conditions(old: Mapping[str, Json] | None, new: Mapping[str, Json] | None) -> Direction:
    """Return the direction of conditions, all of which must hold before the policy applies."""
    before, after = old or {}, new or {}
    if any(before[key] != after[key] for key in before.keys() & after.keys()):
        return "unclear"
    return together(
        [
            "widens" if after.keys() - before.keys() else "same",
            "narrows" if before.keys() - after.keys() else "same",
        ]
    )


def _withheld(old: Mask | None, new: Mask | None) -> Direction:
    """Return the direction of a mask: the more it names, the less is shown."""
    before, after = ({*mask.fields, *mask.personal_data} if mask else set() for mask in (old, new))
    return together(["narrows" if after - before else "same", "widens" if before - after else "same"])


def _rule_changes(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> list[RuleChange]:
    before, after = {rule.id: rule for rule in old}, {rule.id: rule for rule in new}
    reworded = _reworded(
        [rule for rule in old if rule.id not in after], [rule for rule in new if rule.id not in before]
    )
    pairs: list[tuple[Rule | None, Rule | None]] = [
        (rule, after.get(rule.id, reworded.get(rule.id))) for rule in old
    ]
    known = before.keys() | {rule.id for rule in reworded.values()}
    pairs += [(None, rule) for rule in new if rule.id not in known]
    return [_rule_change(was, now) for was, now in pairs if was != now]


def _reworded(gone: list[Rule], come: list[Rule]) -> dict[str, Rule]:
    """Return, for old ids, the rule that took their place: a new wording gets a new id.

    Rules of a kind are joined in their order, and only when as many went as came.
    """
    reworded: dict[str, Rule] = {}
    for kind in (DeterministicRule, NaturalRule):
        old = [rule for rule in gone if isinstance(rule, kind)]
        new = [rule for rule in come if isinstance(rule, kind)]
        if len(old) == len(new):
            reworded |= {was.id: now for was, now in zip(old, new, strict=True)}
    return reworded


def _rule_change(old: Rule | None, new: Rule | None) -> RuleChange:
    was = None if old is None else rule_document(old)
    now = None if new is None else rule_document(new)
    if old is not None and new is not None:
        return RuleChange(change="changed", id=new.id, old=was, new=now, direction=_rule_direction(old, new))
    if old is not None:
        return RuleChange(change="removed", id=old.id, old=was, new=None, direction="widens")
    return RuleChange(
        change="added", id="" if new is None else new.id, old=None, new=now, direction="narrows"
    )


def _rule_direction(old: Rule, new: Rule) -> Direction:
    if isinstance(old, DeterministicRule) and isinstance(new, DeterministicRule):
        return expression_direction(old.expr, new.expr) if old.lang == new.lang else "unclear"
    if isinstance(old, NaturalRule) and isinstance(new, NaturalRule):
        if old.text != new.text:
            return "unclear"
        if old.effect == new.effect:
            return "same"
        return "widens" if new.effect == "flag" else "narrows"
    return "unclear"


def _lines(content: Content) -> list[str]:
    return json.dumps(document(content), indent=2, ensure_ascii=False).splitlines()
