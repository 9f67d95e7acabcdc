import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import Forbidden, InvalidInput
from bylaw.core.ids import TenantId, UserId, WorkspaceId
from bylaw.tenancy.model import EVERYWHERE, Place, User
from bylaw.tenancy.places import known_workspaces
from bylaw.tenancy.principal import OPERATOR_TENANT, Grant, Principal, describe, system_principal
from bylaw.tenancy.roles import org_role_of, principal_of, require_rank
from bylaw.tenancy.scopes import HELD_THROUGH, SCOPES, parse_scopes

W1 = Place(workspace_id="w1")
W2 = Place(workspace_id="w2")
R1 = Place(workspace_id="w1", repo_id="r1")

places = st.sampled_from([EVERYWHERE, W1, W2, R1, Place(workspace_id="w2", repo_id="r2")])
grants = st.builds(Grant, place=places, scopes=st.frozensets(st.sampled_from(list(SCOPES)), max_size=3))


def key(*granted: Grant, speaks_for: Principal | None = None, tenant: str = "t1") -> Principal:
    return Principal(tenant_id=TenantId(tenant), kind="key", id="k", grants=granted, speaks_for=speaks_for)


def user(org_role="USER", **roles) -> User:
    ids = {WorkspaceId(name): role for name, role in roles.items()}
    return User(
        id=UserId("u1"),
        tenant_id=TenantId("t1"),
        email="a@b",
        name="A",
        org_role=org_role,
        workspace_roles=ids,
        created_ms=1,
    )


def test_scopes_are_parsed_and_unknown_ones_named_with_a_suggestion():
    assert parse_scopes(["policy:read", "admin"]) == {"policy:read", "admin"}
    with pytest.raises(InvalidInput) as caught:
        parse_scopes(["policy:reed", 7, "admin", "zzz"])
    assert [problem.path for problem in caught.value.problems] == ["scopes[0]", "scopes[1]", "scopes[3]"]
    assert "did you mean 'policy:read'?" in caught.value.problems[0].message
    assert "use one of" in caught.value.problems[2].message
    with pytest.raises(InvalidInput):
        parse_scopes([])


def test_writing_implies_reading_and_approving_but_not_where_approvers_are_separate():
    writer = Grant(scopes=frozenset({"policy:write"}))
    assert writer.gives("policy:read")
    assert writer.gives("policy:approve")
    assert not writer.gives("policy:approve", strictly=True)
    assert writer.gives("policy:write", strictly=True)
    assert Grant(scopes=frozenset({"policy:approve"})).gives("policy:approve", strictly=True)
    assert not Grant(scopes=frozenset({"policy:read"})).gives("policy:write")


def test_admin_holds_every_scope():
    assert all(Grant(scopes=frozenset({"admin"})).gives(scope) for scope in SCOPES)


@given(st.sampled_from(list(SCOPES)), st.sampled_from(list(SCOPES)), st.sampled_from(list(SCOPES)))
def test_implication_is_transitive(one, two, three):
    if one in HELD_THROUGH[two] and two in HELD_THROUGH[three]:
        assert one in HELD_THROUGH[three]


def test_a_scope_holds_in_its_place_and_inside_it_only():
    principal = key(Grant(place=W1, scopes=frozenset({"policy:write"})))
    assert principal.may("policy:write")
    assert principal.may("policy:write", W1)
    assert principal.may("policy:write", R1)
    assert not principal.may("policy:write", W2)
    assert not principal.may("policy:write", EVERYWHERE)
    with pytest.raises(Forbidden) as caught:
        principal.require("policy:write", W2)
    assert caught.value.needs == "policy:write"
    assert "'w2'" in caught.value.message


def test_what_governs_a_place_is_readable_from_inside_it():
    principal = key(Grant(place=R1, scopes=frozenset({"policy:read"})))
    assert principal.sees("policy:read", EVERYWHERE)
    assert principal.sees("policy:read", W1)
    assert not principal.sees("policy:read", W2)


@given(st.lists(grants, max_size=3), st.lists(grants, max_size=3), st.sampled_from(list(SCOPES)), places)
def test_a_key_never_exceeds_the_user_for_whom_it_speaks(own, theirs, scope, place):
    person = key(*theirs)
    both = key(*own, speaks_for=person)
    assert both.may(scope, place) == (key(*own).may(scope, place) and person.may(scope, place))
    if any(held.contains(place) for held in both.places(scope)):
        assert both.may(scope, place)
    if both.may(scope, place):
        assert any(held.contains(place) for held in both.places(scope))


