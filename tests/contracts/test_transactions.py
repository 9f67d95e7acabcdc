"""What a transaction is on every store: all or nothing, one writer after another, readers unmoved."""

import asyncio
from dataclasses import replace

import pytest

from bylaw.core.clock import HOUR_MS
from bylaw.core.errors import Conflict, Forbidden, InvalidInput, PreconditionFailed
from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import MAX_LIMIT, Slice
from bylaw.jobs.model import NewJob, Step
from bylaw.policies.store import PolicyFilter
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
    content,
    conversation,
    correction,
    credential,
    current,
    delivery,
    evaluation,
    event,
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
    user,
    version,
    violation,
    webhook,
    workspace,
)

ALL = Slice(limit=100)


async def write_everything(unit):
    shop = workspace(unit.tenant_id)
    rules = policy(unit.tenant_id)
    await unit.tenancy.workspaces.add(shop)
    await unit.tenancy.repos.add(repo(unit.tenant_id, workspace_id=shop.id))
    person = user(unit.tenant_id, workspace_roles={shop.id: "READ"})
    await unit.tenancy.users.add(person)
    await unit.tenancy.credentials.add(credential(unit.tenant_id, id=person.id))
    await unit.tenancy.keys.add(key(unit.tenant_id))
    await unit.policies.add_all([current(rules)])
    await unit.corrections.add(correction(unit.tenant_id, policy_id=rules.id))
    await unit.tenancy.agents.get_or_add(agent(unit.tenant_id, policy_id=rules.id))
    await unit.review.violations.add([violation(unit.tenant_id)])
    await unit.review.alerts.add([alert(unit.tenant_id)])
    await unit.review.attention.add([attention(unit.tenant_id)])
    await unit.approvals.add([approval(unit.tenant_id)])
    await unit.remarks.add(remark(unit.tenant_id))
    await unit.tenancy.connections.add(connection(unit.tenant_id, workspace_id=shop.id))
    await unit.review.evaluations.add([evaluation(unit.tenant_id)])
    await unit.review.calls.add([model_call(unit.tenant_id)])
    await unit.review.statistics.outdate([START, START + 2 * HOUR_MS])
    await unit.review.statistics.tally(START, before_ms=START + HOUR_MS)
    await unit.events.add([event()])
    await unit.events.mark("ada", [1])
    await unit.conversations.add(conversation(unit.tenant_id, place=place(shop.id)))
    job = await unit.jobs.enqueue(NewJob(kind="mine"))
    await unit.jobs.add_step(job, Step(name="one", result={}, at_ms=START))
    await unit.jobs.put_schedule(schedule(unit.tenant_id))
    await unit.replies.add(reply())
    hook, told = webhook(unit.tenant_id), notice(unit.tenant_id)
    await unit.notify.webhooks.add(hook)
    await unit.notify.notices.add([told])
    await unit.notify.deliveries.add_all([delivery(unit.tenant_id, webhook_id=hook.id, notice_id=told.id)])
    await unit.learning.settings.add(learning_settings(unit.tenant_id, id=shop.id))
    reading = run(unit.tenant_id, place=place(shop.id))
    await unit.learning.runs.add(reading)
    await unit.learning.runs.save(replace(reading, report=report(), revision=2))
    await unit.outbox.add("key", {})
    await unit.changes.bump()


async def test_an_error_leaves_nothing_behind(store, snapshot_of):
    before = await snapshot_of(store)

    async def fail():
        async with store.begin(A) as unit:
            await write_everything(unit)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        await fail()
    assert await snapshot_of(store) == before


async def test_a_cancelled_transaction_leaves_nothing_and_holds_up_nobody(store, snapshot_of):
    before = await snapshot_of(store)
    reached, forever = asyncio.Event(), asyncio.Event()

    async def hang():
        async with store.begin(A) as unit:
            await write_everything(unit)
            reached.set()
            await forever.wait()

    task = asyncio.create_task(hang())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await snapshot_of(store) == before
    async with store.begin(A) as unit:
        await write_everything(unit)
    assert await snapshot_of(store) != before


