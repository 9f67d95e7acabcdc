"""One tenant in memory, as slow and obvious as it can be: what the use cases are tried on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Conflict, PreconditionFailed
from bylaw.core.ids import Ids, TenantId
from bylaw.core.paging import Page, Slice, decode_cursor, encode_cursor
from bylaw.policies.model import Current, Policy, Version, outline, search_text, topic_key
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy.model import EVERYWHERE, Place, Tenant
from bylaw.tenancy.principal import Acting, Grant, Principal, system_principal


def page_of(items: Sequence[Any], part: Slice, key) -> Page[Any]:
    ordered = sorted(items, key=key, reverse=True)
    rest = ordered
    if part.cursor is not None:
        last = decode_cursor(part.cursor, *(type(piece) for piece in key(ordered[0])))
        rest = [item for item in ordered if key(item) < last]
    rest = rest[0 if part.cursor is not None else part.offset :]
    cut = rest[: part.limit]
    more = len(rest) > len(cut)
    return Page(
        items=tuple(cut),
        next_cursor=encode_cursor(*key(cut[-1])) if more else None,
        total=len(ordered) if part.total else None,
    )


def newest(item) -> tuple[int, str]:
    return (item.created_ms, item.id)


def undeleted(item) -> bool:
    return getattr(item, "deleted_ms", None) is None


def near(place: Place, places: Sequence[Place] | None) -> bool:
    return places is None or any(place.contains(one) or one.contains(place) for one in places)


class Rows:
    def __init__(self, unique=None) -> None:
        self.items: dict[str, Any] = {}
        self._unique = unique

    async def get(self, ident):
        return self.items.get(ident)

    async def add(self, item) -> None:
        same = (
            self._unique(other) == self._unique(item) for other in self.items.values() if undeleted(other)
        )
        if item.id in self.items or (self._unique and undeleted(item) and any(same)):
            raise Conflict("taken", reason="exists")
        self.items[item.id] = item

    async def save(self, item) -> None:
        stored = self.items[item.id]
        if item.revision != stored.revision + 1:
            raise PreconditionFailed("changed", current=str(stored.revision))
        self.items[item.id] = item

    def found(self, part: Slice, matches) -> Page[Any]:
        return page_of(
            [item for item in self.items.values() if undeleted(item) and matches(item)], part, newest
        )


class Workspaces(Rows):
    async def list(self, part, *, only=None):
        return self.found(part, lambda item: only is None or item.id in only)


class Repos(Rows):
    async def list(self, part, *, only=None):
        return self.found(part, lambda item: only is None or item.workspace_id in only)


class Users(Rows):
    async def list(self, part, *, workspace_id=None):
        return self.found(part, lambda item: workspace_id is None or workspace_id in item.workspace_roles)

    async def count_owners(self):
        return sum(item.org_role == "OWNER" and undeleted(item) for item in self.items.values())


class Keys(Rows):
    async def list(self, part, *, within=None):
        return self.found(
            part, lambda item: not item.is_session and (within is None or within.contains(item.place))
        )

    async def sessions(self, part, where):
        def wanted(item):
            used = item.created_ms if item.last_used_ms is None else item.last_used_ms
            goes_on = item.is_session and item.revoked_ms is None and item.expires_ms > where.after_ms
            theirs = where.user_id in (None, item.user_id) and where.made_from in (None, item.made_from)
            return goes_on and theirs and used >= where.used_ms

        return self.found(part, wanted)


class Agents(Rows):
    async def get_or_add(self, agent):
        return self.items.setdefault(agent.id, agent)

    async def list(self, part, *, policy_id=None, readable=None):
        return self.found(
            part,
            lambda item: policy_id in (None, item.policy_id) and near(item.place, readable),
        )

    async def governed(self, part):
        return self.found(part, lambda item: item.policy_id or item.require_policy)


class Policies:
    def __init__(self) -> None:
        self.items: dict[str, Policy] = {}
        self.written: dict[str, list[Version]] = {}

    async def get(self, policy_id):
        return self.items.get(policy_id)

    async def add_all(self, made) -> None:
        for policy, version in ((each.policy, each.version) for each in made):
            slugs = {other.slug for other in self.items.values() if undeleted(other)} - {None}
            if policy.id in self.items or policy.slug in slugs:
                raise Conflict("taken", reason="exists")
            self.items[policy.id] = policy
            self.written[policy.id] = [version]

    async def save_all(self, changed) -> None:
        for policy, version in changed:
            stored = self.items[policy.id]
            if policy.revision != stored.revision + 1:
                raise PreconditionFailed("changed", current=str(stored.revision))
            self.items[policy.id] = policy
            if version is not None:
                assert version.number == self.written[policy.id][-1].number + 1
                self.written[policy.id].append(version)

    async def version(self, policy_id, number):
        written = self.written.get(policy_id, [])
        return next((each for each in written if each.number == number), None)

    async def versions(self, policy_id, part):
        return page_of(self.written.get(policy_id, []), part, lambda item: (item.number,))

    async def list(self, where: PolicyFilter, part):
        found = [current for current in self._all() if matches(current, where)]
        return page_of(found, part, lambda item: newest(item.policy))

    async def currents(self, ids):
        return [each for each in self._all() if each.policy.id in ids and undeleted(each.policy)]

    async def places(self, ids):
        return {each.policy.id: each.policy.place for each in self._all() if each.policy.id in ids}

    async def outlines(self, part):
        undeleted_ones = [outline(each) for each in self._all() if undeleted(each.policy)]
        return page_of(undeleted_ones, part, lambda item: (item.id,))

    def _all(self):
        return [
            Current(policy=policy, version=self.written[policy.id][policy.current - 1])
            for policy in self.items.values()
        ]


async def in_force(unit) -> list[Current]:
    """Every policy in force, with its approved version."""
    page = await unit.policies.list(PolicyFilter(), Slice(limit=1_000))
    return [current for current in page.items if current.policy.is_in_force]


def matches(current: Current, where: PolicyFilter) -> bool:
    policy, content = current.policy, current.version.content
    wanted = [
        lies(policy, where),
        policy.place == EVERYWHERE or near(policy.place, where.readable),
        where.statuses is None or policy.status in where.statuses,
        where.is_active in (None, policy.is_active),
        where.has_pending in (None, policy.pending is not None),
        where.slugs is None or policy.slug in where.slugs,
        where.slug_prefix is None or (policy.slug or "").startswith(where.slug_prefix),
        where.source_types is None or policy.source.type in where.source_types,
        where.topic is None or (content.topic and topic_key(content.topic) == topic_key(where.topic)),
        where.actions is None or content.action in where.actions,
        where.risks is None or content.risk in where.risks,
        where.text is None or where.text.casefold() in search_text(content),
        policy.deleted_ms is not None
        if where.only_deleted
        else where.include_deleted or policy.deleted_ms is None,
    ]
    return all(wanted)


def lies(policy: Policy, where: PolicyFilter) -> bool:
    reached = where.reach in (None, policy.reach)
    if where.or_policy == policy.id:
        return True
    if where.place is None:
        return reached
    inside = {
        "exact": policy.place == where.place,
        "within": where.place.contains(policy.place),
        "effective": policy.place.contains(where.place),
    }
    return reached and inside[where.match]


@dataclass
class Directory:
    policies: Policies
    workspaces: Workspaces = field(default_factory=Workspaces)
    repos: Repos = field(default_factory=Repos)
    users: Users = field(default_factory=lambda: Users(lambda user: user.email.casefold()))
    keys: Keys = field(default_factory=lambda: Keys(lambda key: key.sha256))
    credentials: Rows = field(default_factory=Rows)
    agents: Agents = field(default_factory=Agents)
    name: str = "Acme"

    async def tenant(self) -> Tenant:
        return Tenant(id=TenantId("t1"), name=self.name, created_ms=0)

    async def rename(self, name: str) -> None:
        self.name = name

    async def contents(self, place: Place) -> Mapping[str, int]:
        repos = [
            Place(workspace_id=r.workspace_id, repo_id=r.id)
            for r in self.repos.items.values()
            if undeleted(r)
        ]
        held = {
            "repos": sum(place.contains(inner) and place != inner for inner in repos),
            "policies": sum(place.contains(p.place) for p in self.policies.items.values() if undeleted(p)),
            "agents": sum(place.contains(agent.place) for agent in self.agents.items.values()),
        }
        return {noun: count for noun, count in held.items() if count}


@dataclass
class Changes:
    value: int = 0

    async def bump(self) -> int:
        self.value += 1
        return self.value


@dataclass
class Outbox:
    entries: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    async def add(self, kind, *payloads) -> None:
        self.entries += [(kind, payload) for payload in payloads]


class MemoryUnit:
    def __init__(self, tenant_id: str = "t1") -> None:
        self.tenant_id = TenantId(tenant_id)
        self.policies = Policies()
        self.tenancy = Directory(policies=self.policies)
        self.changes = Changes()
        self.outbox = Outbox()


def acting_as(unit: MemoryUnit, *scopes: str, place: Place = EVERYWHERE, ident: str = "k1") -> Acting[Any]:
    """Return somebody at work with these scopes in this place; without any scope it is Bylaw itself."""
    clock = ManualClock()
    principal = system_principal(unit.tenant_id)
    if scopes:
        grant = Grant(place=place, scopes=frozenset(scopes))
        principal = Principal(tenant_id=unit.tenant_id, kind="key", id=ident, grants=(grant,))
    return Acting(unit=unit, principal=principal, clock=clock, ids=Ids(clock))


def as_principal(acting: Acting[Any], principal: Principal) -> Acting[Any]:
    return replace(acting, principal=principal)
