"""No method of any store shows or changes what another tenant holds.

The list of methods comes from the unit of work itself, port by port: a port that nobody filled here, and a
method without a crossing, fail.
"""

from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple, get_type_hints

import numpy as np
import pytest

from bylaw.api.ports import Unit
from bylaw.approvals.store import ApprovalFilter
from bylaw.core.clock import DAY_MS, HOUR_MS
from bylaw.core.errors import Conflict, Forbidden, PreconditionFailed
from bylaw.core.ids import AgentId, ConnectionId, KeyId, PolicyId, RepoId, TenantId, UserId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.jobs.model import JobId, NewJob, Step
from bylaw.jobs.store import JobFilter
from bylaw.learning.model import ConversationId
from bylaw.learning.report import Choices, RunId
from bylaw.learning.store import ConversationFilter
from bylaw.notify.model import DeliveryId, NoticeId, WebhookId
from bylaw.notify.store import DeliveryFilter
from bylaw.policies.searching import words_of
from bylaw.policies.store import PolicyFilter
from bylaw.review.events import EventFilter
from bylaw.review.store import AttentionFilter, ReviewFilter, TallyFilter, Used
from bylaw.search.store import CorrectionFilter, CorrectionId, Meaning
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.tenancy.model import EVERYWHERE
from bylaw.tenancy.store import SessionFilter
from tests.contracts.lists import every
from tests.contracts.values import (
    START,
    A,
    B,
    agent,
    alert,
    approval,
    attention,
    connection,
    conversation,
    correction,
    credential,
    current,
    delivery,
    evaluation,
    event,
    job,
    key,
    learning_settings,
    model_call,
    notice,
    place,
    policy,
    remark,
    reply,
    repo,
    report,
    run,
    schedule,
    session,
    tenant,
    user,
    version,
    violation,
    webhook,
    workspace,
)

ALL = Slice(limit=100, total=True)
OURS = {
    "workspaces": workspace(id=WorkspaceId("w")),
    "repos": repo(id=RepoId("r"), workspace_id=WorkspaceId("w")),
    "users": user(id=UserId("u"), email="ada@example.org", org_role="OWNER", workspace_roles={"w": "ADMIN"}),
    "keys": key(id=KeyId("k"), sha256="hash", place=place("w")),
    "credentials": credential(id=UserId("u"), password_hash="hash", invitation="invitation"),
    "connections": connection(id=ConnectionId("cn"), name="models", workspace_id=WorkspaceId("w")),
    "agents": agent(id=AgentId("bot"), policy_id=PolicyId("p"), place=place("w", "r")),
    "policies": policy(id=PolicyId("p"), slug="cap", place=place("w")),
    "corrections": correction(id=CorrectionId("co"), policy_id=PolicyId("p"), workspace_id=WorkspaceId("w")),
    "violations": violation(id="v"),
    "alerts": alert(id="al"),
    "attention": attention(id="at"),
    "evaluations": evaluation(id="ev"),
    "calls": model_call(id="mc", connection_id="cn"),
    "approvals": approval(id="ap"),
    "remarks": remark(id="re"),
    "conversations": conversation(id=ConversationId("c"), place=place("w")),
    "settings": learning_settings(id=WorkspaceId("w"), choices=Choices(keep_days=7)),
    "runs": run(id=RunId("run"), place=place("w"), report=report(), revision=2),
    "events": event(entry_id="e"),
    "webhooks": webhook(id=WebhookId("wh"), workspace_id=WorkspaceId("w")),
    "notices": notice(id=NoticeId("n")),
    "deliveries": delivery(id=DeliveryId("d"), webhook_id=WebhookId("wh"), notice_id=NoticeId("n")),
    "jobs": job(id=JobId("j"), dedupe="key", status="running", revision=2),
}
RECURS = schedule()
LEFT = {"violations", "alerts", "attention", "evaluations", "calls", "approvals"}  # each with its occasion
COUNTED = TallyFilter(from_ms=START, to_ms=START + DAY_MS, only={})


def meaning_of(digest):
    return Meaning(digest=digest, about=np.ones(2, dtype=np.float32), procedure=None)


