import asyncio
from dataclasses import replace

import pytest

from bylaw.core.errors import NotFound
from bylaw.decisions.loading import LoadedSnapshots
from bylaw.decisions.snapshot import _REMEMBERED, Snapshots, build
from bylaw.policies.model import DeterministicRule
from tests.decisions.world import TENANT, World, place, policy


def broken(ident):
    """A stored policy whose rule no longer compiles."""
    current = policy(ident, "true")
    content = replace(current.version.content, rules=(DeterministicRule(id="r1", expr="true &&"),))
    return replace(current, version=replace(current.version, content=content, digest="sha256:broken"))


def test_an_older_state_does_not_replace_a_newer_one():
    snapshots = Snapshots()
    snapshots.publish(newer := build(World(policies=[policy("p", "true")]).material(5)))
    snapshots.publish(build(World().material(4)))
    assert snapshots.of(TENANT) is newer
    assert snapshots.revision(TENANT) == 5


def test_a_tenant_without_a_snapshot_has_no_revision():
    assert Snapshots().revision(TENANT) is None
    assert Snapshots().entries(TENANT) == {}


def test_decisions_under_way_keep_their_snapshot():
    snapshots = Snapshots()
    snapshots.publish(build(World(policies=[policy("p", "true")]).material(1)))
    before = snapshots.of(TENANT)
    snapshots.publish(build(World().material(2)))
    assert "p" in before.entries
    assert "p" not in snapshots.of(TENANT).entries


def test_what_cannot_apply_is_not_looked_at():
    policies = [policy(f"t{n}", "true", conditions={"tool_call.name": f"tool{n}"}) for n in range(100)]
    policies += [policy(f"w{n}", "true", where=place("w2")) for n in range(100)]
    policies += [policy(f"o{n}", "true", topic=f"topic {n}") for n in range(100)]
    snapshot = build(World(policies=policies).material())
    found = snapshot.tables[place()].find({"tool_call": {"name": "tool7"}}, ["topic 3"])
    assert [each.id for each in found] == ["t7", "o3"]


@pytest.mark.parametrize(
    ("fact", "found"), [(["x", {}, "b", "a"], ["p"]), ("b", ["p"]), (["x", None], []), ({}, ["p"])]
)
def test_a_list_of_facts_is_looked_up_by_each_of_its_items(fact, found):
    snapshot = build(World(policies=[policy("p", "true", conditions={"tags": ["a", "b"]})]).material())
    assert [each.id for each in snapshot.tables[place()].find({"tags": fact}, None)] == found


def test_however_many_agents_ask_only_so_many_are_remembered():
    snapshot = build(World(policies=[policy("p", "true")]).material())
    for number in range(_REMEMBERED + 1):
        snapshot.standing(f"agent-{number}", None, None)
    assert list(snapshot.standings) == [(f"agent-{_REMEMBERED}", None, None)]


async def test_a_snapshot_is_loaded_from_the_store(stored):
    snapshots = LoadedSnapshots()
    async with stored.begin(TENANT) as unit:
        await snapshots.load(unit, 7)
    snapshot = snapshots.of(TENANT)
    assert (snapshot.revision, list(snapshot.entries), set(snapshot.dormant)) == (7, ["on"], {"draft", "off"})
    assert snapshot.agents["bot"].policy_id == "on"
    assert snapshot.around(None, "r1") == (place(), place("w1"), place("w1", "r1"))
    assert snapshots.refused == {}


async def test_loading_what_does_not_compile_says_so_and_keeps_the_old(stored, caplog):
    snapshots = LoadedSnapshots()
    async with stored.begin(TENANT) as unit:
        await snapshots.load(unit, 7)
        bad = broken("bad")
        await unit.policies.add_all([bad])
        await snapshots.load(unit, 8)
        assert snapshots.revision(TENANT) == 7
        assert "policies[bad]" in snapshots.refused[TENANT]
        assert "refused" in caplog.text
        await unit.policies.save_all([(replace(bad.policy, is_active=False, revision=2), None)])
        await snapshots.load(unit, 9)
    assert (snapshots.revision(TENANT), snapshots.refused) == (9, {})


async def test_loading_again_compiles_only_what_is_new_or_stands_elsewhere(stored):
    snapshots = LoadedSnapshots()
    more = [policy(f"p{number}", "amount < 5") for number in range(3)]
    async with stored.begin(TENANT) as unit:
        await unit.policies.add_all(more)
        await snapshots.load(unit, 7)
        first = snapshots.of(TENANT)
        edited = policy("p1", "amount < 6", version=2)
        await unit.policies.save_all([(replace(edited.policy, revision=2), edited.version)])
        moved = replace(more[2].policy, place=place("w1"), revision=2)
        await unit.policies.save_all([(moved, None)])
        await unit.policies.save_all([(replace(more[0].policy, is_active=False, revision=2), None)])
        await snapshots.load(unit, 8)
    second = snapshots.of(TENANT)
    kept = {ident for ident in second.entries if second.entries[ident].policy is first.entries[ident].policy}
    assert (set(second.entries), kept) == ({"on", "p1", "p2"}, {"on"})
    assert second.entries["p1"].policy.version == 2
    assert set(second.dormant) == {"draft", "off", "p0"}
    assert [each.id for each in second.tables[place("w1")].find({}, None)] == ["p2"]


async def test_a_number_with_another_text_is_compiled_again(stored):
    snapshots = LoadedSnapshots()
    once = policy("p", "amount < 5")
    snapshots.publish(build(World(policies=[policy("p", "amount < 4")]).material(1)))
    async with stored.begin(TENANT) as unit:
        await unit.policies.add_all([once])
        await snapshots.load(unit, 7)
    assert snapshots.entries(TENANT)["p"].policy.digest == once.version.digest


async def test_others_have_their_turn_while_policies_are_compiled(stored):
    snapshots, turns = LoadedSnapshots(), 0

    async def take_turns():
        nonlocal turns
        while snapshots.revision(TENANT) is None:
            turns += 1
            await asyncio.sleep(0)

    async with stored.begin(TENANT) as unit:
        await unit.policies.add_all([policy(f"p{number}", "amount < 5") for number in range(200)])
        other = asyncio.create_task(take_turns())
        await snapshots.load(unit, 7)
        await other
    assert len(snapshots.entries(TENANT)) == 201
    assert turns > 200 // 32


def test_a_repo_whose_workspace_is_gone_is_no_place():
    snapshot = build(World(repos=(("w1", "r1"), ("gone", "r9"))).material())
    assert snapshot.around(None, "r1")[-1] == place("w1", "r1")
    with pytest.raises(NotFound):
        snapshot.around(None, "r9")
