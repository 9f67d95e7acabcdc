"""Between the contract's policies and ours and back: nothing that one says is lost on the way."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.api.compat.flashback import query, translate, wire
from bylaw.core.errors import Conflict, InvalidInput
from bylaw.core.ids import PolicyId, TenantId
from bylaw.policies.content import document
from bylaw.policies.model import Content, Mask, Policy
from bylaw.policies.parse import parse_content

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
