"""An engine over packs of files: decisions with no server and no store."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bylaw.core.clock import Clock, SystemClock
from bylaw.core.errors import Problem
from bylaw.core.ids import Ids, PolicyId, RepoId, TenantId, WorkspaceId
from bylaw.decisions.compiled import compile_policy
from bylaw.decisions.engine import Engine
from bylaw.decisions.model import Request
from bylaw.decisions.snapshot import Material, Snapshots, build
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.evaluators.panel import Panel
from bylaw.policies.content import content_digest
from bylaw.policies.model import Current, NaturalRule, Policy, Version, outline
from bylaw.policies.packs.model import Folder, PackedPolicy
from bylaw.tenancy.model import Place, Repo, Workspace
from bylaw.tenancy.principal import Principal, system_principal

LOCAL = TenantId("local")
_NAMELESS: Final = "?"  # the workspace of a repo that is named alone
_NO_POLICIES: Final = "No pack names {!r}: it is taken as a place without policies of its own."
_NO_RECEIPTS: Final = "There are no receipts here: rules about what was asked are judged once more."


class LocalPolicies:
    """The policies of a folder as if they were stored and in force, and engines over them.

    A policy's id is its slug. Workspaces and repos are those that the packs name.
    """

    def __init__(self, folder: Folder, *, clock: Clock | None = None) -> None:
        self._clock = SystemClock() if clock is None else clock
        self._packed = {policy.slug: policy for pack in folder.packs for policy in pack.policies}
        self._places = {policy.place for policy in self._packed.values()}
        self._snapshots = Snapshots()
        self._snapshots.publish(build(self._material()))
        self.caller: Principal = system_principal(LOCAL)

    def engine(self, panel: Panel | None = None) -> Engine:
        """Return an engine over these policies; the offline evaluator judges alone when nobody is given."""
        panel = Panel(offline=OfflineEvaluator()) if panel is None else panel
        return Engine(snapshots=self._snapshots, panel=panel, clock=self._clock, ids=Ids(clock=self._clock))

    def admit(self, request: Request) -> Sequence[Problem]:
        """Add the places that `request` names and no pack does, without policies; return what to say.

        So a request that a server took can be decided here. A repo of another workspace stays unknown. What
        it follows is in no reach: each rule is judged.
        """
        workspace, repo = request.workspace_id or None, request.repo_id or None
        unknown: list[tuple[str, str]] = []
        if workspace is not None and workspace not in {each.workspace_id for each in self._places}:
            unknown.append(("workspace_id", workspace))
            self._places.add(Place(workspace_id=WorkspaceId(workspace)))
        if repo is not None and repo not in {each.repo_id for each in self._places}:
            unknown.append(("repo_id", repo))
            home = _NAMELESS if workspace is None else workspace
            self._places.add(Place(workspace_id=WorkspaceId(home), repo_id=RepoId(repo)))
        if unknown:
            self._snapshots.publish(build(self._material()))
        told = [
            Problem(path=path, code="unknown_place", message=_NO_POLICIES.format(ident))
            for path, ident in unknown
        ]
        if request.follows:
            told.append(Problem(path="follows", code="no_receipts", message=_NO_RECEIPTS))
        return told

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield the slug and the rule id of every rule of an active policy."""
        for slug, packed in self._packed.items():
            if packed.is_active:
                yield from ((slug, rule.id) for rule in packed.content.rules)

    def wording(self) -> Mapping[str, str]:
        """Return the text of every rule in words by `slug/rule-id`, and by `key/rule-id` where clear."""
        found: dict[str, str] = {}
        for slug, packed in self._packed.items():
            for rule in packed.content.rules:
                if isinstance(rule, NaturalRule):
                    found[f"{slug}/{rule.id}"] = rule.text
                    found.setdefault(f"{slug.partition('/')[2]}/{rule.id}", rule.text)
        return found

    def place_of(self, slug: str) -> Place:
        """Return where a policy of that slug holds."""
        return self._packed[slug].place

    def knows(self, slug: str) -> bool:
        """Return whether there is a policy of that slug."""
        return slug in self._packed

    def _material(self) -> Material:
        now = self._clock.now_ms()
        currents = [self._current(packed) for packed in self._packed.values()]
        in_force = [current for current in currents if current.policy.is_in_force]
        return Material(
            tenant_id=LOCAL,
            revision=1,
            policies=[outline(current) for current in currents],
            compiled={current.policy.id: compile_policy(current) for current in in_force},
            workspaces=[
                Workspace(id=WorkspaceId(ident), tenant_id=LOCAL, name=ident, created_ms=now)
                for ident in sorted({place.workspace_id for place in self._places if place.workspace_id})
            ],
            repos=[
                Repo(
                    id=RepoId(repo),
                    tenant_id=LOCAL,
                    workspace_id=WorkspaceId(workspace),
                    name=repo,
                    created_ms=now,
                )
                for workspace, repo in sorted(
                    {(p.workspace_id, p.repo_id) for p in self._places if p.workspace_id and p.repo_id}
                )
            ],
        )

    def _current(self, packed: PackedPolicy) -> Current:
        now = self._clock.now_ms()
        ident = PolicyId(packed.slug)
        policy = Policy(
            id=ident,
            tenant_id=LOCAL,
            place=packed.place,
            reach=packed.reach,
            slug=packed.slug,
            is_active=packed.is_active,
            created_by=packed.file,
            created_ms=now,
            updated_by=packed.file,
            updated_ms=now,
        )
        version = Version(
            policy_id=ident,
            number=1,
            content=packed.content,
            digest=content_digest(packed.content),
            author=packed.file,
            reason="",
            created_ms=now,
        )
        return Current(policy=policy, version=version)
