from hypothesis import given, settings
from hypothesis import strategies as st

from bylaw.core.errors import Conflict, NotFound
from bylaw.core.paging import Slice
from bylaw.policies.editing import Edit, NewPolicy, create_policy, edit_policy, roll_back
from bylaw.policies.lifecycle import decide_policy, delete_policy, set_active
from bylaw.policies.reading import list_versions
from bylaw.tenancy.model import Place
from bylaw.tenancy.places import WorkspaceChange, change_workspace, create_workspace
from tests.memory_unit import MemoryUnit, acting_as, in_force
from tests.reference.policies_model import Refused, SlowPolicy

edits = st.tuples(st.just("edit"), st.sampled_from(["Reject a.", "Reject b.", "Flag c."]))
decisions = st.tuples(st.sampled_from(["approve", "reject"]), st.none())
others = st.one_of(
    st.tuples(st.just("roll_back"), st.integers(1, 5)),
    st.tuples(st.sampled_from(["archive", "restore"]), st.none()),
    st.tuples(st.just("active"), st.booleans()),
    st.tuples(st.just("review"), st.booleans()),
    st.tuples(st.sampled_from(["archive", "restore", "restore", "delete"]), st.none()),
)
steps = st.one_of(edits, decisions, decisions, others)


def content(text: str) -> dict:
    return {"name": "n", "rules": [{"id": "r1", "text": text}]}


async def act(acting, policy_id, name, value) -> None:
    if name == "edit":
        await edit_policy(acting, policy_id, Edit(fields=content(value)))
    elif name == "roll_back":
        await roll_back(acting, policy_id, number=value)
    elif name == "active":
        await set_active(acting, policy_id, is_active=value)
    elif name == "review":
        await change_workspace(acting, "w", WorkspaceChange(review_edits=value), revision=None)
    elif name == "delete":
        await delete_policy(acting, policy_id)
    else:
        await decide_policy(acting, policy_id, name)


def act_slowly(model: SlowPolicy, name, value, *, reviewed: bool) -> None:
    if name != "review" and model.deleted:
        raise Refused
    if name == "edit":
        model.edit(value, reviewed=reviewed)
    elif name == "roll_back":
        if value > len(model.texts):
            raise Refused
        model.edit(model.texts[value - 1], reviewed=reviewed)
    elif name == "active":
        model.active = value
    elif name == "delete":
        model.deleted = True
    elif name != "review":
        getattr(model, name)()


async def seen(unit, policy_id) -> tuple:
    policy = await unit.policies.get(policy_id)
    versions = (await list_versions(acting_as(unit), policy_id, Slice(limit=100))).items[::-1]
    governing = [current.version.content.rules[0].text for current in await in_force(unit)]
    assert [version.number for version in versions] == list(range(1, policy.latest + 1))
    return (
        policy.status,
        policy.current - 1,
        [v.content.rules[0].text for v in versions],
        governing,
    ), versions


def expected(model: SlowPolicy) -> tuple:
    governing = [] if model.in_force is None else [model.in_force]
    return (model.status, model.current, model.texts, governing)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["approved", "pending_review"]), st.booleans(), st.lists(steps, min_size=8, max_size=24)
)
async def test_a_policys_life_agrees_with_the_slow_model_and_versions_never_change(status, reviewed, todo):
    unit = MemoryUnit()
    root = acting_as(unit)
    await create_workspace(root, "W", workspace_id="w")
    new = NewPolicy(content=content("Reject a."), place=Place(workspace_id="w"), status=status)
    policy = (await create_policy(root, new)).policy
    model = SlowPolicy(status=status, texts=["Reject a."])
    await change_workspace(root, "w", WorkspaceChange(review_edits=reviewed), revision=None)
    kept, revision = (), 1
    for name, value in todo:
        try:
            await act(root, policy.id, name, value)
            done = True
        except (Conflict, NotFound):
            done = False
        try:
            act_slowly(model, name, value, reviewed=reviewed)
            possible = True
        except Refused:
            possible = False
        assert done == possible, (name, value)
        reviewed = value if name == "review" else reviewed
        state, versions = await seen(unit, policy.id)
        assert state == expected(model), (name, value)
        assert versions[: len(kept)] == kept
        kept = versions
        now = (await unit.policies.get(policy.id)).revision
        assert now >= revision
        revision = now
    logged = sum(kind == "policy_version" for kind, _ in unit.outbox.entries)
    assert logged == revision
