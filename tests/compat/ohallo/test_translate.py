"""Between entries and policies and back: nothing that an entry says is lost on the way."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bylaw.api.compat.ohallo import translate
from bylaw.api.compat.ohallo.wire import EntryChange, NewEntry
from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids, PolicyId, TenantId, WorkspaceId
from bylaw.policies.content import document
from bylaw.policies.model import Content, Current, Mask, Policy, Version
from bylaw.policies.parse import parse_content
from bylaw.tenancy.model import Place

IDS = Ids(ManualClock())
SHOP = Place(workspace_id=WorkspaceId("shop"))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200)
said = texts.filter(str.strip)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
conditions = st.none() | st.dictionaries(texts.filter(lambda key: key != "phase"), values, max_size=4)
news = st.builds(
    NewEntry,
    topic=said.filter(lambda text: len(text) <= 120),
    rule_text=said,
    conditions=conditions,
    source_type=texts,
    source_conversation_id=st.none() | texts,
    confidence=st.none() | st.floats(0, 1),
    status=st.sampled_from([None, "approved", "pending_review"]),
)


def stored(content: Content, new=None) -> Current:
    """What the store would hold of a policy."""
    clock = ManualClock()
    status = "approved" if new is None else new.status or "approved"
    policy = Policy(
        id=PolicyId(IDS.uuid7()),
        tenant_id=TenantId("acme"),
        place=SHOP,
        status=status,
        approved=1 if status == "approved" else None,
        created_by="key:k",
        created_ms=clock.now_ms(),
        updated_by="key:k",
        updated_ms=clock.now_ms(),
        **({} if new is None else {"source": new.source}),
    )
    version = Version(
        policy_id=policy.id, number=1, content=content, digest="", author="key:k", reason="", created_ms=0
    )
    return Current(policy=policy, version=version)


@given(news)
def test_an_entry_comes_back_as_it_was_sent(new):
    policy = translate.new_policy(new, place=SHOP, ident="x")
    entry = translate.entry(stored(parse_content(policy.content), policy))
    for name in ("topic", "rule_text", "conditions", "source_type", "source_conversation_id", "confidence"):
        assert getattr(entry, name) == getattr(new, name), name
    assert entry.status == (new.status or "approved")
    assert (entry.tenant_id, entry.workspace_id) == ("acme", "shop")


def changed(content: Content, change: EntryChange) -> Content:
    return parse_content({**document(content), **translate.changed_fields(content, change)})


@given(news, news)
def test_a_change_is_what_the_entry_says_afterwards(before, after):
    content = parse_content(translate.new_policy(before, place=SHOP, ident="x").content)
    change = EntryChange(topic=after.topic, rule_text=after.rule_text, conditions=after.conditions)
    made = parse_content(translate.new_policy(after, place=SHOP, ident="x").content)
    assert changed(content, change) == made
    assert changed(content, EntryChange()) == content


rules = st.lists(
    st.sampled_from([{"expr": "a < 1"}, {"text": "Be brief."}, {"text": "Be kind.", "effect": "flag"}])
)
masks = st.none() | st.just({"fields": ["tool_result.iban"], "personal_data": ["email"]})


@given(rules, masks, said.filter(lambda text: len(text) <= 120))
def test_a_policy_of_any_shape_has_a_text_and_keeps_its_shape(given_rules, mask, topic):
    if not given_rules and mask is None:
        return
    content = parse_content({"name": "n", "rules": given_rules, **({} if mask is None else {"mask": mask})})
    entry = translate.entry(stored(content))
    assert entry.rule_text
    assert entry.rule_text.count("\n") == len(content.rules) + isinstance(content.mask, Mask) - 1
    after = changed(content, EntryChange(topic=topic, rule_text=entry.rule_text))
    assert (after.rules, after.mask, after.topic) == (content.rules, content.mask, topic)


@given(news, st.sets(st.sampled_from(translate.FIELDS)))
def test_a_part_has_the_fields_that_are_wanted_in_their_order(new, wanted):
    whole = translate.entry(stored(parse_content(translate.new_policy(new, place=SHOP, ident="x").content)))
    part = msgspec.to_builtins(translate.part(whole, wanted))
    assert list(part.items()) == [(k, v) for k, v in msgspec.to_builtins(whole).items() if k in wanted]


@given(said)
def test_a_name_is_the_first_words_and_not_long(text):
    name = translate.name_of(text)
    assert 0 < len(name) <= 80
    assert " ".join(text.split()).startswith(name.removesuffix("…"))
