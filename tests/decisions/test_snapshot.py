from dataclasses import replace

import pytest

from bylaw.core.errors import InvalidInput, NotFound
from bylaw.decisions.loading import LoadedSnapshots
from bylaw.decisions.snapshot import Snapshots, build
from bylaw.policies.model import DeterministicRule
from tests.decisions.world import TENANT, World, place, policy


def broken(ident):
    """A stored policy whose rule no longer compiles."""
    current = policy(ident, "true")
    content = replace(current.version.content, rules=(DeterministicRule(id="r1", expr="true &&"),))
    return replace(current, version=replace(current.version, content=content, digest="sha256:broken"))


def test_a_policy_that_does_not_compile_is_refused_and_the_last_snapshot_serves_on():
    snapshots = Snapshots()
    first = snapshots.publish(World(policies=[policy("p", "true")]).material(1))
    with pytest.raises(InvalidInput) as refused:
        snapshots.publish(World(policies=[policy("p", "true"), broken("q")]).material(2))
    assert refused.value.problems[0].path == "policies[q].rules[0].expr"
    assert snapshots.of(TENANT) is first
    assert snapshots.revision(TENANT) == 1


def test_publishing_again_compiles_only_what_changed():
    policies = [policy(f"p{number}", "amount < 5") for number in range(3)]
    first = build(World(policies=policies).material(1))
    policies[1] = policy("p1", "amount < 6", version=2)
    second = build(World(policies=policies).material(2), first)
    kept = [first.entries[ident].policy is second.entries[ident].policy for ident in ("p0", "p1", "p2")]
    assert kept == [True, False, True]


def test_a_policy_that_moves_keeps_its_compiled_version():
    first = build(World(policies=[policy("p", "true")]).material(1))
    second = build(World(policies=[policy("p", "true", where=place("w1"))]).material(2), first)
    assert first.entries["p"].policy is second.entries["p"].policy
    assert list(second.tables[place("w1")].find({}, None))
    assert list(second.tables) == [place("w1")]


def test_an_older_state_does_not_replace_a_newer_one():
    snapshots = Snapshots()
    newer = snapshots.publish(World(policies=[policy("p", "true")]).material(5))
    assert snapshots.publish(World().material(4)) is newer
    assert snapshots.revision(TENANT) == 5


def test_a_tenant_without_a_snapshot_has_no_revision():
    assert Snapshots().revision(TENANT) is None


def test_decisions_under_way_keep_their_snapshot():
    snapshots = Snapshots()
    before = snapshots.publish(World(policies=[policy("p", "true")]).material(1))
    snapshots.publish(World().material(2))
    assert "p" in before.entries


def test_what_cannot_apply_is_not_looked_at():
    policies = [policy(f"t{n}", "true", conditions={"tool_call.name": f"tool{n}"}) for n in range(100)]
    policies += [policy(f"w{n}", "true", where=place("w2")) for n in range(100)]
    policies += [policy(f"o{n}", "true", topic=f"topic {n}") for n in range(100)]
    snapshot = build(World(policies=policies).material())
    found = snapshot.tables[place()].find({"tool_call": {"name": "tool7"}}, ["topic 3"])
    assert [each.id for each in found] == ["t7", "o3"]


async def test_a_snapshot_is_loaded_from_the_store(stored):
    snapshots = LoadedSnapshots()
    async with stored.begin(TENANT) as unit:
        await snapshots.load(unit, 7)
    snapshot = snapshots.of(TENANT)
    assert (snapshot.revision, list(snapshot.entries), snapshot.dormant) == (7, ["on"], {"draft", "off"})
    assert snapshot.agents["bot"].policy_id == "on"
    assert snapshot.around(None, "r1") == (place(), place("w1"), place("w1", "r1"))
    assert snapshots.refused == {}


async def test_loading_what_does_not_compile_says_so_and_keeps_the_old(stored, caplog):
    snapshots = LoadedSnapshots()
    async with stored.begin(TENANT) as unit:
        await snapshots.load(unit, 7)
        bad = broken("bad")
        await unit.policies.add(bad.policy, bad.version)
        await snapshots.load(unit, 8)
        assert snapshots.revision(TENANT) == 7
        assert "policies[bad]" in snapshots.refused[TENANT]
        assert "refused" in caplog.text
        await unit.policies.save(replace(bad.policy, is_active=False, revision=2))
        await snapshots.load(unit, 9)
    assert (snapshots.revision(TENANT), snapshots.refused) == (9, {})


def test_a_repo_whose_workspace_is_gone_is_no_place():
    snapshot = build(World(repos=(("w1", "r1"), ("gone", "r9"))).material())
    assert snapshot.around(None, "r1")[-1] == place("w1", "r1")
    with pytest.raises(NotFound):
        snapshot.around(None, "r9")