def ports(unit, path=""):
    """Every port that `unit` leads to, by the way there."""
    for name in attributes(unit):
        getter = getattr(unit, name)
        kind = get_type_hints(getter.fget)["return"] if isinstance(getter, property) else None
        if getattr(kind, "_is_protocol", False):
            yield path + name, kind
            yield from ports(kind, f"{path}{name}.")


def attributes(port):
    """What a port declares, itself and by what it inherits."""
    names = {name for base in port.__mro__ if base.__module__.startswith("bylaw") for name in vars(base)}
    return sorted(name for name in names if not name.startswith("_"))


METHODS = {
    path: [method for method in attributes(port) if not isinstance(getattr(port, method), property)]
    for path, port in ports(Unit)
}


async def fill(unit):
    """What tenant A holds: of one hour the sums are made, of another they are outdated."""
    tenancy, statistics = unit.tenancy, unit.review.statistics
    await tenancy.workspaces.add(OURS["workspaces"])
    await tenancy.repos.add(OURS["repos"])
    await tenancy.users.add(OURS["users"])
    await tenancy.keys.add(OURS["keys"])
    await tenancy.keys.add(session(user_id=UserId("u"), made_from=KeyId("k")))
    await tenancy.credentials.add(OURS["credentials"])
    await tenancy.connections.add(OURS["connections"])
    await unit.policies.add_all([current(OURS["policies"])])
    await unit.vectors.keep("model", [meaning_of(current(OURS["policies"]).version.digest)])
    await unit.corrections.add(OURS["corrections"])
    if (compared := await unit.vectors.compared()) is not None:
        assert await compared.take("model", limit=9) == 1
    await tenancy.agents.add(OURS["agents"])
    await statistics.outdate([START, START + HOUR_MS])
    for kind in ("violations", "alerts", "attention", "evaluations", "calls"):
        await getattr(unit.review, kind).add([OURS[kind]])
    await statistics.tally(START, before_ms=START + HOUR_MS)
    await unit.approvals.add([OURS["approvals"]])
    await unit.remarks.add(OURS["remarks"])
    await unit.conversations.add(OURS["conversations"])
    await unit.learning.settings.add(OURS["settings"])
    await unit.conversations.add(conversation(id="gone", deleted_ms=START, forgotten_ms=START))
    await unit.learning.runs.add(replace(OURS["runs"], report=None, revision=1))
    await unit.learning.runs.save(OURS["runs"])
    await unit.events.add([OURS["events"], event(entry_id="f")])
    await unit.events.mark("ada", [1])
    await unit.jobs.add(OURS["jobs"])
    await unit.jobs.add(job(status="done", ended_ms=START))
    await unit.jobs.add(job())
    await unit.jobs.add_step(JobId("j"), Step(name="one", result={}, at_ms=START))
    await unit.jobs.put_schedule(RECURS)
    await unit.notify.webhooks.add(OURS["webhooks"])
    await unit.notify.notices.add([OURS["notices"]])
    await unit.notify.deliveries.add_all([OURS["deliveries"]])
    await unit.outbox.add("key", {})
    await unit.replies.add(reply(caller="c", key="i"))
    await unit.changes.bump()


class At(NamedTuple):
    """Where a method is tried: a port of another tenant's unit, by its last name."""

    unit: Unit
    port: object
    kind: str


def at(unit, path):
    return At(unit, attrgetter(path)(unit), path.rpartition(".")[2])


async def cross_get(at):
    if at.kind == "replies":
        assert await at.port.get("c", "i", since_ms=0) is None
    else:
        assert await at.port.get(OURS[at.kind].id) is None


async def cross_add(at):
    """Ours in their name is refused; the same id is theirs to use, and then theirs alone."""
    if at.kind == "outbox":
        await at.port.add("key", {})
    elif at.kind == "replies":
        await at.port.add(reply(caller="c", key="i", digest="theirs"))
        assert (await at.port.get("c", "i", since_ms=0)).digest == "theirs"
    elif at.kind == "notices":
        with pytest.raises(Forbidden):
            await at.port.add([OURS[at.kind]])
        assert len(await at.port.add([replace(OURS[at.kind], tenant_id=at.unit.tenant_id)])) == 1
    elif at.kind == "events":
        await at.port.add([OURS[at.kind]])
        assert [
            seen.event.number for seen in (await at.port.list(EventFilter(), ALL, reader="ada")).items
        ] == [1]
    elif at.kind in LEFT:
        with pytest.raises(Forbidden):
            await at.port.add([OURS[at.kind]])
        await at.port.add([replace(OURS[at.kind], occasion=violation(at.unit.tenant_id).occasion)])
    elif at.kind == "remarks":
        with pytest.raises(Forbidden):
            await at.port.add(OURS[at.kind])
        await at.port.add(replace(OURS[at.kind], tenant_id=at.unit.tenant_id, text="theirs"))
        assert [each.text for each in (await at.port.list("att-1", ALL)).items] == ["theirs"]
    else:
        await cross_add_plain(at)


