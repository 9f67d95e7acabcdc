import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bylaw.core.errors import Conflict, Forbidden, InvalidInput
from bylaw.core.paging import Slice
from bylaw.policies.editing import Edit, NewPolicy, create_policy, edit_policy
from bylaw.policies.lifecycle import decide_policy
from bylaw.policies.packs.apply import Agreed, apply_packs
from bylaw.policies.packs.documents import load_document
from bylaw.policies.packs.export import export_packs, free_key, yaml_text
from bylaw.policies.packs.load import parse_packs
from bylaw.policies.packs.plan import plan_packs
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy.model import Place
from bylaw.tenancy.places import WorkspaceChange, change_workspace, create_workspace
from tests.memory_unit import MemoryUnit, acting_as, in_force

LIMIT = {"name": "Limit", "rules": [{"expr": "amount < 5000"}, {"text": "Reject unknown vendors."}]}
TONE = {"name": "Tone", "rules": [{"text": "Flag rude replies."}], "action": "alert"}


def packs(_name="finance", _defaults=None, **policies):
    written = {"pack": _name, "policies": policies, "defaults": _defaults or {}}
    return parse_packs([load_document(yaml_text(written), file="finance.yaml")])


async def kinds(acting, found, **kwargs):
    plan = await plan_packs(acting, found, **kwargs)
    return [(step.kind, step.slug) for step in plan.steps]


async def stored(acting):
    return {current.policy.slug: current for current in await in_force(acting.unit)}


async def test_applying_twice_does_nothing_more(root):
    found = packs(limit=LIMIT, tone=TONE)
    assert await kinds(root, found) == [("create", "finance/limit"), ("create", "finance/tone")]
    assert root.unit.policies.items == {}
    applied = await apply_packs(root, found, Agreed(reason="first"))
    assert set(applied.policies) == {"finance/limit", "finance/tone"}
    assert set(await stored(root)) == {"finance/limit", "finance/tone"}
    again = await plan_packs(root, found)
    assert again.is_empty
    counter = root.unit.changes.value
    assert (await apply_packs(root, found, Agreed())).policies == {}
    assert root.unit.changes.value == counter


async def test_a_changed_file_is_an_update_that_says_what_it_does(root):
    await apply_packs(root, packs(limit=LIMIT), Agreed())
    stricter = packs(limit={**LIMIT, "rules": [{"expr": "amount < 100"}, LIMIT["rules"][1]]})
    (step,) = (await plan_packs(root, stricter)).steps
    assert (step.kind, step.diff.direction) == ("update", "narrows")
    applied = await apply_packs(root, stricter, Agreed(reason="safer"))
    assert applied.policies["finance/limit"].latest == 2
    version = await root.unit.policies.version(applied.policies["finance/limit"].id, 2)
    assert (version.reason, [rule.id for rule in version.content.rules]) == ("safer", ["r3", "r2"])
    assert (await plan_packs(root, stricter)).is_empty


async def test_pruning_archives_only_what_the_pack_made(root):
    await apply_packs(root, packs(limit=LIMIT, tone=TONE), Agreed())
    await apply_packs(root, packs("hr", leave=TONE), Agreed())
    await create_policy(root, NewPolicy(content=TONE))
    fewer = packs(limit=LIMIT)
    assert await kinds(root, fewer) == [("unchanged", "finance/limit")]
    assert await kinds(root, fewer, prune=True) == [
        ("unchanged", "finance/limit"),
        ("archive", "finance/tone"),
    ]
    seen = await plan_packs(root, fewer, prune=True)
    await apply_packs(root, fewer, Agreed(prune=True, plan_digest=seen.digest))
    assert set(await stored(root)) == {"finance/limit", "hr/leave", None}
    assert await kinds(root, packs(), prune=True) == [("archive", "finance/limit")]


async def test_what_returns_to_a_pack_is_restored(root):
    both = packs(limit=LIMIT, tone=TONE)
    await apply_packs(root, both, Agreed())
    await apply_packs(root, packs(limit=LIMIT), Agreed(prune=True))
    step = (await plan_packs(root, both)).steps[1]
    assert (step.kind, step.switches, step.diff) == ("update", ("restore",), None)
    await apply_packs(root, both, Agreed())
    assert set(await stored(root)) == {"finance/limit", "finance/tone"}


async def test_switches_are_carried_out(root):
    await apply_packs(root, packs(limit=LIMIT), Agreed())
    off = packs(limit={**LIMIT, "active": False, "reach": "bound"})
    (step,) = (await plan_packs(root, off)).steps
    assert step.switches == ("deactivate", "reach_bound")
    policy = (await apply_packs(root, off, Agreed())).policies["finance/limit"]
    assert (policy.is_active, policy.reach, policy.latest) == (False, "bound", 1)
    policy = (await apply_packs(root, packs(limit=LIMIT), Agreed())).policies["finance/limit"]
    assert (policy.is_active, policy.reach) == (True, "place")


