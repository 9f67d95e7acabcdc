"""Between the contract's policies and ours and back: nothing that one says is lost on the way."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.api.compat.flashback import query, translate, translate_places, wire
from bylaw.core.errors import Conflict, InvalidInput
from bylaw.core.ids import PolicyId, TenantId
from bylaw.policies.content import document
from bylaw.policies.model import Content, Mask, Policy
from bylaw.policies.parse import parse_content
from bylaw.policies.wording import asks_for_attention
from bylaw.review.model import Names
from bylaw.tenancy.model import User, Workspace
from tests.contracts.values import alert, occasion, snapshot, violation

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200).filter(str.strip)
names = st.text("abc XYZ-_.é", min_size=1, max_size=80).filter(str.strip)
risks = st.sampled_from(["LOW", "MEDIUM", "HIGH"])
actions = st.sampled_from([0, 1, 2])
places = st.sampled_from([(None, None), ("w1", None), ("w1", "r1")])
news = st.builds(
    lambda place, **fields: wire.FlashbackNewPolicy(workspace_id=place[0], repo_id=place[1], **fields),
    places,
    name=names,
    content=texts,
    risk_type=risks,
    action_type=actions,
    org_id=st.just("acme"),
)
changes = st.builds(
    wire.PolicyChange,
    name=st.none() | names,
    content=st.none() | texts,
    risk_type=st.none() | risks,
    action_type=st.none() | actions,
)
SOMEBODY = wire.Person(id="u", name="U", last_name="", email="")


def stored(place) -> Policy:
    return Policy(
        id=PolicyId("p"),
        tenant_id=TenantId("acme"),
        place=place,
        created_by="user:u",
        created_ms=0,
        updated_by="user:u",
        updated_ms=0,
    )


def shown(policy: Policy, content: Content) -> wire.Policy:
    return translate.policy(policy, content, people=(SOMEBODY, SOMEBODY), places=(None, None))


def said(one) -> tuple[object, ...]:
    return (
        one.name.strip(),
        one.content.strip(),
        one.risk_type,
        one.action_type,
        one.workspace_id,
        one.repo_id,
    )


@given(news)
def test_a_policy_comes_back_as_it_was_sent(new):
    made = translate.new_policy(new, ident="p")
    content = parse_content(made.content)
    assert said(shown(stored(made.place), content)) == said(new)
    assert content.rules[0].effect == "reject"


@given(news, changes)
def test_a_change_changes_what_it_names_and_nothing_else(new, change):
    made = translate.new_policy(new, ident="p")
    policy, content = stored(made.place), parse_content(made.content)
    if (change.name, change.content, change.risk_type, change.action_type) == (None, None, None, None):
        with pytest.raises(InvalidInput):
            translate.changed_fields(policy, content, change)
        return
    after = parse_content({**document(content), **translate.changed_fields(policy, content, change)})
    before = shown(policy, content)
    wanted = [
        old if sent is None else sent.strip() if isinstance(sent, str) else sent
        for old, sent in (
            (before.name, change.name),
            (before.content, change.content),
            (before.risk_type, change.risk_type),
            (before.action_type, change.action_type),
        )
    ]
    now = shown(policy, after)
    assert [now.name, now.content, now.risk_type, now.action_type] == wanted
    assert after.rules[0].effect == "reject"


WORDINGS = st.sampled_from(
    [
        "Never mention 'rival'.",
        "Flag any output that mentions 'rival'.",
        "Create an attention item on refunds.",
    ]
)


@given(WORDINGS, st.sampled_from(["reject", "flag"]), st.booleans(), st.just("") | names, WORDINGS)
def test_a_new_text_keeps_what_was_settled_against_the_old_one(before, effect, attention, message, after):
    rule = {"text": before, "effect": effect, "attention": attention, "message": message}
    content = parse_content({"name": "n", "rules": [rule]})
    change = wire.PolicyChange(content=after)
    fields = translate.changed_fields(stored(translate.place_of(None, None)), content, change)
    (made,) = parse_content({**document(content), **fields}).rules
    assert (made.text, made.effect, made.message) == (after, effect, message)
    settled = attention != asks_for_attention(before) or before == after
    assert made.attention == (attention if settled else asks_for_attention(after))


providers = st.text("abcXYZ-_0", min_size=1, max_size=12)


@given(providers, st.sampled_from(["", "c1"]), st.sampled_from(["LOW", "MEDIUM", "HIGH"]), st.booleans())
def test_a_record_says_what_is_stored_and_is_found_by_the_type_that_it_shows(provider, talk, risk, block):
    told = occasion("acme", provider=provider.lower(), conversation_id=talk, repo_id="r", user_id="u")
    shared = {"occasion": told, "policy": snapshot(risk=risk), "names": Names(repo="R", user="U", key="K")}
    one = translate.violation(violation(id="v", block=block, **shared))
    also = translate.alert(alert(id="a", **shared))
    assert told.provider in translate.providers_of(frozenset({one.llm_type}))
    assert (one.conversation_id, one.severity, one.block) == (talk or None, risk, block)
    names = set(one.__struct_fields__) & set(also.__struct_fields__) - {"id"}
    assert len(names) == 13
    assert all(getattr(one, name) == getattr(also, name) for name in names)


ROLES = st.sampled_from([*translate_places.NUMBERS])
people = st.builds(
    User,
    id=st.just("u"),
    tenant_id=st.just("acme"),
    email=st.just("u@example.com"),
    name=names,
    last_name=names,
    org_role=ROLES,
    created_ms=st.integers(0, 2**41),
    deleted_ms=st.none() | st.integers(0, 2**41),
)


@given(people)
def test_a_person_is_shown_with_every_role_that_theirs_carries(person):
    shown = translate_places.user(person)
    assert (shown.name, shown.last_name, shown.email) == (person.name, person.last_name, person.email)
    assert translate_places.ROLES[shown.org_role] == shown.org_role_description == person.org_role
    assert list(shown.org_roles) == [
        each for each in sorted(translate_places.ROLES) if each <= shown.org_role
    ]
    assert (shown.deleted_at is None) == (person.deleted_ms is None)
    role = translate_places.role(person)
    assert (role.user_id, role.org_role, role.org_roles) == ("u", shown.org_role, shown.org_roles)


@given(st.lists(st.tuples(people, st.sampled_from(["READ", "WRITE", "ADMIN"])), max_size=3), names)
def test_a_workspace_is_shown_with_the_role_of_each_member(members, name):
    held = [replace(user, workspace_roles={"w": role, "other": "ADMIN"}) for user, role in members]
    one = Workspace(id="w", tenant_id="acme", name=name, created_ms=0)
    shown = translate_places.workspace_with(one, held)
    assert (shown.id, shown.name, shown.org_id) == ("w", name, "acme")
    assert [each.role for each in shown.users] == [role for _, role in members]
    assert [each.user.org_role for each in shown.users] == [
        translate_places.NUMBERS[user.org_role] for user, _ in members
    ]


def test_what_withholds_and_what_has_several_rules_is_shown_in_lines():
    rules = [{"expr": "amount < 5000"}, {"text": "Be kind."}]
    content = parse_content({"name": "n", "rules": rules, "action": "review"})
    policy = stored(translate.place_of(None, None))
    assert shown(policy, content).content == "amount < 5000\nBe kind."
    assert shown(policy, content).action_type == 2
    with pytest.raises(Conflict):
        translate.changed_fields(policy, content, wire.PolicyChange(content="Be brief."))
    unchanged = wire.PolicyChange(content="amount < 5000\nBe kind.", action_type=2)
    assert translate.changed_fields(policy, content, unchanged) == {}
    masked = replace(content, rules=(), mask=Mask(fields=("tool_result.ssn",), personal_data=("email",)))
    assert shown(policy, masked).content == "Withhold tool_result.ssn, email."


@given(st.lists(st.text("ab ,", max_size=6), max_size=4).map(",".join))
def test_words_of_a_list_have_no_space_and_are_not_blank(text):
    found = query.words(text)
    assert found is None or all(word and word == word.strip() and "," not in word for word in found)