async def test_concurrent_edits_of_one_revision_have_one_winner(store):
    shop, rules = workspace(), policy()
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        await unit.policies.add_all([current(rules)])

    async def edit(n):
        async with store.begin(A) as unit:
            read = await unit.policies.get(rules.id)
            assert read is not None
            said = version(rules.id, 2, content=content(name=f"edit {n}"))
            await unit.policies.save_all([(replace(rules, latest=2, approved=2, revision=2), said)])
            await unit.tenancy.workspaces.save(replace(shop, name=f"edit {n}", revision=2))
        return f"edit {n}"

    results = await asyncio.gather(*(edit(n) for n in range(8)), return_exceptions=True)
    winners = [each for each in results if isinstance(each, str)]
    assert len(winners) == 1
    assert all(isinstance(each, PreconditionFailed) for each in results if not isinstance(each, str))
    async with store.begin(A) as unit:
        (item,) = (await unit.policies.list(PolicyFilter(), ALL)).items
        assert (item.version.content.name, item.policy.revision) == (winners[0], 2)
        assert (await unit.tenancy.workspaces.get(shop.id)).name == winners[0]


async def test_what_a_writer_has_read_holds_until_it_ends(store):
    owners = [user(org_role="OWNER") for _ in range(6)]
    async with store.begin(A) as unit:
        for each in owners:
            await unit.tenancy.users.add(each)

    async def step_down(person):
        async with store.begin(A) as unit:
            if await unit.tenancy.users.count_owners() > 1:
                await asyncio.sleep(0)
                await unit.tenancy.users.save(replace(person, org_role="USER", revision=2))

    await asyncio.gather(*(step_down(each) for each in owners))
    async with store.begin(A) as unit:
        assert await unit.tenancy.users.count_owners() == 1


async def test_an_agent_seen_by_many_at_once_is_one_agent(store):
    async def see(n):
        async with store.begin(A) as unit:
            return await unit.tenancy.agents.get_or_add(agent(id="bot", name=f"seen {n}"))

    seen = await asyncio.gather(*(see(n) for n in range(8)))
    assert len(set(seen)) == 1


async def test_readers_see_one_state_and_wait_for_no_writer(store):
    first, second = workspace(), workspace()
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(first)
    async with store.begin(A) as writer:
        await writer.tenancy.workspaces.add(second)
        async with store.begin(A, writes=False) as reader, store.system(writes=False) as operator:
            assert await every(reader.tenancy.workspaces.list) == [first]
            assert len(await every(operator.of(A).tenancy.workspaces.list)) == 1
    async with store.begin(A, writes=False) as reader:
        assert await reader.tenancy.workspaces.get(second.id) == second
        async with store.begin(A) as writer:
            await writer.tenancy.workspaces.save(replace(second, name="moved", revision=2))
        assert await reader.tenancy.workspaces.get(second.id) == second
        assert len(await every(reader.tenancy.workspaces.list)) == 2
    async with store.begin(A, writes=False) as reader:
        assert (await reader.tenancy.workspaces.get(second.id)).name == "moved"


async def test_a_transaction_for_reading_refuses_to_write(store):
    shop = workspace()
    for attempt in (
        lambda unit: unit.tenancy.workspaces.add(shop),
        lambda unit: unit.tenancy.workspaces.save(replace(shop, revision=2)),
        lambda unit: unit.changes.bump(),
        lambda unit: unit.outbox.add("key", {}),
        lambda unit: unit.replies.add(reply()),
        lambda unit: unit.review.alerts.add([alert()]),
    ):
        async with store.begin(A, writes=False) as unit:
            with pytest.raises((Forbidden, PreconditionFailed)):
                await attempt(unit)
    async with store.begin(A, writes=False) as unit:
        assert await every(unit.tenancy.workspaces.list) == []


async def test_writers_of_two_tenants_and_many_readers_all_come_through(store):
    async def write(tenant_id):
        async with store.begin(tenant_id) as unit:
            await write_everything(unit)

    async def read(tenant_id):
        async with store.begin(tenant_id, writes=False) as unit:
            await unit.policies.list(PolicyFilter(), ALL)

    work = [write(tenant_id) for tenant_id in (A, B) * 2] + [read(A) for _ in range(20)]
    for done in await asyncio.gather(*work, return_exceptions=True):
        assert done is None or isinstance(done, Conflict)


