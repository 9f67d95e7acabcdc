"""Receipts are RFC 8785 canonical JSON by construction, and nothing else reads as one."""

import inspect
import json
from types import NoneType, UnionType

import msgspec
import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.canonical_json import canonical
from bylaw.core.clock import rfc3339
from bylaw.core.errors import InvalidInput
from bylaw.receipts import model
from tests.receipts.book import Book

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
counts = st.integers(0, 2**53 - 1)
moments = st.integers(0, 4_102_444_800_000)


def structs(kind):
    return st.builds(kind, **{field.name: _strategy(field.type) for field in msgspec.structs.fields(kind)})


def _strategy(hint):
    if hint is str:
        return texts
    if hint is bool:
        return st.booleans()
    if hint == model.Count:
        return counts
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return structs(hint)
    if isinstance(hint, UnionType):
        return st.one_of(*(st.none() if each is NoneType else _strategy(each) for each in hint.__args__))
    return st.lists(_strategy(hint.__args__[0]), max_size=3).map(tuple)


claims = {
    "decision": structs(model.DecisionClaim),
    "outcome": structs(model.OutcomeClaim),
    "policy_version": structs(model.PolicyVersionClaim),
    "approval": structs(model.ApprovalClaim),
    "change": structs(model.ChangeClaim),
    "key": structs(model.KeyClaim),
    "cross_anchor": structs(model.CrossAnchorClaim),
}


@st.composite
def receipts(draw):
    kind, ms = draw(st.sampled_from(sorted(claims))), draw(moments)
    return model.Receipt(
        claim=draw(claims[kind]),
        commitments=tuple(draw(st.lists(structs(model.Commitment), max_size=3))),
        format=model.FORMAT,
        id=draw(texts),
        issued_at=rfc3339(ms),
        issued_ms=ms,
        kid=draw(texts),
        kind=kind,
        log=draw(texts),
        tenant=draw(texts),
    )


@given(receipts())
def test_the_encoding_is_canonical_and_reads_back(receipt):
    data = model.encode(receipt)
    assert data == canonical(json.loads(data)) == rfc8785.dumps(json.loads(data))
    assert data == orjson.dumps(orjson.loads(data), option=orjson.OPT_SORT_KEYS)
    assert model.decode(data) == receipt


def test_every_structure_declares_its_fields_in_order():
    kinds = [kind for _, kind in inspect.getmembers(model, inspect.isclass) if issubclass(kind, model._Said)]
    assert len(kinds) > 10
    for kind in kinds:
        names = [field.name for field in msgspec.structs.fields(kind)]
        assert names == sorted(names), kind


def test_text_with_a_lone_surrogate_is_refused():
    book = Book()
    with pytest.raises(ValueError, match="surrogates"):
        book.issue(claim=model.OutcomeClaim(agent="\ud800", outcome_of="rcpt_1", status="done"))


VALID = json.loads(Book().issue().receipt)


def changed(**members):
    return canonical({**VALID, **members})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b"null", "malformed"),
        (b"\xff{}", "malformed"),
        (b'{"format":"bylaw.receipt/1"}', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"format":"bylaw.receipt/1","x":' + b"[" * 900 + b"]" * 900 + b"}", "malformed"),
        (b"x" * (model.MAX_RECEIPT_BYTES + 1), "malformed"),
        (canonical(VALID) + b" ", "malformed"),
        (json.dumps(VALID).encode(), "malformed"),
        (changed(format="bylaw.receipt/2"), "unknown_format"),
        (changed(format=1), "malformed"),
        (changed(kind="verdict"), "malformed"),
        (changed(issued_ms=-1), "malformed"),
        (changed(issued_ms=1.5), "malformed"),
        (changed(issued_ms="1"), "malformed"),
        (changed(issued_ms=VALID["issued_ms"] + 1), "malformed"),
        (changed(issued_at="yesterday"), "malformed"),
        (changed(issued_at="2026-01-01T00:00:01"), "malformed"),
        (changed(claim={}), "malformed"),
        (changed(commitments=[{"name": "x"}]), "malformed"),
        (changed(extra=1.5), "malformed"),
        (changed(é=1), "malformed"),
        (canonical(VALID).replace(b'"kid"', b'"kid":"x","kid"'), "malformed"),
    ],
)
def test_what_is_not_a_receipt_is_refused_with_a_reason(data, code):
    with pytest.raises(InvalidInput) as caught:
        model.decode(data)
    assert caught.value.problems[0].code == code


def test_a_newer_writer_s_field_is_passed_over_while_it_is_canonical():
    read = model.decode(changed(zone="eu"))
    assert read.id == VALID["id"]


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_without_a_crash(data):
    with pytest.raises(InvalidInput):
        model.decode(data)


@given(st.binary(max_size=64), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_commitment_hides_behind_its_salt(content, salt, other):
    made = model.commit("request", salt, content)
    assert made == model.commit("request", salt, content)
    assert (made.hash == model.commit("request", other, content).hash) == (salt == other)
    assert made.hash != model.commit("request", salt, content + b"x").hash


def applied(digest, *, ident="p", version=1):
    return model.AppliedPolicy(
        digest=digest, id=ident, outcome="allow", rules=(), version=version, via="place"
    )


def test_the_effective_digest_covers_versions_order_and_extra_rules():
    a, b = applied("a"), applied("b")
    cases = [
        ([a, b], ""),
        ([b, a], ""),
        ([a], "b"),
        ([a], ""),
        ([applied("a", version=2)], ""),
        ([applied("a", ident="q")], ""),
        ([], ""),
    ]
    assert len({model.effective_rules_digest(policies, extra) for policies, extra in cases}) == len(cases)
