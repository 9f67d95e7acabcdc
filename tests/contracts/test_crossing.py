"""No method of any store shows or changes what another tenant holds.

The list of methods comes from the ports themselves: a method without a crossing here fails.
"""

from dataclasses import replace

import pytest

from bylaw.approvals.store import ApprovalFilter, Approvals
from bylaw.core.errors import Conflict, Forbidden, PreconditionFailed
from bylaw.core.ids import AgentId, KeyId, PolicyId, RepoId, UserId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.learning.model import ConversationId
from bylaw.learning.store import ConversationFilter, Conversations
from bylaw.policies.model import Current
from bylaw.policies.searching import words_of
from bylaw.policies.store import Policies, PolicyFilter
from bylaw.review.store import Alerts, Attention, AttentionFilter, ReviewFilter, Violations
from bylaw.tenancy.changes import Changes, Outbox
from bylaw.tenancy.model import EVERYWHERE
from bylaw.tenancy.replies import Replies
from bylaw.tenancy.store import Agents, Directory, Keys, Repos, Users, Workspaces
from tests.contracts.lists import every
from tests.contracts.values import (
    START,
    A,
    B,
    agent,
    alert,
    approval,
    attention,
    conversation,
    key,
    place,
    policy,
    reply,
    repo,
    user,
    version,
    violation,
    workspace,
)

ALL = Slice(limit=100, total=True)
OURS = {
    "workspaces": workspace(id=WorkspaceId("w")),
    "repos": repo(id=RepoId("r"), workspace_id=WorkspaceId("w")),
    "users": user(id=UserId("u"), email="ada@example.org", org_role="OWNER", workspace_roles={"w": "ADMIN"}),
    "keys": key(id=KeyId("k"), sha256="hash", place=place("w")),
    "agents": agent(id=AgentId("bot"), policy_id=PolicyId("p"), place=place("w", "r")),
    "policies": policy(id=PolicyId("p"), slug="cap", place=place("w")),
    "violations": violation(id="v"),
    "alerts": alert(id="al"),
    "attention": attention(id="at"),
    "approvals": approval(id="ap"),
    "conversations": conversation(id=ConversationId("c"), place=place("w")),
}
PORTS = {
    "workspaces": Workspaces, "repos": Repos, "users": Users, "keys": Keys, "agents": Agents,
    "directory": Directory, "policies": Policies, "violations": Violations, "alerts": Alerts,
    "conversations": Conversations, "attention": Attention, "approvals": Approvals,
    "changes": Changes, "outbox": Outbox, "replies": Replies,
}  # fmt: skip


def methods(port):
    """The methods that a port declares, its own and inherited ones."""
    names = {name for base in port.__mro__ if base.__module__.startswith("bylaw") for name in vars(base)}
    return sorted(n for n in names if not n.startswith("_") and not isinstance(getattr(port, n), property))


METHODS = [(name, method) for name, port in PORTS.items() for method in methods(port)]


async def fill(unit):
    """What tenant A holds."""
    tenancy = unit.tenancy
    await tenancy.workspaces.add(OURS["workspaces"])
    await tenancy.repos.add(OURS["repos"])
    await tenancy.users.add(OURS["users"])
    await tenancy.keys.add(OURS["keys"])
    await unit.policies.add(OURS["policies"], version(PolicyId("p")))
    await tenancy.agents.add(OURS["agents"])
    for kind in ("violations", "alerts", "attention"):
        await getattr(unit.review, kind).add([OURS[kind]])
    await unit.approvals.add([OURS["approvals"]])
    await unit.conversations.add(OURS["conversations"])
    await unit.outbox.add("key", {})
    await unit.replies.add(reply(caller="c", key="i"))
    await unit.changes.bump()


def rows(unit, kind):
    if kind in {"violations", "alerts", "attention"}:
        return getattr(unit.review, kind)
    if kind == "directory":
        return unit.tenancy
    return getattr(unit, kind) if hasattr(unit, kind) else getattr(unit.tenancy, kind)


async def cross_get(unit, kind):
    if kind == "replies":
        assert await unit.replies.get("c", "i", since_ms=0) is None
    else:
        assert await rows(unit, kind).get(OURS[kind].id) is None