async def cross_add_plain(at):
    with pytest.raises(Forbidden):
        await at.port.add(OURS[at.kind])
    own = WorkspaceId("own")
    free = {
        "workspaces": {}, "repos": {"workspace_id": own}, "users": {"workspace_roles": {}},
        "keys": {"place": EVERYWHERE, "sha256": at.unit.tenant_id}, "connections": {"workspace_id": own},
        "agents": {"policy_id": None, "place": EVERYWHERE}, "conversations": {"place": place(own)},
        "webhooks": {"workspace_id": own}, "corrections": {"workspace_id": own, "policy_id": None},
        "settings": {"id": own}, "runs": {"place": place(own)}, "credentials": {"invitation": None},
    }[at.kind]  # fmt: skip
    await at.unit.tenancy.workspaces.add(workspace(at.unit.tenant_id, id=own))
    if at.kind == "credentials":
        await at.unit.tenancy.users.add(user(at.unit.tenant_id, id=UserId("u")))
    theirs = replace(OURS[at.kind], tenant_id=at.unit.tenant_id, **free)
    await at.port.add(theirs)
    assert await at.port.get(theirs.id) == theirs


async def cross_save(at):
    ours = OURS[at.kind]
    with pytest.raises(Forbidden):
        await at.port.save(replace(ours, revision=2))
    if at.kind in LEFT:
        theirs = replace(ours, occasion=violation(at.unit.tenant_id).occasion, revision=2)
    else:
        theirs = replace(ours, tenant_id=at.unit.tenant_id, revision=2)
    with pytest.raises(PreconditionFailed) as refused:
        await at.port.save(theirs)
    assert refused.value.current == ""


async def cross_list(at):
    filters = {
        "policies": (
            PolicyFilter(include_deleted=True),
            PolicyFilter(or_policy=PolicyId("p"), place=place("w")),
        ),
        "violations": (ReviewFilter(),), "alerts": (ReviewFilter(), ReviewFilter(within=(EVERYWHERE,))),
        "conversations": (ConversationFilter(), ConversationFilter(has_attention=False),
                          ConversationFilter(deleted=True, reader="", open_in=(EVERYWHERE,))),
        "attention": (AttentionFilter(),), "approvals": (ApprovalFilter(),),
        "runs": ((EVERYWHERE,), (place("w"),)),
        "corrections": (CorrectionFilter(), CorrectionFilter(policy_ids=frozenset({PolicyId("p")}))),
        "deliveries": (DeliveryFilter(webhook_id=WebhookId("wh")),),
        "events": (EventFilter(), EventFilter(unread=True), EventFilter(visible=("ada", frozenset({"w"})))),
        "jobs": (JobFilter(), JobFilter(kind="mine"), JobFilter(status="running")),
    }  # fmt: skip
    options = {
        "workspaces": ({"only": frozenset({"w"})},), "repos": ({"only": frozenset({"w"})},),
        "users": ({"workspace_id": "w"},), "keys": ({"within": EVERYWHERE}, {"within": place("w")}),
        "connections": ({"only": frozenset({"w"})},), "webhooks": ({"only": frozenset({"w"})},),
        "agents": ({"policy_id": "p"}, {"readable": (EVERYWHERE,)}),
    }  # fmt: skip
    if at.kind == "remarks":
        pages = [await at.port.list("att-1", ALL)]
    elif at.kind in filters:
        reader = {"reader": "ada"} if at.kind == "events" else {}
        pages = [await at.port.list(where, ALL, **reader) for where in filters[at.kind]]
    else:
        pages = [await at.port.list(ALL, **how) for how in ({}, *options[at.kind])]
    assert all((page.items, page.total) == ((), 0) for page in pages)


