"""Batches from another server: what comes, what stays, what is refused, and what the log tells of it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Conflict, Forbidden, InvalidInput
from bylaw.core.ids import AgentId, PolicyId, RepoId, UserId, WorkspaceId
from bylaw.policies import editing, lifecycle
from bylaw.policies.arrivals import PolicyElsewhere
from bylaw.policies.editing import Edit, NewPolicy, create_policy, edit_policy
from bylaw.policies.imports import UNNAMED, Batch, import_batch
from bylaw.policies.model import Source
from bylaw.tenancy.agents import NewAgent, register_agent, see_agent
from bylaw.tenancy.model import EVERYWHERE, Agent, Place, Repo, User, Workspace
from bylaw.tenancy.people import NewUser, create_user, remove_user
from bylaw.tenancy.roles import principal_of
from tests.memory_unit import MemoryUnit, acting_as, as_principal

NOW = ManualClock().now_ms()
OLD, LATER = NOW - 1_000_000, NOW - 500_000
W1, W3 = Place(workspace_id=WorkspaceId("w1")), Place(workspace_id=WorkspaceId("w3"))
REASON = "Imported from there."


@pytest.fixture
def admin(unit):
    return acting_as(unit, "admin")


def workspace(ident="w9", name="Nine"):
    return Workspace(id=WorkspaceId(ident), tenant_id="t1", name=name, created_ms=OLD)


def repo(ident="r9", workspace_id="w9", name="R"):
    return Repo(
        id=RepoId(ident), tenant_id="t1", workspace_id=WorkspaceId(workspace_id), name=name, created_ms=OLD
    )


def user(ident="u9", **fields):
    usual = {"email": f"{ident}@example.com", "name": "Ada", "created_ms": OLD}
    return User(id=UserId(ident), tenant_id="t1", **(usual | fields))


def agent(ident="bot", **fields):
    return Agent(id=AgentId(ident), tenant_id="t1", **({"created_ms": OLD} | fields))


def policy(ident="p9", *, text="Never mention prices.", status="approved", times=(OLD, LATER), **fields):
    new = {"content": {"name": "N", "rules": [{"text": text}]}, "place": W1, "reason": REASON, "id": ident}
    return PolicyElsewhere(
        new=NewPolicy(**(new | fields)),
        status=status,
        created_by="user:u9",
        created_ms=times[0],
        updated_by="user:u8",
        updated_ms=times[1],
    )


async def bring(acting, **batch):
    """Import, and return the outcome of each thing by its id."""
    results = await import_batch(acting, Batch(reason=REASON, **batch))
    return {each.id: each for each in results}


async def outcome(acting, **batch):
    (result,) = (await bring(acting, **batch)).values()
    return result.outcome, result.fields, [(each.path, each.code) for each in result.problems]


def told(unit):
    """What the log is told: (what, its id, the step) in order."""
    return [
        (kind, payload["policy"]["id"] if kind == "policy_version" else payload["id"], payload["change"])
        for kind, payload in unit.outbox.entries
    ]


async def test_everything_comes_under_its_id_with_its_times(unit, admin):
    batch = {
        "workspaces": [workspace()],
        "repos": [repo()],
        "users": [user(workspace_roles={"w9": "WRITE"}, org_role="OWNER", last_name="L")],
        "policies": [
            policy(place=Place(workspace_id=WorkspaceId("w9"), repo_id=RepoId("r9")), reach="bound")
        ],
        "agents": [agent(policy_id=PolicyId("p9"), place=Place(workspace_id="w9", repo_id="r9"))],
    }
    assert {each.outcome for each in (await bring(admin, **batch)).values()} == {"imported"}
    held = unit.tenancy
    assert await held.workspaces.get("w9") == batch["workspaces"][0]
    assert await held.repos.get("r9") == batch["repos"][0]
    assert await held.users.get("u9") == batch["users"][0]
    assert await held.agents.get("bot") == batch["agents"][0]
    stored = await unit.policies.get("p9")
    assert (stored.created_ms, stored.updated_ms) == (OLD, LATER)
    assert (stored.created_by, stored.updated_by) == ("user:u9", "user:u8")
    version = await unit.policies.version("p9", 1)
    assert (version.author, version.reason, version.created_ms) == ("key:k1", REASON, NOW)
    assert told(unit) == [
        ("change", "w9", "created"),
        ("change", "r9", "created"),
        ("change", "u9", "created"),
        ("policy_version", "p9", "created"),
        ("change", "bot", "created"),
    ]
    assert {payload["author"] for _, payload in unit.outbox.entries} == {"key:k1"}
    before = unit.changes.value, list(unit.outbox.entries)
    assert {each.outcome for each in (await bring(admin, **batch)).values()} == {"unchanged"}
    assert (unit.changes.value, unit.outbox.entries) == before


async def test_a_dry_run_says_the_same_and_stores_nothing(unit, admin):
    batch = {
        "workspaces": [workspace()],
        "repos": [repo()],
        "policies": [policy(place=Place(workspace_id="w9"))],
    }
    dry = await bring(admin, **batch, dry_run=True)
    assert (await unit.tenancy.workspaces.get("w9"), await unit.policies.get("p9")) == (None, None)
    assert unit.outbox.entries == []
    assert await bring(admin, **batch) == dry


@pytest.mark.parametrize(
    ("status", "active", "steps"),
    [
        ("approved", True, ["created"]),
        ("approved", False, ["created", "deactivated"]),
        ("pending_review", True, ["proposed"]),
        ("rejected", True, ["proposed", "rejected"]),
        ("archived", True, ["created", "archived"]),
    ],
    ids=str,
)
async def test_the_log_tells_each_step_by_which_a_policy_comes(unit, admin, status, active, steps):
    await bring(admin, policies=[policy(status=status, is_active=active)])
    stored = await unit.policies.get("p9")
    assert (stored.status, stored.is_active, stored.is_in_force) == (
        status,
        active,
        (status, active) == ("approved", True),
    )
    assert [step for _, _, step in told(unit)] == steps


async def test_an_archived_policy_that_came_can_be_restored(admin):
    await bring(admin, policies=[policy(status="archived")])
    assert (await lifecycle.decide_policy(admin, PolicyId("p9"), "restore")).is_in_force


REACHED = {
    ("pending_review", "approved"): ["approved"],
    ("pending_review", "rejected"): ["rejected"],
    ("pending_review", "archived"): ["approved", "archived"],
    ("approved", "archived"): ["archived"],
    ("archived", "approved"): ["restored"],
}
STATUSES = ("pending_review", "approved", "rejected", "archived")


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations(STATUSES, 2)])
async def test_a_status_follows_as_far_as_a_life_goes(unit, admin, before, after):
    await bring(admin, policies=[policy(status=before)])
    unit.outbox.entries.clear()
    later = policy(status=after, times=(OLD, NOW))
    assert (await outcome(admin, policies=[later]))[0] == "different"
    found = await outcome(admin, policies=[later], update=True)
    steps = REACHED.get((before, after))
    if steps is None:
        assert found == ("different", ("status", "updated_at"), [])
    else:
        assert found[0] == "updated"
        assert (await unit.policies.get("p9")).status == after
    assert [step for _, _, step in told(unit)] == (steps or [])


async def test_a_text_that_changed_there_later_becomes_a_version_if_wished(unit, admin):
    await bring(admin, policies=[policy()])
    later = policy(text="Never mention dates.", times=(OLD, NOW), is_active=False)
    assert (await outcome(admin, policies=[later]))[:2] == (
        "different",
        ("rules", "is_active", "updated_at"),
    )
    unit.outbox.entries.clear()
    assert (await outcome(admin, policies=[later], update=True))[0] == "updated"
    stored = await unit.policies.get("p9")
    assert (stored.latest, stored.approved, stored.updated_ms, stored.is_active) == (2, 2, NOW, False)
    assert [step for _, _, step in told(unit)] == ["edited", "deactivated"]
    assert (await outcome(admin, policies=[later], update=True))[0] == "unchanged"
    on = policy(text="Never mention dates.", times=(OLD, NOW + 1))
    assert (await outcome(admin, policies=[on], update=True))[0] == "updated"
    assert told(unit)[-1][2] == "activated"


async def test_a_proposal_that_changed_there_is_proposed_anew(unit, admin):
    await bring(admin, policies=[policy(status="pending_review")])
    later = policy(text="Never mention dates.", status="pending_review", times=(OLD, NOW))
    unit.outbox.entries.clear()
    assert (await outcome(admin, policies=[later], update=True))[0] == "updated"
    assert ([step for _, _, step in told(unit)], (await unit.policies.get("p9")).approved) == (
        ["proposed"],
        None,
    )


async def test_who_and_when_follow_without_a_word_in_the_log(unit, admin):
    await bring(admin, policies=[policy()])
    unit.outbox.entries.clear()
    assert (await outcome(admin, policies=[policy(times=(OLD, NOW))], update=True))[0] == "updated"
    assert ((await unit.policies.get("p9")).updated_ms, told(unit)) == (NOW, [])


async def test_what_changed_here_later_stays(unit, admin):
    await bring(admin, policies=[policy()])
    await edit_policy(admin, PolicyId("p9"), Edit(fields={"name": "Ours"}))
    later = policy(text="Never mention dates.", times=(OLD, NOW - 1))
    assert (await outcome(admin, policies=[later], update=True))[0] == "different"
    assert (await unit.policies.get("p9")).latest == 2


async def test_without_times_the_version_says_which_is_newer(unit, admin):
    def timeless(text, version):
        new = policy(text=text, version=version).new
        return PolicyElsewhere(new=new)

    await bring(admin, policies=[timeless("Never mention prices.", 1)])
    stored = await unit.policies.get("p9")
    assert (stored.created_by, stored.updated_by, stored.created_ms) == ("key:k1", "key:k1", NOW)
    assert (await outcome(admin, policies=[timeless("Never mention prices.", 1)]))[0] == "unchanged"
    assert (await outcome(admin, policies=[timeless("Other.", 1)], update=True))[0] == "different"
    assert (await outcome(admin, policies=[timeless("Other.", 2)], update=True))[0] == "updated"


@pytest.mark.parametrize(
    ("fields", "differs"),
    [
        ({"place": EVERYWHERE}, "place"),
        ({"reach": "bound"}, "reach"),
        ({"slug": "pack/key"}, "slug"),
        ({"source": Source(type="learning_loop")}, "source"),
        ({"times": (OLD - 1, NOW)}, "created_at"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_never_changes_is_reported_and_nothing_follows(unit, admin, fields, differs):
    await bring(admin, policies=[policy()])
    before = await unit.policies.get("p9")
    later = policy(text="Never mention dates.", **({"times": (OLD, NOW)} | fields))
    found = await outcome(admin, policies=[later], update=True)
    assert (found[0], found[1][0]) == ("different", differs)
    assert await unit.policies.get("p9") == before


async def test_what_was_deleted_or_waits_here_stays_so(admin):
    await bring(admin, policies=[policy(), policy("p8", place=Place(workspace_id="w2"))])
    await lifecycle.delete_policy(admin, PolicyId("p9"))
    assert (await outcome(admin, policies=[policy(times=(OLD, NOW + 1))], update=True))[:2] == (
        "different",
        ("deleted", "updated_at", "updated_by"),
    )
    await edit_policy(admin, PolicyId("p8"), Edit(fields={"name": "Waits"}))
    later = policy("p8", place=Place(workspace_id="w2"), times=(OLD, NOW + 1))
    found = await outcome(admin, policies=[later], update=True)
    assert (found[0], found[1][0]) == ("different", "pending")


@pytest.mark.parametrize("status", STATUSES)
async def test_nobody_brings_what_is_approved_where_nobody_approves_their_own(admin, status):
    found = await outcome(admin, policies=[policy(place=W3, status=status)])
    refused = ("refused", (), [("", "forbidden")])
    assert found == (refused if status in {"approved", "archived"} else ("imported", (), []))
    if status == "pending_review":
        with pytest.raises(Forbidden, match="Somebody else"):
            await lifecycle.decide_policy(admin, PolicyId("p9"), "approve")
        later = policy(place=W3, status="approved", times=(OLD, NOW))
        assert (await outcome(admin, policies=[later], update=True))[0] == "refused"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (policy(""), ("id", "bad_id")),
        (policy("a b"), ("id", "bad_id")),
        (policy(text=""), ("rules[0].text", "required")),
        (policy(content={"name": "N", "rules": [{"expr": "amount <"}]}), ("rules[0].expr", "rule_syntax")),
        (
            policy(content={"name": "N", "rules": [{"text": "t", "sort": 1}]}),
            ("rules[0].sort", "unknown_field"),
        ),
        (policy(slug="Not A Slug"), ("slug", "bad_slug")),
        (policy(place=Place(workspace_id=WorkspaceId("w8"))), ("workspace_id", "not_found")),
        (policy(place=Place(workspace_id="w1", repo_id=RepoId("r8"))), ("repo_id", "not_found")),
        (policy(place=Place(workspace_id="w2", repo_id=RepoId("r1"))), ("repo_id", "wrong_workspace")),
        (policy(place=Place(repo_id=RepoId("r1"))), ("repo_id", "wrong_workspace")),
        (policy(times=(-1, OLD)), ("created_at", "bad_time")),
        (policy(times=(OLD, NOW + 2 * 86_400_000)), ("updated_at", "bad_time")),
        (policy(times=(LATER, LATER - 1)), ("updated_at", "bad_time")),
    ],
    ids=range(13),
)
async def test_a_policy_that_may_not_come_is_refused_by_itself(admin, row, problem):
    found = await bring(admin, policies=[row, policy("good")])
    assert found.pop("good").outcome == "imported"
    (refused,) = found.values()
    assert (refused.outcome, (refused.problems[0].path, refused.problems[0].code)) == ("refused", problem)


async def test_a_policy_of_which_only_its_change_is_told_was_created_no_later(unit, admin):
    row = policy(times=(None, OLD))
    assert (await outcome(admin, policies=[row]))[0] == "imported"
    stored = await unit.policies.get("p9")
    assert (stored.created_ms, stored.updated_ms) == (OLD, OLD)
    assert (await outcome(admin, policies=[row]))[0] == "unchanged"


async def test_a_slug_that_another_policy_has_is_refused(admin):
    await create_policy(admin, NewPolicy(content=policy().new.content, slug="pack/key"))
    found = await outcome(admin, policies=[policy(slug="pack/key")])
    assert found == ("refused", (), [("slug", "exists")])
    assert (await outcome(admin, policies=[policy(slug="pack/other")]))[0] == "imported"


async def test_two_policies_of_one_batch_do_not_share_a_slug(admin):
    found = await bring(admin, policies=[policy("p1", slug="pack/key"), policy("p2", slug="pack/key")])
    assert [each.outcome for each in found.values()] == ["imported", "refused"]
    assert found["p2"].problems[0].path == "slug"


async def test_a_tenant_holds_no_more_than_it_may(admin, monkeypatch):
    monkeypatch.setattr(editing, "MAX_POLICIES", 1)
    with pytest.raises(Conflict, match="the most"):
        await bring(admin, policies=[policy(), policy("p8")])


async def test_the_same_thing_twice_in_a_batch_is_refused_whole(unit, admin):
    with pytest.raises(InvalidInput, match="twice"):
        await bring(admin, policies=[policy(), policy()])
    assert await unit.policies.get("p9") is None


@pytest.mark.parametrize("scopes", [("policy:write", "workspaces:write", "agents:write")])
async def test_only_who_administers_the_whole_tenant_imports(unit, scopes):
    for acting in (acting_as(unit, *scopes), acting_as(unit, "admin", place=W1)):
        with pytest.raises(Forbidden, match="admin"):
            await bring(acting, policies=[policy()])


@pytest.mark.parametrize(
    ("bound", "problem"),
    [
        ("nothing", ("policy_id", "not_found")),
        ("p7", ("policy_id", "not_found")),
        ("p8", ("", "conflict")),
        ("p9", ("", "conflict")),
    ],
)
async def test_an_agent_comes_only_as_it_may_be_bound(unit, admin, bound, problem):
    await bring(admin, policies=[policy("p7", reach="bound"), policy("p8")])
    await lifecycle.delete_policy(admin, PolicyId("p7"))
    batch = {"policies": [policy(reach="bound")], "agents": [agent(policy_id=PolicyId(bound))]}
    refused = (await bring(admin, **batch))["bot"]
    assert (refused.outcome, (refused.problems[0].path, refused.problems[0].code)) == ("refused", problem)
    assert await unit.tenancy.agents.get("bot") is None


async def test_an_agent_may_be_bound_to_what_is_here(unit, admin):
    await bring(admin, policies=[policy(reach="bound", place=EVERYWHERE)])
    assert (await outcome(admin, agents=[agent(policy_id=PolicyId("p9"))]))[0] == "imported"
    follows = {"agents": [agent(name="Bot")], "update": True}
    assert (await outcome(admin, **follows))[0] == "updated"
    assert (await unit.tenancy.agents.get("bot")).policy_id is None


async def test_an_agent_that_was_only_seen_becomes_what_it_is_there(unit, admin):
    await see_agent(unit, "bot", clock=admin.clock)
    came = agent(name="Bot", place=W1, require_policy=True)
    assert await outcome(admin, agents=[came]) == ("imported", (), [])
    stored = await unit.tenancy.agents.get("bot")
    assert (stored.name, stored.place, stored.registered, stored.created_ms) == ("Bot", W1, True, OLD)


async def test_an_agent_stays_in_its_place(admin):
    await register_agent(admin, NewAgent(id="bot", place=W1))
    found = await outcome(admin, agents=[agent(name="Bot")], update=True)
    assert found == ("different", ("place", "name"), [])


async def test_names_and_roles_follow_if_wished(unit, admin):
    await create_user(admin, NewUser(email="o@example.com", name="O", org_role="OWNER"))
    batch = {"workspaces": [workspace()], "repos": [repo()], "users": [user()]}
    await bring(admin, **batch)
    later = {
        "workspaces": [workspace(name="Neun")],
        "repos": [repo(name="S")],
        "users": [user(email="New@example.com", org_role="OWNER", workspace_roles={"w9": "READ"})],
    }
    assert {each.outcome for each in (await bring(admin, **later)).values()} == {"different"}
    assert {each.outcome for each in (await bring(admin, **later, update=True)).values()} == {"updated"}
    stored = await unit.tenancy.users.get("u9")
    assert (stored.email, stored.org_role, stored.workspace_roles) == (
        "New@example.com",
        "OWNER",
        {"w9": "READ"},
    )
    assert (await unit.tenancy.repos.get("r9")).name == "S"


async def test_a_workspace_without_a_name_keeps_the_one_it_has(unit, admin):
    unnamed = workspace(name=UNNAMED)
    assert (await outcome(admin, workspaces=[unnamed]))[0] == "imported"
    assert (await unit.tenancy.workspaces.get("w9")).name == "w9"
    await bring(admin, workspaces=[workspace()], update=True)
    assert await outcome(admin, workspaces=[unnamed], update=True) == ("unchanged", (), [])
    assert (await unit.tenancy.workspaces.get("w9")).name == "Nine"


async def test_a_repo_stays_in_its_workspace(admin):
    found = await outcome(admin, repos=[repo("r1", "w2", name="r1")], update=True)
    assert found == ("different", ("workspace_id",), [])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"workspaces": [workspace("a b")]}, ("id", "bad_id")),
        ({"workspaces": [workspace(name=" ")]}, ("name", "required")),
        ({"repos": [repo(workspace_id="w8")]}, ("workspace_id", "not_found")),
        ({"users": [user(email="nowhere")]}, ("email", "bad_email")),
        ({"users": [user(email="HELD@example.com")]}, ("email", "exists")),
        ({"users": [user(workspace_roles={"w8": "READ"})]}, ("workspace_id", "not_found")),
        ({"users": [user(created_ms=-1)]}, ("created_at", "bad_time")),
        ({"users": [user(deleted_ms=-1)]}, ("deleted_at", "bad_time")),
        ({"users": [user(deleted_ms=NOW + 90_000_000)]}, ("deleted_at", "bad_time")),
        ({"agents": [agent(name="a\nb")]}, ("name", "unprintable")),
        ({"agents": [agent(place=Place(workspace_id="w8"))]}, ("workspace_id", "not_found")),
    ],
    ids=range(11),
)
async def test_what_may_not_be_is_refused(admin, row, problem):
    await create_user(admin, NewUser(email="held@example.com", name="H"))
    found = await outcome(admin, **row)
    assert (found[0], found[2][0]) == ("refused", problem)


async def test_two_people_of_one_batch_do_not_share_an_address(admin):
    found = await bring(admin, users=[user("u1", email="a@example.com"), user("u2", email="A@example.com")])
    assert [each.outcome for each in found.values()] == ["imported", "refused"]


async def test_a_person_who_left_is_named_and_holds_nothing(unit, admin):
    gone = user(deleted_ms=LATER, email="held@example.com", org_role="OWNER")
    await create_user(admin, NewUser(email="held@example.com", name="H"))
    unit.outbox.entries.clear()
    assert (await outcome(admin, users=[gone]))[0] == "imported"
    assert [step for _, _, step in told(unit)] == ["created", "deleted"]
    assert (await unit.tenancy.users.get("u9")).deleted_ms == LATER
    back = await outcome(admin, users=[user(email="new@example.com")], update=True)
    assert (back[0], back[1][0]) == ("different", "deleted")


async def test_who_was_removed_here_stays_so(admin):
    made = await create_user(admin, NewUser(email="u9@example.com", name="Ada", id="u9"))
    await remove_user(admin, made.id)
    assert await outcome(admin, users=[user()], update=True) == ("different", ("deleted",), [])


async def test_the_last_owner_stays(admin):
    await create_user(admin, NewUser(email="u9@example.com", name="Ada", id="u9", org_role="OWNER"))
    assert (await outcome(admin, users=[user()]))[0] == "different"
    assert await outcome(admin, users=[user()], update=True) == ("refused", (), [("", "conflict")])
    other = user("u8", org_role="OWNER")
    await bring(admin, users=[other])
    with pytest.raises(Conflict, match="OWNER"):
        await bring(admin, users=[user(), user("u8")], update=True)


async def test_nobody_brings_a_role_above_their_own(unit):
    acting = acting_as(unit, "admin")
    speaker = User(
        id=UserId("a1"),
        tenant_id="t1",
        email="a@example.com",
        name="A",
        org_role="ADMINISTRATORS",
        created_ms=0,
    )
    from_administrator = as_principal(acting, principal_of(speaker))
    assert await outcome(from_administrator, users=[user(org_role="OWNER")]) == (
        "refused",
        (),
        [("", "forbidden")],
    )


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p2"]),
        st.sampled_from(STATUSES),
        st.sampled_from(["Never mention prices.", "Never mention dates."]),
        st.booleans(),
        st.integers(0, 5),
    ),
    max_size=8,
)


@given(operations=OPERATIONS, update=st.booleans())
async def test_the_same_batch_again_changes_nothing(operations, update):
    """Whatever came before, what was imported or updated is unchanged when it comes again."""
    unit = MemoryUnit()
    admin = acting_as(unit, "admin")
    for ident, status, text, active, minute in operations:
        row = policy(
            ident, text=text, status=status, is_active=active, place=EVERYWHERE, times=(OLD, OLD + minute)
        )
        first = await outcome(admin, policies=[row], update=update)
        held = await unit.policies.get(ident), len(unit.outbox.entries)
        again = await outcome(admin, policies=[row], update=update)
        assert again[0] == ("different" if first[0] == "different" else "unchanged")
        assert (await unit.policies.get(ident), len(unit.outbox.entries)) == held