async def test_every_change_of_a_policy_has_its_revision_and_its_entry(root):
    await apply_packs(root, packs(limit=LIMIT, tone=TONE), Agreed())
    root.unit.outbox.entries.clear()
    counter = root.unit.changes.value
    both = {**LIMIT, "risk": "HIGH", "active": False, "reach": "bound"}
    applied = await apply_packs(root, packs(limit=both, tone={**TONE, "risk": "HIGH"}), Agreed(reason="why"))
    limit, tone = (applied.policies[f"finance/{key}"] for key in ("limit", "tone"))
    assert (limit.revision, limit.latest, tone.revision, tone.latest) == (4, 2, 2, 2)
    said = [
        (entry["policy"]["id"], entry["change"], entry["reason"]) for _, entry in root.unit.outbox.entries
    ]
    assert said == [
        (limit.id, "edited", "why"),
        (limit.id, "deactivated", "why"),
        (limit.id, "reach_changed", "why"),
        (tone.id, "edited", "why"),
    ]
    assert root.unit.changes.value == counter + 1


async def test_a_switch_beside_a_waiting_edit_names_the_version_in_force(root):
    places = {"place": {"workspace": "w2"}}
    await apply_packs(root, packs(_defaults=places, limit=LIMIT), Agreed())
    policy = (await stored_pending(root)).policy
    await decide_policy(root, policy.id, "approve")
    root.unit.outbox.entries.clear()
    edit = {**LIMIT, "risk": "HIGH", "active": False}
    applied = await apply_packs(root, packs(_defaults=places, limit=edit), Agreed())
    assert (applied.policies["finance/limit"].pending, applied.policies["finance/limit"].approved) == (2, 1)
    said = [(entry["change"], entry["policy"]["version"]) for _, entry in root.unit.outbox.entries]
    assert said == [("proposed", 2), ("deactivated", 1)]


async def stored_pending(acting):
    (found,) = (await acting.unit.policies.list(PolicyFilter(), Slice())).items
    return found


async def test_the_plan_that_was_agreed_to_is_the_one_carried_out(root):
    found = packs(limit=LIMIT)
    seen = (await plan_packs(root, found)).digest
    await apply_packs(root, found, Agreed(plan_digest=seen))
    with pytest.raises(Conflict) as caught:
        await apply_packs(root, found, Agreed(plan_digest=seen))
    assert caught.value.reason == "plan_changed"
    changed = packs(limit={**LIMIT, "risk": "HIGH"})
    seen = (await plan_packs(root, changed)).digest
    policy = (await stored(root))["finance/limit"].policy
    await edit_policy(root, policy.id, Edit(fields={"risk": "LOW"}))
    with pytest.raises(Conflict):
        await apply_packs(root, changed, Agreed(plan_digest=seen))


async def test_where_edits_are_reviewed_the_plan_says_that_they_wait(root):
    found = packs(_defaults={"place": {"workspace": "w2"}}, limit=LIMIT)
    (step,) = (await plan_packs(root, found)).steps
    assert (step.kind, step.note) == ("create", "it will wait for approval")
    policy = (await apply_packs(root, found, Agreed())).policies["finance/limit"]
    assert policy.status == "pending_review"
    (step,) = (await plan_packs(root, found)).steps
    assert (step.kind, step.note) == ("unchanged", "it waits for approval")
    await decide_policy(root, policy.id, "approve")
    changed = packs(_defaults={"place": {"workspace": "w2"}}, limit={**LIMIT, "risk": "HIGH"})
    assert (await plan_packs(root, changed)).steps[0].note == "it will wait for approval"
    await apply_packs(root, changed, Agreed())
    for same in (changed, found):
        (step,) = (await plan_packs(root, same)).steps
        assert (step.kind, step.note) == ("unchanged", "an edit waits for approval")


async def test_a_rejected_policy_stays_rejected(root):
    found = packs(_defaults={"place": {"workspace": "w2"}}, limit=LIMIT)
    policy = (await apply_packs(root, found, Agreed())).policies["finance/limit"]
    await decide_policy(root, policy.id, "reject")
    (step,) = (await plan_packs(root, found)).steps
    assert "rejected" in step.note


