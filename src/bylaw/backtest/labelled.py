"""Labelled cases: rules in words with the facts of a request, and what somebody says is true of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from bylaw.core import strict_json
from bylaw.core.canonical_json import Json
from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import Request
from bylaw.decisions.request import read
from bylaw.policies.model import Chosen, Effect, NaturalRule
from bylaw.policies.packs.documents import load_document
from bylaw.policies.packs.model import Folder
from bylaw.policies.wording import proposed_effect

Expected = Literal["satisfied", "violated"]


class _Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rule: str
    context: dict[str, object]
    expected: Literal["satisfied", "violated", "not_applicable"]
    effect: Effect | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledCase:
    """Rules that are judged over the facts of `request`, and whether any of them is broken there.

    `label` is what figures are given for: the text of the rule, or the policy that the rules are of.
    """

    label: str
    rules: tuple[NaturalRule, ...]
    request: Request
    expected: Expected
    evaluator: Chosen | None = None
    name: str = ""


def read_cases(path: Path) -> Sequence[LabelledCase]:
    """Return the cases in a file: JSON Lines (`.jsonl`), or a list in YAML or JSON.

    Raises: InvalidInput that names the case that is not usable.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InvalidInput(f"{path} cannot be read: {why}.") from None
    items = _lines(text, path) if path.suffix == ".jsonl" else _listed(text, path)
    return [_case(item, where) for where, item in items]


def examples_of(folder: Folder) -> tuple[Sequence[LabelledCase], int]:
    """Return the examples of policies with rules in words alone as cases, and how many others there are."""
    cases: list[LabelledCase] = []
    others = 0
    for policy in (policy for pack in folder.packs for policy in pack.policies):
        rules = tuple(rule for rule in policy.content.rules if isinstance(rule, NaturalRule))
        if not rules or len(rules) != len(policy.content.rules):
            others += len(policy.content.examples)
            continue
        cases += [
            LabelledCase(
                label=policy.slug,
                rules=rules,
                request=read({**example.request, "dry_run": True}),
                expected="violated" if example.expect == "violate" else "satisfied",
                evaluator=policy.content.evaluator,
                name=example.name,
            )
            for example in policy.content.examples
        ]
    return cases, others


def _lines(text: str, path: Path) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}: line {number}"
        try:
            if line.strip():
                yield where, strict_json.parse(line.encode())
        except InvalidInput as error:
            raise InvalidInput(f"{where}: {error.message.replace('line 1 column', 'column')}") from None


def _listed(text: str, path: Path) -> Iterator[tuple[str, object]]:
    value: Json = load_document(text, file=str(path)).value
    if not isinstance(value, list):
        raise InvalidInput(f"{path} is a list of cases: rule, context and expected.")
    return ((f"{path}: case {number}", item) for number, item in enumerate(value, 1))


def _case(item: object, where: str) -> LabelledCase:
    try:
        written = msgspec.convert(item, _Written)
        request = read({**written.context, "dry_run": True})
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{where}: {error}.") from None
    except InvalidInput as error:
        raise InvalidInput(f"{where}: context: {error.message}", *error.problems) from None
    effect = proposed_effect(written.rule) if written.effect is None else written.effect
    return LabelledCase(
        label=written.rule,
        rules=(NaturalRule(id="r1", text=written.rule, effect=effect),),
        request=request,
        expected="violated" if written.expected == "violated" else "satisfied",
        name=written.name,
    )
