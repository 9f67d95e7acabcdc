"""The form of a policy: one value, read from the fields of a form or from a version, and made into a body."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeVar, cast

from bylaw.dashboard.asking import Item, items, words
from bylaw.dashboard.pages.policy_fact import HOWS, FactField, conditions_in, facts_of
from bylaw.dashboard.pages.policy_situation import (
    FIELDS,
    PHASES,
    Situation,
    Unreadable,
    is_line,
    json_object,
    shown_json,
    situation_of,
)

Kind = Literal["nl", "deterministic"]
Fields = Sequence[tuple[str, str]]
T = TypeVar("T")

PERSONAL: Final = ("email", "iban", "card", "phone")
_YES: Final = {"yes": True, "no": False}
_LISTED: Final = re.compile(r"(rule|example|fact)\.(\d{1,4})\.(\w+)")
_ERROR: Final = re.compile(r"(rules|examples)\[(\d+)\]")
_PLAIN: Final = ("name", "topic", "description", "risk", "action", "on_indeterminate", "evaluator", "reach")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleField:
    """A rule as it is edited; `effect` and `attention` are empty where the wording says."""

    kind: Kind = "nl"
    id: str = ""
    text: str = ""
    effect: str = ""
    attention: str = ""
    message: str = ""

    def body(self) -> dict[str, object]:
        """Return the rule as the API takes it."""
        made: dict[str, object] = {"type": self.kind}
        made |= {"id": self.id} if self.id else {}
        made["text" if self.kind == "nl" else "expr"] = self.text
        made |= {"effect": self.effect} if self.effect and self.kind == "nl" else {}
        made |= {"attention": _YES[self.attention]} if self.attention in _YES else {}
        return {**made, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleField:
    """An example as it is edited."""

    name: str = ""
    expect: str = "violate"
    situation: Situation = field(default_factory=Situation)

    def body(self, number: int) -> dict[str, object]:
        """Return the example as the API takes it. Raises: Unreadable."""
        name = self.name or f"Example {number}"
        return {"name": name, "expect": self.expect, "request": self.situation.request()}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyForm:
    """Everything that the editor shows, as text; `place` is empty, `workspace` or `workspace/repo`.

    `phases`, `tools` (separated by commas), `facts` and `conditions` (a JSON object: what facts cannot say)
    say when it applies.
    """

    name: str = ""
    topic: str = ""
    description: str = ""
    place: str = ""
    reach: str = "place"
    risk: str = "MEDIUM"
    action: str = "block"
    on_indeterminate: str = ""
    evaluator: str = ""
    phases: tuple[str, ...] = ()
    tools: str = ""
    facts: tuple[FactField, ...] = ()
    conditions: str = ""
    rules: tuple[RuleField, ...] = ()
    examples: tuple[ExampleField, ...] = ()
    mask_fields: str = ""
    mask_personal: tuple[str, ...] = ()

    def content(self) -> dict[str, object]:
        """Return what the policy is to say, as the API takes it. Raises: Unreadable."""
        return {
            "name": self.name,
            "topic": self.topic or None,
            "description": self.description,
            "rules": [rule.body() for rule in self.rules if _is_said(rule)],
            "conditions": self._conditions(),
            "risk": self.risk,
            "action": self.action,
            "on_indeterminate": self.on_indeterminate or None,
            "examples": list(self._examples()),
            "mask": self._mask(),
            "evaluator": self.evaluator or None,
        }

    def placed(self) -> dict[str, object]:
        """Return where it holds, as the API takes it."""
        workspace, _, repo = self.place.partition("/")
        return {"workspace_id": workspace or None, "repo_id": repo or None, "reach": self.reach}

    def at(self, path: str) -> str:
        """Return the field that shows what the API found wrong at `path`: rules without text are not sent."""
        found = _ERROR.match(path)
        if found is None:
            return path.partition(".")[0].partition("[")[0]
        parts: Sequence[object] = self.rules if found[1] == "rules" else self.examples
        sent = [
            index for index, part in enumerate(parts) if not isinstance(part, RuleField) or _is_said(part)
        ]
        number = int(found[2])
        return f"{found[1]}[{sent[number]}]" if number < len(sent) else found[1]

    def _conditions(self) -> dict[str, object] | None:
        tools = [tool.strip() for tool in self.tools.split(",") if tool.strip()]
        made = {"phase": _one_or_all(self.phases), "tool_call.name": _one_or_all(tools)}
        rest = json_object(self.conditions, "conditions")
        return {key: value for key, value in made.items() if value} | conditions_in(self.facts) | rest or None

    def _examples(self) -> Iterator[dict[str, object]]:
        for index, example in enumerate(self.examples):
            try:
                yield example.body(index + 1)
            except Unreadable as error:
                raise Unreadable(f"examples[{index}].{error.field}", str(error)) from None

    def _mask(self) -> dict[str, object] | None:
        fields = [line.strip() for line in self.mask_fields.splitlines() if line.strip()]
        if not fields and not self.mask_personal:
            return None
        return {"fields": fields, "personal_data": list(self.mask_personal)}


def form_of(version: Item, *, place: str = "", reach: str = "place") -> PolicyForm:
    """Return a version as the editor shows it."""
    said = cast("Mapping[str, object]", version.get("conditions") or {})
    phases, said = _taken(said, "phase", PHASES)
    tools, said = _taken(said, "tool_call.name", None)
    facts, said = facts_of(said)
    mask = cast("Item", version.get("mask") or {})
    texts = {name: str(version.get(name) or "") for name in _PLAIN if name != "reach"}
    return PolicyForm(
        **texts,
        place=place,
        reach=reach,
        phases=phases,
        tools=", ".join(tools),
        facts=facts,
        conditions=shown_json(said),
        rules=tuple(_rule(each) for each in items(version, "rules")),
        examples=tuple(
            ExampleField(
                name=str(each["name"]),
                expect=str(each["expect"]),
                situation=situation_of(cast("Item", each["request"])),
            )
            for each in items(version, "examples")
        ),
        mask_fields="\n".join(words(mask, "fields")),
        mask_personal=tuple(words(mask, "personal_data")),
    )


def form_in(fields: Fields) -> PolicyForm:
    """Return the form that was sent."""
    said = {name: text.replace("\r\n", "\n") for name, text in fields}
    listed: dict[str, dict[int, dict[str, str]]] = {"rule": {}, "example": {}, "fact": {}}
    for name, text in said.items():
        if found := _LISTED.fullmatch(name):
            listed[found[1]].setdefault(int(found[2]), {})[found[3]] = text
    plain = {name: said[name] for name in (*_PLAIN, "place") if name in said}
    return PolicyForm(
        **plain,
        phases=_chosen(fields, "phases", PHASES),
        tools=said.get("tools", ""),
        facts=tuple(_fact_in(each) for _, each in sorted(listed["fact"].items())),
        conditions=said.get("conditions", ""),
        rules=tuple(_rule_in(each) for _, each in sorted(listed["rule"].items())),
        examples=tuple(_example_in(each) for _, each in sorted(listed["example"].items())),
        mask_fields=said.get("mask_fields", ""),
        mask_personal=_chosen(fields, "mask_personal", PERSONAL),
    )


def situation_in(said: Mapping[str, str], prefix: str = "") -> Situation:
    """Return the situation in the fields that begin with `prefix`."""
    found = {name: said.get(prefix + name, "").replace("\r\n", "\n") for name in FIELDS}
    return Situation(**found)


def changed(form: PolicyForm, button: str) -> PolicyForm:
    """Return the form after one of its buttons that add or remove a rule or an example."""
    if button == "add-words":
        return replace(form, rules=(*form.rules, RuleField()))
    if button == "add-expression":
        return replace(form, rules=(*form.rules, RuleField(kind="deterministic")))
    if button == "add-example":
        return replace(form, examples=(*form.examples, ExampleField()))
    if button == "add-fact":
        return replace(form, facts=(*form.facts, FactField()))
    verb, _, number = button.rpartition("-")
    if verb == "remove-rule" and number.isdecimal():
        return replace(form, rules=_without(form.rules, int(number)))
    if verb == "remove-example" and number.isdecimal():
        return replace(form, examples=_without(form.examples, int(number)))
    if verb == "remove-fact" and number.isdecimal():
        return replace(form, facts=_without(form.facts, int(number)))
    return form


def differences(old: PolicyForm, new: PolicyForm) -> Sequence[tuple[str, str, str]]:
    """Return the parts in which two forms differ, by name, as text."""
    found: list[tuple[str, str, str]] = []
    for name in PolicyForm.__dataclass_fields__:
        before, after = _text(getattr(old, name)), _text(getattr(new, name))
        if name not in {"place", "examples"} and before != after:
            found.append((name.replace("_", " "), before, after))
    if old.examples != new.examples:
        found.append(("examples", f"{len(old.examples)} of them", f"{len(new.examples)}, not the same"))
    return found


def _text(value: object) -> str:
    if not isinstance(value, tuple):
        return str(value)
    return "\n".join(_line(each) for each in value)


def _line(part: object) -> str:
    if isinstance(part, RuleField):
        return "; ".join(filter(None, (part.text, part.effect, part.message)))
    if isinstance(part, FactField):
        return f"{part.name} {HOWS[part.how]} {part.value}"
    return str(part)


def _is_said(rule: RuleField) -> bool:
    return bool(rule.text.strip())


def _without(parts: tuple[T, ...], number: int) -> tuple[T, ...]:
    return tuple(part for index, part in enumerate(parts) if index != number)


def _one_or_all(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _taken(
    said: Mapping[str, object], key: str, known: Sequence[str] | None
) -> tuple[tuple[str, ...], Mapping[str, object]]:
    """Return the plain values of a condition, none where a form cannot show them, and all the others."""
    value = said.get(key)
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or (isinstance(value, list) and len(value) < 2):
        return (), said
    if known is None:
        plain = all(is_line(each) and each == each.strip() and "," not in each for each in listed)
    else:
        plain = [each for each in known if each in listed] == listed
    if not plain:
        return (), said
    return tuple(map(str, listed)), {name: other for name, other in said.items() if name != key}


def _chosen(fields: Fields, name: str, known: Sequence[str]) -> tuple[str, ...]:
    ticked = {value for key, value in fields if key == name}
    return tuple(each for each in known if each in ticked)


def _rule(rule: Item) -> RuleField:
    kind: Kind = "deterministic" if rule["type"] == "deterministic" else "nl"
    return RuleField(
        kind=kind,
        id=str(rule["id"]),
        text=str(rule["expr"] if kind == "deterministic" else rule["text"]),
        effect=str(rule.get("effect", "")),
        attention="yes" if rule["attention"] else "no",
        message=str(rule["message"]),
    )


def _rule_in(said: Mapping[str, str]) -> RuleField:
    kind: Kind = "deterministic" if said.get("kind") == "deterministic" else "nl"
    texts = {name: said.get(name, "") for name in ("id", "text", "effect", "attention", "message")}
    return RuleField(kind=kind, **texts)


def _fact_in(said: Mapping[str, str]) -> FactField:
    how = said.get("how", "is")
    return FactField(name=said.get("name", ""), how=how if how in HOWS else "is", value=said.get("value", ""))


def _example_in(said: Mapping[str, str]) -> ExampleField:
    expect = "pass" if said.get("expect") == "pass" else "violate"
    return ExampleField(name=said.get("name", ""), expect=expect, situation=situation_in(said))