async def cross_add(unit, kind):
    """Ours in their name is refused; the same id is theirs to use, and then theirs alone."""
    if kind == "outbox":
        await unit.outbox.add("key", {})
    elif kind == "replies":
        await unit.replies.add(reply(caller="c", key="i", digest="theirs"))
        assert (await unit.replies.get("c", "i", since_ms=0)).digest == "theirs"
    elif kind in {"violations", "alerts", "attention", "approvals"}:
        with pytest.raises(Forbidden):
            await rows(unit, kind).add([OURS[kind]])
        theirs = replace(OURS[kind], occasion=PORT_OCCASION)
        await rows(unit, kind).add([theirs])
        assert await rows(unit, kind).get(theirs.id) == theirs
    elif kind == "policies":
        with pytest.raises(Forbidden):
            await unit.policies.add(OURS[kind], version(PolicyId("p")))
        theirs = policy(B, id=PolicyId("p"), slug="cap")
        await unit.policies.add(theirs, version(PolicyId("p")))
        assert await unit.policies.get(theirs.id) == theirs
    else:
        await cross_add_plain(unit, kind)


PORT_OCCASION = violation(B).occasion


async def cross_add_plain(unit, kind):
    with pytest.raises(Forbidden):
        await rows(unit, kind).add(OURS[kind])
    free = {
        "workspaces": {}, "repos": {"workspace_id": WorkspaceId("own")}, "users": {"workspace_roles": {}},
        "keys": {"place": EVERYWHERE, "sha256": "other"}, "agents": {"policy_id": None, "place": EVERYWHERE},
        "conversations": {"place": place("own")},
    }[kind]  # fmt: skip
    await unit.tenancy.workspaces.add(workspace(B, id=WorkspaceId("own")))
    theirs = replace(OURS[kind], tenant_id=B, **free)
    await rows(unit, kind).add(theirs)
    assert await rows(unit, kind).get(theirs.id) == theirs


async def cross_save(unit, kind):
    ours = OURS[kind]
    with pytest.raises(Forbidden):
        await rows(unit, kind).save(replace(ours, revision=2))
    if kind in {"attention", "approvals"}:
        theirs = replace(ours, occasion=PORT_OCCASION, revision=2)
    else:
        theirs = replace(ours, tenant_id=B, revision=2)
    with pytest.raises(PreconditionFailed) as refused:
        await rows(unit, kind).save(theirs)
    assert refused.value.current == ""


async def cross_list(unit, kind):
    filters = {
        "policies": (
            PolicyFilter(include_deleted=True),
            PolicyFilter(or_policy=PolicyId("p"), place=place("w")),
        ),
        "violations": (ReviewFilter(),), "alerts": (ReviewFilter(), ReviewFilter(within=(EVERYWHERE,))),
        "conversations": (ConversationFilter(), ConversationFilter(has_attention=False)),
        "attention": (AttentionFilter(),), "approvals": (ApprovalFilter(),),
    }  # fmt: skip
    options = {
        "workspaces": ({"only": frozenset({"w"})},), "repos": ({"only": frozenset({"w"})},),
        "users": ({"workspace_id": "w"},), "keys": ({"within": EVERYWHERE}, {"within": place("w")}),
        "agents": ({"policy_id": "p"}, {"readable": (EVERYWHERE,)}),
    }  # fmt: skip
    if kind in filters:
        pages = [await rows(unit, kind).list(where, ALL) for where in filters[kind]]
    else:
        pages = [await rows(unit, kind).list(ALL, **how) for how in ({}, *options[kind])]
    assert all((page.items, page.total) == ((), 0) for page in pages)


async def cross_search(unit, _kind):
    page = await unit.policies.search(words_of("refund"), PolicyFilter(include_deleted=True), ALL)
    assert (page.items, page.total) == ((), 0)


async def cross_version(unit, _kind):
    assert await unit.policies.version(PolicyId("p"), 1) is None


async def cross_versions(unit, _kind):
    assert (await unit.policies.versions(PolicyId("p"), ALL)).total == 0


async def cross_add_all(unit, _kind):
    """One of ours among theirs is refused with them; the same id is theirs to use."""
    ours = Current(policy=OURS["policies"], version=version(PolicyId("p")))
    theirs = Current(policy=policy(B, id=PolicyId("p"), slug="cap"), version=version(PolicyId("p")))
    with pytest.raises(Forbidden):
        await unit.policies.add_all([ours, theirs])
    await unit.policies.add_all([theirs])
    assert await unit.policies.get(PolicyId("p")) == theirs.policy


