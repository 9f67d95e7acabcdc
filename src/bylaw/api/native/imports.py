"""Imports: what another server has, taken over under the ids and with the times it has there."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter
from fastapi import Request as Http
from msgspec import Meta

from bylaw.api.answers import Reply
from bylaw.api.native.evaluators import judged_rules
from bylaw.api.native.policy_requests import Object, SourceIn
from bylaw.api.ports import Unit
from bylaw.api.problems import FieldProblem
from bylaw.api.route import Route, body, needs, parts_of
from bylaw.api.shape import moment, place_of
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import AgentId, PolicyId, RepoId, UserId, WorkspaceId
from bylaw.policies.arrivals import PolicyElsewhere
from bylaw.policies.editing import NewPolicy
from bylaw.policies.imports import UNNAMED, Batch, Noun, Result, import_batch
from bylaw.policies.model import Reach, Source, Status
from bylaw.policies.parse import parse_content
from bylaw.tenancy.arrivals import Outcome
from bylaw.tenancy.model import Agent, OrgRole, Repo, User, Workspace, WorkspaceRole
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["imports"], route_class=Route)

MOST: Final = 500  # of each kind: a batch is one transaction, and others wait to write
# Who did something there: a person or a key by their id.
Actor = Annotated[str, Meta(pattern=r"^(user|key):[^\s]{1,200}(?!\s)$")]


class _Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a request; unknown fields are refused."""


class ImportedWorkspace(_Sent, frozen=True):
    """A workspace as it is there; without a name it keeps the one it has here, or is called by its id."""

    id: str
    name: str | None = None
    created_at: str | None = None


class ImportedRepo(_Sent, frozen=True):
    """A repo as it is there."""

    id: str
    workspace_id: str
    name: str
    created_at: str | None = None


class ImportedUser(_Sent, frozen=True):
    """A person as they are there; with `deleted_at` they are not there any more, and only named."""

    id: str
    email: str
    name: str
    last_name: str = ""
    org_role: OrgRole = "USER"
    workspace_roles: dict[str, WorkspaceRole] = {}
    created_at: str | None = None
    deleted_at: str | None = None


class ImportedPolicy(_Sent, frozen=True):
    """A policy as it is there; `content` is what it says, with the fields of a policy to be written."""

    id: str
    content: Object
    workspace_id: str | None = None
    repo_id: str | None = None
    reach: Reach = "place"
    slug: str | None = None
    source: SourceIn = SourceIn()
    status: Status = "approved"
    is_active: bool = True
    version: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    created_at: str | None = None
    created_by: Actor | None = None
    updated_at: str | None = None
    updated_by: Actor | None = None


class ImportedAgent(_Sent, frozen=True):
    """An agent as it is there, with the policy to which it is bound."""

    id: str
    name: str = ""
    workspace_id: str | None = None
    repo_id: str | None = None
    policy_id: str | None = None
    require_policy: bool = False
    created_at: str | None = None


class Import(_Sent, frozen=True):
    """A part of what another server has, with all on which it hangs: at most 500 of each kind.

    `update`: what is here already follows, if it was changed there later. `dry_run`: nothing is stored.
    `reason` is kept with every version, and in the log.
    """

    workspaces: Annotated[tuple[ImportedWorkspace, ...], Meta(max_length=MOST)] = ()
    repos: Annotated[tuple[ImportedRepo, ...], Meta(max_length=MOST)] = ()
    users: Annotated[tuple[ImportedUser, ...], Meta(max_length=MOST)] = ()
    policies: Annotated[tuple[ImportedPolicy, ...], Meta(max_length=MOST)] = ()
    agents: Annotated[tuple[ImportedAgent, ...], Meta(max_length=MOST)] = ()
    reason: str = ""
    update: bool = False
    dry_run: bool = False


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one thing.

    `different`: it is here, differs in `fields`, and stays as it is. `problems` say why it is refused.
    `unjudged` counts the rules in words of a policy, as it was sent, that nobody here can judge.
    """

    noun: Noun
    id: str
    outcome: Outcome | Literal["refused"]
    fields: tuple[str, ...]
    problems: tuple[FieldProblem, ...]
    unjudged: int = 0


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each thing, and of which tenant it is now."""

    tenant_id: str
    dry_run: bool
    results: tuple[ImportResult, ...]


