"""A small world for decisions: policies, agents and places, made with as few words as a test needs."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from bylaw.core.clock import ManualClock
from bylaw.core.ids import AgentId, Ids, PolicyId, RepoId, TenantId, WorkspaceId
from bylaw.decisions.compiled import compile_policy
from bylaw.decisions.engine import Engine
from bylaw.decisions.model import Decision
from bylaw.decisions.request import read
from bylaw.decisions.snapshot import Material, Snapshots, build
from bylaw.evaluators.cache import Cache
from bylaw.evaluators.panel import TIMEOUT_MS, Panel
from bylaw.evaluators.protocol import Evaluator
from bylaw.evaluators.scripted import ScriptedEvaluator
from bylaw.policies.content import content_digest
from bylaw.policies.model import Current, Outline, Policy, Version, outline
from bylaw.policies.parse import parse_content
from bylaw.tenancy.model import EVERYWHERE, Agent, Place, Repo, Workspace
from bylaw.tenancy.principal import Grant, Principal

TENANT = TenantId("acme")
HERE = Place(workspace_id=WorkspaceId("w1"))


def place(workspace_id: str | None = None, repo_id: str | None = None) -> Place:
    return Place(
        workspace_id=None if workspace_id is None else WorkspaceId(workspace_id),
        repo_id=None if repo_id is None else RepoId(repo_id),
    )


def caller(*scopes: str, where: Place = EVERYWHERE) -> Principal:
    grant = Grant(place=where, scopes=frozenset(scopes or {"decisions:write"}))
    return Principal(tenant_id=TENANT, kind="key", id="key_1", grants=(grant,))


def policy(
    ident: str, *rules: object, where: Place = EVERYWHERE, reach: str = "place", version: int = 1, **content
) -> Current:
    """A policy in force; a rule that is text is deterministic, unless it starts with `nl:` or `flag:`."""
    data = {"name": content.pop("name", ident), "rules": [_rule(rule) for rule in rules], **content}
    parsed = parse_content(data)
    stored = Version(
        policy_id=PolicyId(ident), number=version, content=parsed, digest=content_digest(parsed),
        author="user:ann", reason="", created_ms=0,
    )  # fmt: skip
    identity = Policy(
        id=PolicyId(ident), tenant_id=TENANT, place=where, reach=reach, latest=version, approved=version,
        created_by="user:ann", created_ms=0, updated_by="user:ann", updated_ms=0,
    )  # fmt: skip
    return Current(policy=identity, version=stored)


def _dormant(ident: str, where: Place) -> Outline:
    return Outline(id=PolicyId(ident), place=where, reach="place", is_in_force=False, number=1, digest="")


def _rule(rule: object) -> object:
    if not isinstance(rule, str):
        return rule
    if rule.startswith("nl:"):
        return {"type": "nl", "text": rule[3:], "effect": "reject"}
    if rule.startswith("flag:"):
        return {"type": "nl", "text": rule[5:], "effect": "flag"}
    return {"type": "deterministic", "expr": rule}


def agent(
    ident: str, bound: str | None = None, *, where: Place = EVERYWHERE, require_policy: bool = False
) -> Agent:
    return Agent(
        id=AgentId(ident), tenant_id=TENANT, place=where, require_policy=require_policy, created_ms=0,
        policy_id=None if bound is None else PolicyId(bound),
    )  # fmt: skip


@dataclass(kw_only=True)
class World:
    """Everything that decisions are made from; `decide` runs the real engine over it."""

    policies: Iterable[Current] = ()
    agents: Iterable[Agent] = ()
    dormant: Iterable[str] = ()
    dormant_at: Place = EVERYWHERE
    requiring: frozenset[str] = frozenset()
    evaluator: Evaluator = field(default_factory=ScriptedEvaluator)
    model: Evaluator | None = None
    kept: int = 0
    workspaces: tuple[str, ...] = ("w1", "w2")
    repos: tuple[tuple[str, str], ...] = (("w1", "r1"), ("w1", "r2"), ("w2", "r3"))

    def material(self, revision: int = 1) -> Material:
        policies = tuple(self.policies)
        return Material(
            tenant_id=TENANT,
            revision=revision,
            policies=(*map(outline, policies), *(_dormant(each, self.dormant_at) for each in self.dormant)),
            compiled={each.policy.id: compile_policy(each) for each in policies},
            agents=tuple(self.agents),
            workspaces=tuple(
                Workspace(
                    id=WorkspaceId(each),
                    tenant_id=TENANT,
                    name=each,
                    created_ms=0,
                    require_policy=each in self.requiring,
                )
                for each in self.workspaces
            ),
            repos=tuple(
                Repo(
                    id=RepoId(repo),
                    tenant_id=TENANT,
                    workspace_id=WorkspaceId(workspace),
                    name=repo,
                    created_ms=0,
                )
                for workspace, repo in self.repos
            ),
        )

    def engine(self, *, timeout_ms: int = TIMEOUT_MS, **options) -> Engine:
        snapshots = Snapshots()
        snapshots.publish(build(self.material()))
        clock = ManualClock()
        ids = Ids(clock, random=lambda count: b"\0" * count)
        fixed = {"clock": clock, "ids": ids, "ticks": lambda: 0}
        panel = Panel(offline=self.evaluator, model=self.model, cache=Cache(self.kept), timeout_ms=timeout_ms)
        return Engine(snapshots=snapshots, panel=panel, **(fixed | options))

    def decide(self, by: Principal | None = None, **request) -> Decision:
        return asyncio.run(self.engine().decide(read(request), caller() if by is None else by))