async def cross_comments(at):
    assert await at.port.comments(["att-1"]) == {}


async def cross_erase(at):
    await at.port.erase("rcpt-1")


async def cross_sessions(at):
    for where in (SessionFilter(after_ms=START), SessionFilter(user_id=UserId("u"), after_ms=0),
                  SessionFilter(made_from=KeyId("k"), after_ms=0)):  # fmt: skip
        assert (await at.port.sessions(ALL, where)).total == 0


async def cross_mark(at):
    """The number of ours is unknown there, and theirs may be the same."""
    if at.kind == "webhooks":
        await at.port.mark(WebhookId("wh"), failing_since_ms=START)
        return
    await at.port.mark("ada", [1, 2])
    await at.port.add([event(entry_id="e"), event(entry_id="g")])
    assert (await at.port.list(EventFilter(unread=True), ALL, reader="ada")).total == 2
    await at.port.mark("ada", [2])
    assert (await at.port.list(EventFilter(unread=True), ALL, reader="ada")).total == 1


async def cross_unmark(at):
    await at.port.unmark("ada", [1, 2])


async def cross_used(at):
    assert await at.port.used("cn") == Used()


async def cross_series(at):
    assert await at.port.series(COUNTED, bucket_ms=HOUR_MS) == {}
    assert await at.port.series(replace(COUNTED, within=(EVERYWHERE,)), bucket_ms=DAY_MS) == {}


async def cross_series_of(at):
    found = await at.port.series_of(COUNTED, "policy", ["pol-1"], bucket_ms=HOUR_MS)
    assert not any(found.values())


async def cross_totals(at):
    found = await at.port.totals(COUNTED, "policy", limit=10)
    assert (found.items, found.total) == ((), 0)


async def cross_outdate(at):
    await at.port.outdate([START, START + HOUR_MS])


async def cross_tally(at):
    """Their hours are summed up, and ours are not in the sums."""
    await at.port.outdate([START, START + HOUR_MS])
    await at.port.tally(START, before_ms=START + DAY_MS)
    assert await at.port.series(COUNTED, bucket_ms=HOUR_MS) == {}


async def cross_search(at):
    page = await at.unit.policies.search(words_of("refund"), PolicyFilter(include_deleted=True), ALL)
    assert (page.items, page.total) == ((), 0)


async def cross_last_spelled(at):
    assert await at.unit.policies.last_spelled() == 0


async def cross_spelled_after(at):
    assert list(await at.unit.policies.spelled_after(0, limit=9)) == []


async def cross_topics(at):
    assert list(await at.unit.policies.topics(PolicyFilter(include_deleted=True))) == []


async def cross_packs(at):
    assert await at.unit.policies.packs(PolicyFilter(include_deleted=True)) == {}


async def cross_waiting(at):
    if at.kind == "jobs":
        assert await at.port.waiting("", most=9) == 0
    else:
        assert await at.port.waiting("model") == 0


async def cross_forgotten(at):
    assert await at.port.forgotten(["c", "gone"]) == frozenset()


async def cross_keeping(at):
    assert await at.port.keeping() == []


async def cross_unfinished(at):
    assert await at.port.unfinished(place("w")) == []


async def cross_drawing_on(at):
    assert await at.port.drawing_on(ConversationId("c")) == []


async def cross_newest(at):
    assert await at.port.newest() == 0


async def cross_has_unembedded(at):
    assert not await at.port.has_unembedded()


async def cross_unembedded(at):
    assert list(await at.port.unembedded("model", limit=9)) == []


async def cross_remove(at):
    """Of ours nothing goes, and what it means stays."""
    await at.port.remove([CorrectionId("co")])


async def cross_keep(at):
    """What we say cannot be told in their name; the same content is theirs to tell."""
    ours = current(OURS["policies"]).version
    await at.port.keep("theirs", [meaning_of(ours.digest)])
    assert list(await at.port.after("theirs", 0, limit=9)) == []
    theirs = policy(at.unit.tenant_id, id=PolicyId("p"))
    await at.unit.policies.add_all([current(theirs, content=ours.content)])
    await at.port.keep("theirs", [meaning_of(ours.digest)])
    assert [each.number for each in await at.port.after("theirs", 0, limit=9)] == [1]


