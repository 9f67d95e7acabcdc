"""Reading rules from plain data: their kind, what their wording proposes, and ids that stay.

A rule that an edit leaves unchanged (same kind, same text) keeps its id; one in words also keeps the effect
and the attention that were settled when it was first saved, unless the edit says otherwise. Other rules
without an id get the next free one: r1, r2, …
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from bylaw.core.errors import InvalidInput, RuleSyntax
from bylaw.policies.facts import context_of
from bylaw.policies.model import DeterministicRule, Effect, NaturalRule, Rule
from bylaw.policies.reader import Reader, join
from bylaw.policies.wording import asks_for_attention, proposed_effect
from bylaw.rules import LANG
from bylaw.rules import compile as compile_rule

MAX_RULES = 100
MAX_RULE_TEXT = 20_000
MAX_MESSAGE = 1_000

FIELDS: Final = ("id", "type", "expr", "text", "effect", "message", "attention", "lang")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

Kind = Literal["deterministic", "nl"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How data is read: against which context schema, and which rules it continues.

    `reader` collects the problems, `path` is where the data stands.
    """

    schema: Mapping[str, object] | None = None
    before: Sequence[Rule] = ()
    path: str = ""
    reader: Reader = field(default_factory=Reader)


def read_rules(data: object, path: str, reading: Reading) -> tuple[Rule, ...]:
    """Return the rules in `data`, leaving what is wrong with them to the reader."""
    items = [] if data is None else reading.reader.items(data, path, most=MAX_RULES)
    if data is None or data in ([], ()):
        reading.reader.refuse(path, "required", "There must be at least one rule, or a mask.")
    drafts = [_draft(item, f"{path}[{index}]", reading) for index, item in enumerate(items)]
    _refuse_repeated_ids(drafts, reading.reader)
    partners = _partners(drafts, reading.before)
    numbers = _free_numbers([draft.id for draft in drafts], reading.before)
    rules = []
    for draft, partner in zip(drafts, partners, strict=True):
        ident = draft.id or (f"r{next(numbers)}" if partner is None else partner.id)
        rules.append(_build(draft, ident, partner, reading.reader))
    return tuple(rules)


def body(rule: Rule) -> tuple[Kind, str]:
    """Return what makes two rules the same rule: the kind and the text."""
    return ("deterministic", rule.expr) if isinstance(rule, DeterministicRule) else ("nl", rule.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A rule as it was sent; `id` is empty when none was."""

    path: str
    id: str
    body: tuple[Kind, str]
    fields: Mapping[str, object]


def _draft(item: object, path: str, reading: Reading) -> _Draft:
    reader = reading.reader
    fields = reader.fields(item, FIELDS, path)
    if not isinstance(item, Mapping):
        return _Draft(path=path, id="", body=("nl", ""), fields=fields)
    kind = _kind(fields, path, reader)
    name, other = ("expr", ("text", "effect")) if kind == "deterministic" else ("text", ("expr", "lang"))
    for foreign in other:
        if foreign in fields:
            reader.refuse(join(path, foreign), "unknown_field", f"A rule of type {kind} has no {foreign}.")
    text = reader.text(fields.get(name, ""), join(path, name), most=MAX_RULE_TEXT, blank=False)
    if text and kind == "deterministic":
        _check_expression(text, join(path, name), reading)
    ident = reader.text(fields.get("id", ""), join(path, "id"), most=64)
    if ident and not _ID.fullmatch(ident):
        reader.refuse(join(path, "id"), "bad_id", "A rule's id has letters, digits, '_', '-' and '.'.")
    return _Draft(path=path, id=ident, body=(kind, text), fields=fields)


def _kind(fields: Mapping[str, object], path: str, reader: Reader) -> Kind:
    if "type" in fields:
        return reader.choice(fields["type"], join(path, "type"), get_args(Kind), "nl")
    if ("expr" in fields) == ("text" in fields):
        reader.refuse(path, "required", "Give either expr, an expression, or text, a rule in words.")
    return "deterministic" if "expr" in fields else "nl"


def _check_expression(expr: str, path: str, reading: Reading) -> None:
    """Compile the expression, so that only what runs is ever stored."""
    try:
        compile_rule(expr, schema=context_of(reading.schema))
    except InvalidInput as error:
        reading.reader.refuse("context_schema", "bad_schema", f"The workspace's schema: {error.message}")
    except RuleSyntax as error:
        hint = f"\n{error.hint}" if error.hint else ""
        reading.reader.refuse(path, error.code, f"{error.message}\n{error.caret}{hint}")


def _refuse_repeated_ids(drafts: Sequence[_Draft], reader: Reader) -> None:
    seen: set[str] = set()
    for draft in drafts:
        if draft.id and draft.id in seen:
            reader.refuse(join(draft.path, "id"), "repeated", f"Another rule has the id {draft.id!r}.")
        seen.add(draft.id)


def _partners(drafts: Sequence[_Draft], before: Sequence[Rule]) -> list[Rule | None]:
    """Return for each draft the unchanged rule that it continues: under its own id, or any that is free."""
    named = {draft.id for draft in drafts}
    free = [rule for rule in before if rule.id not in named]
    partners: list[Rule | None] = []
    for draft in drafts:
        pool = [rule for rule in before if rule.id == draft.id] if draft.id else free
        partner = next((rule for rule in pool if body(rule) == draft.body), None)
        if partner in free:
            free.remove(partner)
        partners.append(partner)
    return partners


def _free_numbers(given: Sequence[str], before: Sequence[Rule]) -> "itertools.count[int]":
    """Return numbers above all that stand behind `r` in an id, so that no id changes its meaning."""
    used = [ident.removeprefix("r") for ident in (*given, *(rule.id for rule in before))]
    return itertools.count(1 + max((int(tail) for tail in used if tail.isdecimal()), default=0))


def _build(draft: _Draft, ident: str, partner: Rule | None, reader: Reader) -> Rule:
    kind, text = draft.body
    fields, path = draft.fields, draft.path
    message = reader.text(fields.get("message", ""), join(path, "message"), most=MAX_MESSAGE)
    if kind == "deterministic":
        lang = reader.choice(fields.get("lang", LANG), join(path, "lang"), (LANG,), LANG)
        attention = reader.flag(fields.get("attention", False), join(path, "attention"))
        return DeterministicRule(id=ident, expr=text, lang=lang, message=message, attention=attention)
    if not isinstance(partner, NaturalRule):
        partner = NaturalRule(
            id=ident, text=text, effect=proposed_effect(text), attention=asks_for_attention(text)
        )
    effect = reader.choice(
        fields.get("effect", partner.effect), join(path, "effect"), get_args(Effect), "reject"
    )
    attention = reader.flag(fields.get("attention", partner.attention), join(path, "attention"))
    return NaturalRule(id=ident, text=text, effect=effect, message=message, attention=attention)