async def test_what_cannot_be_is_named_with_its_file(root):
    await apply_packs(root, packs(limit=LIMIT), Agreed())
    moved = packs(
        _defaults={"place": {"workspace": "w1"}}, limit=LIMIT, tone={**TONE, "place": {"workspace": "w9"}}
    )
    with pytest.raises(InvalidInput) as caught:
        await plan_packs(root, moved)
    assert {problem.path: problem.code for problem in caught.value.problems} == {
        "finance.yaml policies.limit.place": "place_changed",
        "finance.yaml policies.tone.place": "unknown_place",
    }
    schema = {"type": "object", "properties": {"amonut": {"type": "number"}}}
    await change_workspace(root, "w1", WorkspaceChange(context_schema=schema), revision=None)
    with pytest.raises(InvalidInput) as caught:
        await plan_packs(root, packs("p2", {"place": {"workspace": "w1"}}, limit=LIMIT))
    assert [problem.path for problem in caught.value.problems] == [
        "finance.yaml policies.limit.rules[0].expr"
    ]


async def test_a_pack_is_applied_with_the_callers_own_rights(unit):
    writer = acting_as(unit, "policy:write", place=Place(workspace_id="w1"))
    inside = packs(_defaults={"place": {"workspace": "w1"}}, limit=LIMIT)
    assert set((await apply_packs(writer, inside, Agreed())).policies) == {"finance/limit"}
    with pytest.raises(Forbidden):
        await apply_packs(writer, packs("wide", tone=TONE), Agreed())
    reader = acting_as(unit, "policy:read")
    assert await kinds(reader, packs("wide", tone=TONE)) == [("create", "wide/tone")]
    with pytest.raises(Forbidden):
        await plan_packs(acting_as(unit, "receipts:read"), inside)


def reread(files):
    return parse_packs([load_document(yaml_text(data), file=f"{name}.yaml") for name, data in files.items()])


async def test_what_is_exported_applies_again_without_a_change(root):
    await apply_packs(root, packs(limit=LIMIT, tone={**TONE, "active": False}), Agreed())
    await apply_packs(root, packs("hr", {"place": {"workspace": "w1", "repo": "r1"}}, leave=TONE), Agreed())
    rules = [{"id": "own", "text": "Flag it.", "effect": "reject", "attention": True, "message": "m"}]
    await create_policy(
        root, NewPolicy(content={"name": "Tone", "rules": rules, "conditions": {}}, reach="bound")
    )
    examples = [{"name": "polite", "expect": "pass", "request": {"agent_output": "Thank you."}}]
    content = {**TONE, "examples": examples}
    await create_policy(root, NewPolicy(content=content, place=Place(workspace_id="w1")))
    files = await export_packs(root)
    assert set(files) == {"finance", "hr", "exported"}
    assert set(files["exported"]["policies"]) == {"tone", "tone-2"}
    plan = await plan_packs(root, reread(files), prune=True)
    assert plan.is_empty
    assert set(await export_packs(root, pack="hr")) == {"hr"}
    other = acting_as(MemoryUnit())
    await create_workspace(other, "w1", workspace_id="w1")
    without = {name: data for name, data in files.items() if name != "hr"}
    await apply_packs(other, reread(without), Agreed())
    assert (await plan_packs(other, reread(without))).is_empty
    digests = {current.version.digest for current in await in_force(root.unit)}
    assert {current.version.digest for current in await in_force(other.unit)} <= digests


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=15).filter(str.strip)
rule = st.one_of(
    st.fixed_dictionaries(
        {"expr": st.sampled_from(["a < 1", "b == 'x y'"])}, optional={"attention": st.booleans()}
    ),
    st.fixed_dictionaries(
        {"text": st.sampled_from(["Flag it.", "Reject it; open a ticket."]) | words},
        optional={
            "effect": st.sampled_from(["flag", "reject"]),
            "message": words,
            "attention": st.booleans(),
        },
    ),
)
policy = st.fixed_dictionaries(
    {"name": words, "rules": st.lists(rule, min_size=1, max_size=3)},
    optional={
        "description": words,
        "topic": words | st.none(),
        "active": st.booleans(),
        "reach": st.sampled_from(["place", "bound"]),
        "on_indeterminate": st.sampled_from(["allow", "block"]),
        "mask": st.sampled_from([None, {"fields": ["tool_result.a"]}, {"personal_data": ["card", "email"]}]),
        "conditions": st.dictionaries(words, st.integers(-9, 9) | words, max_size=2),
    },
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), policy),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), policy),
)
async def test_any_pack_after_any_other_is_applied_once_and_exported_as_it_is(first, second):
    acting = acting_as(MemoryUnit())
    for written in (first, second, first):
        found = packs(**written)
        await apply_packs(acting, found, Agreed(prune=True))
        assert (await plan_packs(acting, found, prune=True)).is_empty
        exported = await export_packs(acting)
        assert set(exported.get("finance", {}).get("policies", {})) == set(written)
        assert (await plan_packs(acting, reread(exported), prune=True)).is_empty


def test_keys_are_made_of_names_and_stay_apart():
    assert free_key("Über 10 % Rabatt!", {}) == "ber-10-rabatt"
    assert free_key("日本", {}) == "policy"
    assert free_key("A", {"a": 1, "a-2": 1}) == "a-3"
