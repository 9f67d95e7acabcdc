"""Drafts of policies, checked and tried before anybody is held to them: nothing is kept."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Request

from bylaw.api.answers import Reply
from bylaw.api.fit import fit
from bylaw.api.native.check_views import (
    AdviceView,
    CheckedPolicyView,
    DraftPolicy,
    TriedExampleView,
    advice_view,
)
from bylaw.api.native.evaluators import judged_rules
from bylaw.api.native.policy_requests import PolicyFrame
from bylaw.api.native.policy_views import warnings_view
from bylaw.api.parts import Parts
from bylaw.api.ports import Unit
from bylaw.api.route import Route, admits, principal_of, raw_body
from bylaw.api.said import require_said
from bylaw.api.shape import place_of
from bylaw.core.errors import BylawError, Problem
from bylaw.core.ids import PolicyId
from bylaw.decisions.drafts import engine_of, request_of, tried
from bylaw.decisions.engine import Engine
from bylaw.decisions.explain import Explanation, explain
from bylaw.evaluators.judging import unjudged
from bylaw.policies.advice.review import review
from bylaw.policies.content import content_digest
from bylaw.policies.model import Content, Current, Example, NaturalRule, Policy, Reach, Rule, Version
from bylaw.policies.parse import read_content
from bylaw.policies.reading import readable_policy, stored_version, workspace_of
from bylaw.policies.rules import Reading
from bylaw.policies.saved import read_warnings
from bylaw.tenancy.model import Place
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting, Principal

router = APIRouter(tags=["policies"], route_class=Route)

_DRAFT: Final = PolicyId("draft")
_ASIDE: Final = frozenset({"policy_id", "request", "asks_model"})
_FRAME: Final = frozenset(PolicyFrame.__struct_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A draft as it was read, with what is wrong with it and what is probably not meant."""

    draft: Current
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    waits: bool

    @property
    def content(self) -> Content:
        """Return what the draft says, as far as it could be read."""
        return self.draft.version.content


@router.post("/v1/policies:check")
async def check_policy(
    request: Request,
    parts: Annotated[Parts, admits("policy:write")],
    data: Annotated[dict[str, object], raw_body(DraftPolicy)],
) -> Reply[CheckedPolicyView]:
    """Check a policy before it is saved: what is wrong, how it is judged, what its examples come to."""
    asked = fit(data, DraftPolicy)
    said = {name: value for name, value in data.items() if name not in _ASIDE | _FRAME}
    caller = principal_of(request)
    async with parts.acting(caller, writes=False) as acting:
        read = await _read(acting, asked, said)
    has_model = parts.engine.panel.model is not None
    warnings = () if read.problems else (*read.warnings, *unjudged(read.content, has_model=has_model))
    advice = await asyncio.to_thread(lambda: tuple(_advice(read.content.rules)))
    examples: Sequence[TriedExampleView] = ()
    explanation = None
    if not read.problems:
        engine = engine_of(parts.engine, read.draft, asks_model=asked.asks_model)
        examples = [await _example(engine, read.draft, each, caller) for each in read.content.examples]
        explanation = await _explained(engine, read.draft, asked, caller)
    return Reply(
        CheckedPolicyView(
            problems=warnings_view(read.problems),
            warnings=warnings_view(warnings),
            judged=judged_rules(read.content, has_model=has_model),
            advice=advice,
            examples=tuple(examples),
            waits=read.waits,
            explanation=explanation,
        )
    )


async def _read(acting: Acting[Unit], asked: DraftPolicy, said: dict[str, object]) -> _Read:
    """Return the draft that was sent, where the caller may write. Raises: Forbidden, NotFound."""
    policy_id, place, reach = _DRAFT, place_of(asked.workspace_id, asked.repo_id), asked.reach
    rules: Sequence[Rule] = ()
    if asked.policy_id is not None:
        policy_id = PolicyId(asked.policy_id)
        changed = await readable_policy(acting, policy_id)
        place = changed.place
        reach = changed.reach if reach is None else reach
        rules = (await stored_version(acting.unit, changed, number=changed.latest)).content.rules
    acting.principal.require("policy:write", place)
    await require_place(acting.unit, place)
    workspace = await workspace_of(acting.unit, place)
    reading = Reading(schema=None if workspace is None else workspace.context_schema, before=rules)
    draft = _current(acting, policy_id, read_content(said, reading), place=place, reach=reach or "place")
    problems = tuple(reading.reader.problems)
    return _Read(
        draft=draft,
        problems=problems,
        warnings=() if problems else await read_warnings(acting, draft.policy, draft.version.content),
        waits=workspace is not None and workspace.waits_for_approval,
    )


def _current(
    acting: Acting[Unit], policy_id: PolicyId, content: Content, *, place: Place, reach: Reach
) -> Current:
    now, actor = acting.clock.now_ms(), acting.principal.actor
    policy = Policy(
        id=policy_id,
        tenant_id=acting.unit.tenant_id,
        place=place,
        reach=reach,
        created_by=actor,
        created_ms=now,
        updated_by=actor,
        updated_ms=now,
    )
    version = Version(
        policy_id=policy_id,
        number=policy.latest,
        content=content,
        digest=content_digest(content),
        author=actor,
        reason="",
        created_ms=now,
    )
    return Current(policy=policy, version=version)


def _advice(rules: Sequence[Rule]) -> Iterator[AdviceView]:
    for rule in rules:
        if isinstance(rule, NaturalRule):
            yield advice_view(rule.id, rule.text, review(rule.text))


async def _example(engine: Engine, draft: Current, example: Example, caller: Principal) -> TriedExampleView:
    """Return what an example came to; one that nobody could ask is told so."""
    await asyncio.sleep(0)
    try:
        found = await tried(engine, draft, example, caller)
    except BylawError as error:
        return TriedExampleView(
            name=example.name,
            expect=example.expect,
            came_to="unusable",
            is_as_expected=False,
            outcome="allow",
            message=error.message,
        )
    rules = () if found.policy is None else found.policy.rules
    return TriedExampleView(
        name=example.name,
        expect=example.expect,
        came_to=found.came_to,
        is_as_expected=found.is_as_expected(example),
        outcome="allow" if found.policy is None else found.policy.outcome,
        message=next(
            (each.message for each in rules if each.status not in {"satisfied", "not_applicable"}), ""
        ),
        rules=rules,
    )


async def _explained(
    engine: Engine, draft: Current, asked: DraftPolicy, caller: Principal
) -> Explanation | None:
    """Return why the draft says what it does of the request that was sent. Raises: InvalidInput, NotFound."""
    if asked.request is None:
        return None
    request = request_of(draft, asked.request)
    require_said(request)
    return await explain(engine, request, caller)
