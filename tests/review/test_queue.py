from dataclasses import replace

import pytest
from msgspec import structs

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Forbidden, NotFound, PreconditionFailed
from bylaw.core.ids import Ids
from bylaw.core.paging import Slice
from bylaw.decisions.effects import effects_of
from bylaw.decisions.request import read
from bylaw.review.model import Names
from bylaw.review.projection import project_review
from bylaw.review.queue import list_alerts, list_attention, list_violations, read_attention, resolve_attention
from bylaw.review.store import AttentionFilter, ReviewFilter
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.tenancy.model import EVERYWHERE, Repo, Tenant, User, Workspace
from bylaw.tenancy.principal import Acting, Grant, Principal
from tests.decisions.world import TENANT, World, caller, place, policy

WORLD = World(policies=[policy("p", "amount < 5", action="review", risk="HIGH")])


def effects(clock, **request):
    engine = WORLD.engine(ids=Ids(clock), clock=clock)
    asked = read({"metadata": {"amount": 9}, **request})
    try:
        engine.decide(asked, caller()).send(None)
    except StopIteration as done:
        return effects_of(done.value, asked, caller())
    raise AssertionError("the decision waited")


class Desk:
    """A store with two decisions in it, one in each workspace."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ids = Ids(self.clock)
        self.store = MemoryControlStore(ids=self.ids, clock=self.clock)
        self.rows = []

    async def begin(self):
        async with self.store.system() as system:
            await system.add_tenant(Tenant(id=TENANT, name="Acme", created_ms=0))
        for workspace in ("w1", "w2"):
            self.rows += effects(self.clock, workspace_id=workspace)
            self.clock.advance(1)
        await self.project()
        return self

    async def project(self):
        async with self.store.begin(TENANT) as unit:
            await project_review(unit, self.rows)

    async def run(self, use_case, *args, by=None, **options):
        principal = person() if by is None else by
        async with self.store.begin(TENANT) as unit:
            acting = Acting(unit=unit, principal=principal, clock=self.clock, ids=self.ids)
            return await use_case(acting, *args, **options)


def person(*scopes, where=EVERYWHERE):
    held = frozenset(scopes or {"receipts:read", "conversations:write"})
    return Principal(tenant_id=TENANT, kind="user", id="eve", grants=(Grant(place=where, scopes=held),))


@pytest.fixture
async def desk():
    return await Desk().begin()


@pytest.mark.parametrize("listing", [list_violations, list_alerts])
async def test_names_are_those_of_the_day_it_was_first_listed(listing):
    desk = Desk()
    async with desk.store.system() as system:
        await system.add_tenant(Tenant(id=TENANT, name="Acme", created_ms=0))
    w1 = Workspace(id="w1", tenant_id=TENANT, name="Shop", created_ms=0)
    code = Repo(id="code", tenant_id=TENANT, workspace_id="w1", name="Code", created_ms=0)
    ann = User(id="ann", tenant_id=TENANT, email="a@b", name="Ann", last_name="Lee", created_ms=0)
    async with desk.store.begin(TENANT) as unit:
        await unit.tenancy.workspaces.add(w1)
        await unit.tenancy.repos.add(code)
        await unit.tenancy.users.add(ann)
    for each in effects(desk.clock, workspace_id="w1", user_id="ann"):
        desk.rows.append(structs.replace(each, occasion=structs.replace(each.occasion, repo_id="code")))
    desk.clock.advance(1)
    desk.rows += effects(desk.clock, user_id="nobody here")
    await desk.project()
    async with desk.store.begin(TENANT) as unit:
        await unit.tenancy.users.save(replace(ann, name="Anna", revision=2))
    await desk.project()
    stranger, known = (await desk.run(listing, ReviewFilter(), Slice())).items
    assert known.names == Names(repo="Code", user="Ann Lee")
    assert stranger.names == Names()
    assert [each.id for each in (await desk.run(listing, ReviewFilter(repo_id="code"), Slice())).items] == [
        known.id
    ]


async def test_a_person_who_reads_nowhere_sees_none_and_a_key_needs_the_scope(desk):
    member = Principal(tenant_id=TENANT, kind="user", id="u", grants=())
    asking = Grant(scopes=frozenset({"receipts:read"}))
    key = Principal(tenant_id=TENANT, kind="key", id="k", grants=(asking,), speaks_for=member)
    assert (await desk.run(list_violations, ReviewFilter(), Slice(total=True), by=key)).total == 0
    with pytest.raises(Forbidden):
        await desk.run(list_alerts, ReviewFilter(), Slice(), by=replace(key, grants=()))


@pytest.mark.parametrize("listing", [list_violations, list_alerts])
async def test_violations_and_alerts_are_listed_newest_first(desk, listing):
    page = await desk.run(listing, ReviewFilter(), Slice())
    assert [each.occasion.workspace_id for each in page.items] == ["w2", "w1"]


@pytest.mark.parametrize("listing", [list_violations, list_alerts])
async def test_only_those_of_readable_places_are_seen(desk, listing):
    page = await desk.run(listing, ReviewFilter(), Slice(), by=person("receipts:read", where=place("w1")))
    assert [each.occasion.workspace_id for each in page.items] == ["w1"]
    hidden = ReviewFilter(within=(place("w2"),))
    page = await desk.run(listing, hidden, Slice(), by=person("receipts:read", where=place("w1")))
    assert page.items == ()
    with pytest.raises(Forbidden):
        await desk.run(listing, ReviewFilter(), Slice(), by=person("decisions:write"))


async def test_a_violation_keeps_the_policy_as_it_was(desk):
    (violation, _) = (await desk.run(list_violations, ReviewFilter(), Slice())).items
    assert (violation.policy.name, violation.policy.version, violation.policy.risk) == ("p", 1, "HIGH")
    assert (violation.explanation, violation.block) == ("`amount < 5` does not hold.", False)


async def test_attention_is_listed_and_resolved_once(desk):
    (item, _) = (await desk.run(list_attention, AttentionFilter(status="open"), Slice())).items
    assert (item.type, item.policy.id, item.revision) == ("policy_review", "p", 1)
    resolved = await desk.run(resolve_attention, item.id, reason=" Called them. ", revision=1)
    assert resolved.resolved_reason == "Called them."
    assert (resolved.status, resolved.resolved_by, resolved.revision) == ("resolved", "user:eve", 2)
    assert resolved.resolved_ms == desk.clock.now_ms()
    desk.clock.advance(1)
    assert await desk.run(resolve_attention, item.id) == resolved
    assert len((await desk.run(list_attention, AttentionFilter(status="open"), Slice())).items) == 1


async def test_projecting_again_changes_nothing(desk):
    (item, _) = (await desk.run(list_attention, AttentionFilter(), Slice())).items
    resolved = await desk.run(resolve_attention, item.id)
    await desk.project()
    assert await desk.run(read_attention, item.id) == resolved
    assert len((await desk.run(list_violations, ReviewFilter(), Slice())).items) == 2


async def test_resolving_needs_sight_the_scope_and_the_newest_revision(desk):
    newest, oldest = (await desk.run(list_attention, AttentionFilter(), Slice())).items
    with pytest.raises(NotFound):
        await desk.run(resolve_attention, newest.id, by=person("conversations:write", where=place("w1")))
    with pytest.raises(Forbidden):
        await desk.run(resolve_attention, oldest.id, by=person("conversations:read", where=place("w1")))
    with pytest.raises(PreconditionFailed):
        await desk.run(resolve_attention, oldest.id, revision=5)
    with pytest.raises(NotFound):
        await desk.run(resolve_attention, "att_unknown")