async def test_a_page_has_at_least_one_item_and_a_cursor_of_its_list(store):
    async with store.begin(A) as unit:
        for n in range(3):
            rules = policy(created_ms=START + n)
            await unit.policies.add_all([current(rules)])
        first = await unit.policies.versions(rules.id, Slice(limit=MAX_LIMIT))
        assert first.next_cursor is None
        foreign = (await unit.policies.list(PolicyFilter(), Slice(limit=1))).next_cursor
        for part in (
            Slice(limit=0),
            Slice(limit=-1),
            Slice(offset=-1),
            Slice(cursor="nonsense"),
            Slice(cursor=foreign),
        ):
            with pytest.raises(InvalidInput):
                await unit.policies.versions(rules.id, part)
        with pytest.raises(InvalidInput):
            await unit.tenancy.workspaces.list(Slice(cursor="WyJhIiwiYiJd"))


async def test_an_emptied_workspace_is_deleted_and_its_history_stays(store):
    shop = workspace()
    rules = policy(place=replace(policy().place, workspace_id=shop.id))
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        await unit.policies.add_all([current(rules)])
        await unit.policies.save_all([(replace(rules, deleted_ms=START, revision=2), None)])
        assert await unit.tenancy.contents(rules.place) == {}
        await unit.tenancy.workspaces.save(replace(shop, deleted_ms=START, revision=2))
    async with store.begin(A) as unit:
        assert await every(unit.tenancy.workspaces.list) == []
        assert (await unit.policies.version(rules.id, 1)).content == content()
        assert (await unit.policies.list(PolicyFilter(include_deleted=True), ALL)).items[
            0
        ].policy.id == rules.id


HOSTILE = {
    "ordinary": "Zürich \u202e \U0001f600 e\u0301",
    "nul": "a\0b",
    "surrogate": "a\ud800",
    "other half": "\udc00",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
async def test_text_is_kept_as_it_is_or_refused_before_anything_is_stored(store, name):
    text = HOSTILE[name]
    async with store.begin(A) as unit:
        attempts = [
            (unit.tenancy.workspaces.add, (workspace(name=text),)),
            (unit.tenancy.users.add, (user(email=text),)),
            (unit.tenancy.agents.add, (agent(id=text),)),
            (unit.tenancy.agents.get_or_add, (agent(id=text + "2"),)),
            (unit.tenancy.keys.add, (key(name=text),)),
            (unit.outbox.add, (text, {})),
            (unit.replies.add, (reply(key=text),)),
        ]
        rules = policy(slug=text)
        if name == "ordinary":
            attempts.append((unit.policies.add_all, ([current(rules, content=content(name=text))],)))
        for attempt, arguments in attempts:
            if name == "ordinary":
                await attempt(*arguments)
            else:
                with pytest.raises(InvalidInput) as refused:
                    await attempt(*arguments)
                assert refused.value.problems
                with pytest.raises(InvalidInput):
                    await unit.tenancy.workspaces.get(WorkspaceId(text))
        await unit.tenancy.workspaces.add(workspace(name="after"))
    async with store.begin(A, writes=False) as unit:
        names = {each.name for each in await every(unit.tenancy.workspaces.list)}
        assert names == ({"after", text} if name == "ordinary" else {"after"})
        assert (await unit.tenancy.agents.get("agent-none")) is None


async def test_values_of_any_size_are_kept_or_refused(store):
    huge = "x" * 3_000_000
    async with store.begin(A) as unit:
        shop = workspace(name=huge, context_schema={"deep": [huge, 2**200, -1.5e-300]})
        await unit.tenancy.workspaces.add(shop)
        assert await unit.tenancy.workspaces.get(shop.id) == shop
        longest = agent(id="é" * 512)
        await unit.tenancy.agents.add(longest)
        assert await unit.tenancy.agents.get(longest.id) == longest
        for late in (agent(id="é" * 513), agent(created_ms=2**63), agent(id="a" * 1025)):
            with pytest.raises(InvalidInput):
                await unit.tenancy.agents.add(late)
        for schema in ({"nan": float("nan")}, {"infinite": float("inf")}):
            with pytest.raises(InvalidInput):
                await unit.tenancy.workspaces.add(workspace(context_schema=schema))
        oldest = agent(created_ms=-(2**63))
        await unit.tenancy.agents.add(oldest)
        assert (await unit.tenancy.agents.list(ALL)).items == (longest, oldest)