async def cross_compared(at):
    """Ours are neither found nor counted where the database compares them, nor taken over for them."""
    compared = await at.port.compared()
    if compared is not None:
        assert not await compared.is_whole("model")
        assert (await compared.told("model"), await compared.take("model", limit=9)) == (0, 0)
        assert await compared.nearest("model", np.ones(2, dtype=np.float32), 9) == {}


async def cross_after(at):
    assert list(await at.port.after("model", 0, limit=9)) == []


async def cross_version(at):
    assert await at.unit.policies.version(PolicyId("p"), 1) is None


async def cross_versions(at):
    assert (await at.unit.policies.versions(PolicyId("p"), ALL)).total == 0


async def cross_listening(at):
    assert list(await at.port.listening()) == []


async def cross_since(at):
    assert (await at.port.since(0, ALL)).total == 0


async def cross_add_all(at):
    """One of ours among theirs is refused with them; the same id is theirs to use."""
    if at.kind == "deliveries":
        with pytest.raises(Forbidden):
            await at.port.add_all([OURS[at.kind]])
        return
    theirs = current(policy(at.unit.tenant_id, id=PolicyId("p"), slug="cap"))
    with pytest.raises(Forbidden):
        await at.unit.policies.add_all([current(OURS["policies"]), theirs])
    await at.unit.policies.add_all([theirs])
    assert await at.unit.policies.get(PolicyId("p")) == theirs.policy


async def cross_save_all(at):
    """Ours are refused; the same id among theirs is not there to be changed."""
    with pytest.raises(Forbidden):
        await at.unit.policies.save_all([(replace(OURS["policies"], revision=2), None)])
    theirs = policy(at.unit.tenant_id, id=PolicyId("p"), slug="cap", revision=2)
    with pytest.raises(PreconditionFailed) as refused:
        await at.unit.policies.save_all([(theirs, version(PolicyId("p"), 2))])
    assert refused.value.current == ""


async def cross_currents(at):
    assert list(await at.unit.policies.currents([PolicyId("p")])) == []


async def cross_places(at):
    assert dict(await at.unit.policies.places([PolicyId("p")])) == {}


async def cross_outlines(at):
    assert (await at.unit.policies.outlines(ALL)).total == 0


async def cross_governed(at):
    assert (await at.port.governed(ALL)).total == 0


async def cross_get_or_add(at):
    with pytest.raises(Forbidden):
        await at.unit.tenancy.agents.get_or_add(OURS["agents"])
    theirs = agent(at.unit.tenant_id, id=AgentId("bot"))
    assert await at.unit.tenancy.agents.get_or_add(theirs) == theirs


async def cross_contents(at):
    assert await at.unit.tenancy.contents(EVERYWHERE) == {}
    assert await at.unit.tenancy.contents(place("w")) == {}


async def cross_tenant(at):
    assert (await at.unit.tenancy.tenant()).id == at.unit.tenant_id


async def cross_rename(at):
    await at.unit.tenancy.rename("Theirs")
    assert (await at.unit.tenancy.tenant()).name == "Theirs"


async def cross_count_owners(at):
    assert await at.unit.tenancy.users.count_owners() == 0


async def cross_bump(at):
    assert await at.unit.changes.bump() == 1


async def cross_enqueue(at):
    """Work of ours under the same key is not theirs."""
    ident = await at.port.enqueue(NewJob(kind="mine", dedupe="key"))
    assert (await at.port.get(ident)).status == "waiting"


async def cross_enqueue_all(at):
    assert len(set(await at.port.enqueue_all([NewJob(kind="mine"), NewJob(kind="mine", dedupe="key")]))) == 2


async def cross_live(at):
    assert await at.port.live("mine", "key") is None


async def cross_steps(at):
    assert await at.port.steps(JobId("j")) == []


async def cross_add_step(at):
    await at.port.enqueue(NewJob(kind="mine"))
    job = (await at.port.list(JobFilter(), ALL)).items[0]
    await at.port.add_step(job.id, Step(name="one", result={"whose": "theirs"}, at_ms=START))
    assert [step.result for step in await at.port.steps(job.id)] == [{"whose": "theirs"}]