async def cross_save_all(unit, _kind):
    """Ours are refused; the same id among theirs is not there to be changed."""
    with pytest.raises(Forbidden):
        await unit.policies.save_all([(replace(OURS["policies"], revision=2), None)])
    theirs = policy(B, id=PolicyId("p"), slug="cap", revision=2)
    with pytest.raises(PreconditionFailed) as refused:
        await unit.policies.save_all([(theirs, version(PolicyId("p"), 2))])
    assert refused.value.current == ""


async def cross_currents(unit, _kind):
    assert list(await unit.policies.currents([PolicyId("p")])) == []


async def cross_outlines(unit, _kind):
    assert (await unit.policies.outlines(ALL)).total == 0


async def cross_governed(unit, kind):
    assert (await rows(unit, kind).governed(ALL)).total == 0


async def cross_get_or_add(unit, _kind):
    with pytest.raises(Forbidden):
        await unit.tenancy.agents.get_or_add(OURS["agents"])
    theirs = agent(B, id=AgentId("bot"))
    assert await unit.tenancy.agents.get_or_add(theirs) == theirs


async def cross_contents(unit, _kind):
    assert await unit.tenancy.contents(EVERYWHERE) == {}
    assert await unit.tenancy.contents(place("w")) == {}


async def cross_tenant(unit, _kind):
    assert (await unit.tenancy.tenant()).id == B


async def cross_rename(unit, _kind):
    await unit.tenancy.rename("Theirs")
    assert (await unit.tenancy.tenant()).name == "Theirs"


async def cross_count_owners(unit, _kind):
    assert await unit.tenancy.users.count_owners() == 0


async def cross_bump(unit, _kind):
    assert await unit.changes.bump() == 1


CROSSINGS = {
    "get": cross_get, "add": cross_add, "save": cross_save, "list": cross_list, "version": cross_version,
    "versions": cross_versions, "get_or_add": cross_get_or_add, "contents": cross_contents,
    "tenant": cross_tenant, "rename": cross_rename, "count_owners": cross_count_owners, "bump": cross_bump,
    "governed": cross_governed, "save_all": cross_save_all,
    "outlines": cross_outlines, "search": cross_search, "add_all": cross_add_all, "currents": cross_currents,
}  # fmt: skip


@pytest.mark.parametrize(("kind", "method"), METHODS)
async def test_a_method_neither_shows_nor_changes_what_is_anothers(store, snapshot_of, kind, method):
    async with store.begin(A) as unit:
        await fill(unit)
    before = await snapshot_of(store, A)
    async with store.begin(B) as unit:
        await CROSSINGS[method](unit, kind)
    async with store.system() as system:
        await CROSSINGS["get"](system.of(B), "workspaces") if method != "add" else None
    assert await snapshot_of(store, A) == before


def test_every_port_is_crossed():
    assert {method for _, method in METHODS} == set(CROSSINGS)
    assert len(METHODS) > 40


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("repos", repo(B, workspace_id=WorkspaceId("w"))),
        ("users", user(B, workspace_roles={WorkspaceId("w"): "READ"})),
        ("keys", key(B, place=place("w"))),
        ("keys", key(B, user_id=UserId("u"))),
        ("agents", agent(B, place=place("w", "r"))),
        ("agents", agent(B, policy_id=PolicyId("p"))),
    ],
)
async def test_a_reference_across_tenants_cannot_exist(store, kind, item):
    async with store.begin(A) as unit:
        await fill(unit)
    with pytest.raises(Conflict) as refused:
        async with store.begin(B) as unit:
            await getattr(unit.tenancy, kind).add(item)
    assert refused.value.reason == "unknown_reference"


async def test_a_transaction_of_no_tenant_holds_nothing(store):
    async with store.begin(A) as unit:
        await fill(unit)
    for nobody in ("", "*", "%", "tenant-a ", "TENANT-A", "tenant-a' OR '1'='1"):
        async with store.begin(nobody) as unit:
            assert (await unit.policies.list(PolicyFilter(include_deleted=True), ALL)).total == 0
            assert await every(unit.tenancy.workspaces.list) == []
            assert await unit.tenancy.agents.get(AgentId("bot")) is None
            assert (await unit.review.violations.list(ReviewFilter(from_ms=START), ALL)).total == 0