@router.post("/v1/imports")
async def import_all(
    acting: Annotated[Acting[Unit], needs("admin")], sent: Annotated[Import, body(Import)], http: Http
) -> Reply[ImportView]:
    """Take over what another server has, under its ids and with its times; twice does nothing more.

    What may not come is refused by itself, and everything else is stored together.
    """
    results = await import_batch(acting, _batch(acting, sent))
    has_model = parts_of(http).engine.panel.model is not None
    unjudged = {each.id: _unjudged(each, has_model=has_model) for each in sent.policies}
    view = ImportView(
        tenant_id=acting.unit.tenant_id,
        dry_run=sent.dry_run,
        results=tuple(_result(each, unjudged) for each in results),
    )
    return Reply(view)


def _unjudged(sent: ImportedPolicy, *, has_model: bool) -> int:
    """Return how many rules in words nobody here can judge; none of a policy that is not usable."""
    try:
        content = parse_content(sent.content)
    except InvalidInput:
        return 0
    return sum(each.left == "all" for each in judged_rules(content, has_model=has_model))


def _batch(acting: Acting[Unit], sent: Import) -> Batch:
    """Return what is sent. Raises: InvalidInput that names a moment which is none."""
    read = _Reader(acting)
    return Batch(
        workspaces=[read.workspace(each) for each in sent.workspaces],
        repos=[read.repo(each) for each in sent.repos],
        users=[read.user(each) for each in sent.users],
        policies=[read.policy(each, sent.reason) for each in sent.policies],
        agents=[read.agent(each) for each in sent.agents],
        reason=sent.reason,
        update=sent.update,
        dry_run=sent.dry_run,
    )


class _Reader:
    """Reads what is sent as values of the tenant; what says no time of its own is of now."""

    def __init__(self, acting: Acting[Unit]) -> None:
        self._tenant_id = acting.unit.tenant_id
        self._now = acting.clock.now_ms()

    def workspace(self, sent: ImportedWorkspace) -> Workspace:
        """Return a workspace."""
        return Workspace(
            id=WorkspaceId(sent.id),
            tenant_id=self._tenant_id,
            name=UNNAMED if sent.name is None else sent.name,
            created_ms=self._created(sent.created_at),
        )

    def repo(self, sent: ImportedRepo) -> Repo:
        """Return a repo."""
        return Repo(
            id=RepoId(sent.id),
            tenant_id=self._tenant_id,
            workspace_id=WorkspaceId(sent.workspace_id),
            name=sent.name,
            created_ms=self._created(sent.created_at),
        )

    def user(self, sent: ImportedUser) -> User:
        """Return a person."""
        return User(
            id=UserId(sent.id),
            tenant_id=self._tenant_id,
            email=sent.email,
            name=sent.name,
            last_name=sent.last_name,
            org_role=sent.org_role,
            workspace_roles={WorkspaceId(ident): role for ident, role in sent.workspace_roles.items()},
            created_ms=self._created(sent.created_at),
            deleted_ms=moment(sent.deleted_at, path="deleted_at"),
        )

    def policy(self, sent: ImportedPolicy, reason: str) -> PolicyElsewhere:
        """Return a policy."""
        source = Source(
            type=sent.source.type,
            conversation_id=sent.source.conversation_id,
            confidence=sent.source.confidence,
            rationale=sent.source.rationale,
            evidence=sent.source.evidence,
        )
        return PolicyElsewhere(
            new=NewPolicy(
                content=sent.content,
                place=place_of(sent.workspace_id, sent.repo_id),
                reach=sent.reach,
                slug=sent.slug,
                source=source,
                is_active=sent.is_active,
                reason=reason,
                id=PolicyId(sent.id),
                version=sent.version,
            ),
            status=sent.status,
            created_by=sent.created_by,
            created_ms=moment(sent.created_at, path="created_at"),
            updated_by=sent.updated_by,
            updated_ms=moment(sent.updated_at, path="updated_at"),
        )

    def agent(self, sent: ImportedAgent) -> Agent:
        """Return an agent."""
        return Agent(
            id=AgentId(sent.id),
            tenant_id=self._tenant_id,
            place=place_of(sent.workspace_id, sent.repo_id),
            name=sent.name,
            policy_id=None if sent.policy_id is None else PolicyId(sent.policy_id),
            require_policy=sent.require_policy,
            created_ms=self._created(sent.created_at),
        )

    def _created(self, text: str | None) -> int:
        created = moment(text, path="created_at")
        return self._now if created is None else created


def _result(result: Result, unjudged: Mapping[str, int]) -> ImportResult:
    problems = (
        FieldProblem(path=each.path, code=each.code, message=each.message) for each in result.problems
    )
    return ImportResult(
        noun=result.noun,
        id=result.id,
        outcome=result.outcome,
        fields=result.fields,
        problems=tuple(problems),
        unjudged=unjudged.get(result.id, 0) if result.noun == "policy" else 0,
    )