async def cross_drop_steps(at):
    await at.port.drop_steps(JobId("j"))


async def cross_hold(at):
    assert not await at.port.hold(OURS["jobs"], until_ms=START + 1, progress=(1, 2))


async def cross_schedules(at):
    assert await at.port.schedules() == []


async def cross_put_schedule(at):
    with pytest.raises(Forbidden):
        await at.port.put_schedule(RECURS)
    theirs = replace(RECURS, tenant_id=at.unit.tenant_id, cron="* * * * *")
    await at.port.put_schedule(theirs)
    assert await at.port.schedules() == [theirs]


async def cross_forget(at):
    """Ours ended, or happened, before then; none of it is theirs to forget."""
    if at.kind == "jobs":
        assert await at.port.forget(frozenset({"done"}), before_ms=START + DAY_MS, limit=9) == 0
    else:
        assert await at.port.forget(before_ms=START + DAY_MS, limit=9) == 0


CROSSINGS = {
    "compared": cross_compared,
    "get": cross_get, "add": cross_add, "save": cross_save, "list": cross_list, "version": cross_version,
    "versions": cross_versions, "get_or_add": cross_get_or_add, "contents": cross_contents,
    "tenant": cross_tenant, "rename": cross_rename, "count_owners": cross_count_owners, "bump": cross_bump,
    "governed": cross_governed, "save_all": cross_save_all,
    "outlines": cross_outlines, "search": cross_search, "add_all": cross_add_all, "currents": cross_currents,
    "places": cross_places, "topics": cross_topics, "packs": cross_packs,
    "last_spelled": cross_last_spelled, "spelled_after": cross_spelled_after,
    "waiting": cross_waiting, "newest": cross_newest,
    "forgotten": cross_forgotten, "keeping": cross_keeping, "unfinished": cross_unfinished,
    "drawing_on": cross_drawing_on,
    "has_unembedded": cross_has_unembedded, "unembedded": cross_unembedded,
    "keep": cross_keep, "after": cross_after,
    "mark": cross_mark, "unmark": cross_unmark, "used": cross_used, "series": cross_series,
    "series_of": cross_series_of,
    "enqueue": cross_enqueue, "enqueue_all": cross_enqueue_all, "live": cross_live, "steps": cross_steps,
    "add_step": cross_add_step, "drop_steps": cross_drop_steps, "hold": cross_hold,
    "schedules": cross_schedules, "put_schedule": cross_put_schedule,
    "forget": cross_forget, "remove": cross_remove,
    "sessions": cross_sessions, "comments": cross_comments, "erase": cross_erase,
    "totals": cross_totals, "outdate": cross_outdate, "tally": cross_tally,
    "listening": cross_listening, "since": cross_since,
}  # fmt: skip


@pytest.mark.parametrize("path", METHODS)
async def test_a_port_neither_shows_nor_changes_what_is_anothers(store, snapshot_of, path):
    async with store.begin(A) as unit:
        await fill(unit)
    before = await snapshot_of(store, A)
    for method in METHODS[path]:
        theirs, another = TenantId(f"by {method}"), TenantId(f"by {method} of the system")
        async with store.system() as system:
            await system.add_tenant(tenant(theirs))
        async with store.begin(theirs) as unit:
            await CROSSINGS[method](at(unit, path))
        async with store.system() as system:
            await system.add_tenant(tenant(another))
            await CROSSINGS[method](at(system.of(another), path))
    assert await snapshot_of(store, A) == before


def test_every_port_of_the_unit_is_crossed():
    assert {method for methods in METHODS.values() for method in methods} == set(CROSSINGS)
    assert set(METHODS) >= {"tenancy", "tenancy.agents", "review.statistics", "events"}


async def test_each_table_of_tenants_holds_something_of_ours(store, snapshot_of):
    async with store.begin(A) as unit:
        await fill(unit)
    held = await snapshot_of(store, A)
    empty = {"known_logs", "progress"}  # the operator's
    if isinstance(store, MemoryControlStore):
        empty |= {"tallies", "vocabulary", "words"}  # it keeps no sums and no index beside the rows
    assert {name for name in held if not held[name]} == empty


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