@pytest.mark.parametrize(
    ("org_role", "can", "cannot"),
    [
        ("OWNER", {"admin", "policy:write"}, set()),
        ("ADMINISTRATORS", {"admin", "policy:approve"}, set()),
        ("WORKSPACES", {"workspaces:write"}, {"policy:read", "policy:write", "admin"}),
        ("BILLING", set(), {"policy:read", "policy:write", "workspaces:write", "admin"}),
        ("USER", set(), {"policy:read", "decisions:write"}),
    ],
)
def test_an_org_role_gives_its_scopes_everywhere(org_role, can, cannot):
    principal = principal_of(user(org_role))
    assert all(principal.may(scope, EVERYWHERE) for scope in can)
    assert not any(principal.may(scope, W1) for scope in cannot)


@pytest.mark.parametrize("org_role", ["WORKSPACES", "BILLING", "USER"])
def test_every_member_reads_what_governs_all_of_them_and_no_more(org_role):
    member = principal_of(user(org_role))
    assert member.sees("policy:read", EVERYWHERE)
    assert member.may("policy:read", EVERYWHERE)
    assert not member.sees("policy:read", W1)
    assert not member.may("policy:write")
    assert member.places("policy:read") == ()
    assert known_workspaces(member) == (None if org_role == "WORKSPACES" else frozenset())


def test_a_key_reads_what_governs_all_only_with_the_scope():
    member = principal_of(user())
    reading = key(Grant(scopes=frozenset({"policy:read"})), speaks_for=member)
    assert reading.sees("policy:read", EVERYWHERE)
    assert not reading.sees("policy:read", W1)
    assert not key(Grant(scopes=frozenset({"gateway:use"})), speaks_for=member).sees(
        "policy:read", EVERYWHERE
    )


def test_a_workspace_role_gives_its_scopes_there():
    principal = principal_of(user(w1="READ", w2="WRITE", w3="ADMIN"))
    assert principal.may("policy:read", W1)
    assert not principal.may("policy:write", W1)
    assert principal.may("policy:write", W2)
    assert principal.may("policy:approve", W2)
    assert not principal.may("policy:approve", W2, strictly=True)
    assert principal.may("policy:approve", Place(workspace_id="w3"), strictly=True)
    assert not principal.may("admin")
    assert principal.actor == "user:u1"


def test_nobody_gives_or_takes_a_role_above_their_own():
    owner, administrator = principal_of(user("OWNER")), principal_of(user("ADMINISTRATORS"))
    require_rank(owner, "OWNER")
    require_rank(administrator, "ADMINISTRATORS")
    with pytest.raises(Forbidden):
        require_rank(administrator, "OWNER")


def test_a_key_acts_as_the_role_that_its_scopes_amount_to():
    admin = Grant(scopes=frozenset({"admin"}))
    assert org_role_of(key(admin)) == "OWNER"
    assert org_role_of(key(Grant(scopes=frozenset({"workspaces:write"})))) == "WORKSPACES"
    assert org_role_of(key(Grant(place=W1, scopes=frozenset({"admin"})))) == "USER"
    assert org_role_of(key(admin, speaks_for=principal_of(user("ADMINISTRATORS")))) == "ADMINISTRATORS"


def test_only_an_admin_of_the_whole_operator_tenant_is_the_operator():
    admin = Grant(scopes=frozenset({"admin"}))
    assert key(admin, tenant=OPERATOR_TENANT).is_operator
    assert not key(admin).is_operator
    assert not key(Grant(place=W1, scopes=frozenset({"admin"})), tenant=OPERATOR_TENANT).is_operator


def test_the_person_behind_a_key_is_who_acted():
    speaking = key(speaks_for=principal_of(user()))
    assert (speaking.actor, speaking.user_id) == ("user:u1", "u1")
    assert (key().actor, key().user_id) == ("key:k", None)
    assert system_principal(TenantId("t1")).actor == "system:bylaw"


def test_a_place_is_described_for_people():
    assert describe(EVERYWHERE) == "in the whole tenant"
    assert "w1" in describe(W1)
    assert "r1" in describe(R1)
