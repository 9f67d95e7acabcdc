"""Writing stored policies as pack files, which applied again change nothing."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final, cast

import yaml
from typing_extensions import override
from yaml.representer import BaseRepresenter

from bylaw.core.canonical_json import Json
from bylaw.policies.content import mask_document
from bylaw.policies.model import Content, Current, DeterministicRule, Rule
from bylaw.policies.packs.documents import is_ambiguous, plain_scalar
from bylaw.policies.packs.model import PACK_FORMAT
from bylaw.policies.reading import every_policy
from bylaw.policies.store import PolicyFilter, PolicyUnit
from bylaw.policies.wording import asks_for_attention, proposed_effect
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting

SCHEMA_FILE: Final = "pack.schema.json"
HEADER: Final = f"# yaml-language-server: $schema=./{SCHEMA_FILE}\n"

Object = dict[str, Json]


async def export_packs(
    acting: Acting[PolicyUnit], *, pack: str | None = None, others: str = "exported"
) -> dict[str, Object]:
    """Return the approved policies as the plain data of pack files, by the names of their packs.

    `pack` asks for one pack only. Policies that no pack made come under the name `others`, with their ids.
    """
    where = PolicyFilter(statuses=frozenset({"approved"}), slug_prefix=None if pack is None else f"{pack}/")
    packs: dict[str, dict[str, Json]] = {}
    async for current in every_policy(acting, where):
        name, slash, key = (current.policy.slug or "").partition("/")
        if slash:
            packs.setdefault(name, {})[key] = written_policy(current)
        else:
            rest = packs.setdefault(others, {})
            key = free_key(current.version.content.name, rest)
            rest[key] = {"id": current.policy.id, **written_policy(current)}
    return {
        name: {"format": PACK_FORMAT, "pack": name, "policies": dict(sorted(packs[name].items()))}
        for name in sorted(packs)
    }


async def count_packs(acting: Acting[PolicyUnit]) -> Mapping[str, int]:
    """Return how many approved policies each pack made; those that no pack made under the empty name."""
    acting.principal.require("policy:read")
    readable = acting.principal.places("policy:read")
    return await acting.unit.policies.packs(PolicyFilter(statuses=frozenset({"approved"}), readable=readable))


def written_policy(current: Current) -> Object:
    """Return a policy as it stands in a pack file, without what goes without saying."""
    policy, content = current.policy, current.version.content
    written: Object = {"name": content.name}
    optional: Object = {
        "description": content.description or None,
        "topic": content.topic,
        "place": _place(policy.place),
        "reach": "bound" if policy.reach == "bound" else None,
        "active": None if policy.is_active else False,
    }
    written |= {name: value for name, value in optional.items() if value is not None}
    written |= {"risk": content.risk, "action": content.action}
    if content.on_indeterminate is not None:
        written["on_indeterminate"] = content.on_indeterminate
    if content.evaluator is not None:
        written["evaluator"] = content.evaluator
    if content.rules:
        written["rules"] = _rules(content)
    if content.mask is not None:
        written["mask"] = cast(
            "Json", {name: kinds for name, kinds in mask_document(content.mask).items() if kinds}
        )
    if content.conditions is not None:
        written["conditions"] = content.conditions
    if content.examples:
        written["examples"] = [
            {"name": example.name, "expect": example.expect, "request": example.request}
            for example in content.examples
        ]
    return written


def free_key(name: str, taken: Mapping[str, object]) -> str:
    """Return a key made of `name` that is not among `taken`."""
    key = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:50] or "policy"
    number, free = 1, key
    while free in taken:
        number += 1
        free = f"{key}-{number}"
    return free


def yaml_text(data: Json) -> str:
    """Return `data` as YAML that `load_document`, and any other reader, takes for the same data."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def _place(place: Place) -> Object | None:
    if place.workspace_id is None:
        return None
    written: Object = {"workspace": place.workspace_id}
    return written if place.repo_id is None else {**written, "repo": place.repo_id}


def _rules(content: Content) -> list[Json]:
    """Return the rules, with their ids unless these are the ones that they would get anyway."""
    derived = all(rule.id == f"r{number}" for number, rule in enumerate(content.rules, start=1))
    return [_rule(rule) if derived else {"id": rule.id, **_rule(rule)} for rule in content.rules]


def _rule(rule: Rule) -> Object:
    written: Object
    if isinstance(rule, DeterministicRule):
        written, asks = {"expr": rule.expr}, False
    else:
        written, asks = {"text": rule.text}, asks_for_attention(rule.text)
        if rule.effect != proposed_effect(rule.text):
            written["effect"] = rule.effect
    if rule.message:
        written["message"] = rule.message
    if rule.attention != asks:
        written["attention"] = rule.attention
    return written


def _represent_text(dumper: BaseRepresenter, text: str) -> yaml.ScalarNode:
    """Write text so that no reader takes it for anything else."""
    if "\n" in text:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    quoted = not isinstance(plain_scalar(text), str) or is_ambiguous(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if quoted else None)


class _Dumper(yaml.SafeDumper):
    """Writes plain data without anchors."""

    yaml_representers: ClassVar = {**yaml.SafeDumper.yaml_representers, str: _represent_text}

    @override
    def ignore_aliases(self, data: object) -> bool:
        return True
