"""Recorded conversations taken over: in every form, whole or not at all, and never twice."""

import json

import pytest

from bylaw.core.errors import Forbidden, InvalidInput, NotFound
from bylaw.core.ids import Ids, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.jobs.store import JobFilter
from bylaw.learning.forgetting import forget_conversation
from bylaw.learning.recordings import import_recordings, recorded
from bylaw.learning.store import ConversationFilter
from bylaw.tenancy.principal import Acting, Grant, Principal, system_principal
from tests.contracts.values import START, A, conversation, place, workspace
from tests.shared import SHARED

W = WorkspaceId("w")
ALL = Slice(limit=100)


def acting(unit, clock, *scopes, where=None):
    principal = system_principal(A)
    if scopes:
        grant = Grant(place=where or place("w"), scopes=frozenset(scopes))
        principal = Principal(tenant_id=A, kind="key", id="k", grants=(grant,))
    return Acting(unit=unit, principal=principal, clock=clock, ids=Ids(clock))


def read(record):
    return recorded(record, tenant_id=A, workspace_id=W, now_ms=START)


def test_messages_of_providers_come_with_their_calls_and_results():
    tool = {"id": "t1", "function": {"name": "get", "arguments": '{"id": "7"}'}}
    record = {
        "id": "c",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "One moment", "tool_calls": [tool]},
            {"role": "tool", "tool_call_id": "t1", "content": "found"},
            {"role": "assistant", "content": None, "tool_calls": [tool]},
            {"role": "tool", "tool_call_id": "t1", "content": "found again"},
            {"role": "human", "content": "Let me take over."},
        ],
        "reward": 1.0,
    }
    found = read(record)
    assert [(each.speaker, each.text) for each in found.messages] == [
        ("contact", "Hello"),
        ("agent", "One moment"),
        ("agent", ""),
        ("human", "Let me take over."),
    ]
    assert [call.result for each in found.messages for call in each.calls] == ["found", "found again"]
    assert (found.status, found.resolved_ms, found.owner) == ("resolved", START, "")
    assert all(each.id == "" for each in found.messages)


def test_our_own_form_is_read_back_as_it_was():
    record = {
        "id": "c",
        "status": "open",
        "outcome": "Sent a new one.",
        "contact_name": "Ada",
        "human_managed": True,
        "created_at": "2026-01-01T00:00:00Z",
        "messages": [
            {"speaker": "contact", "text": "Hi", "created_at": "2026-01-01T00:00:01Z"},
            {"speaker": "agent", "text": "", "calls": [{"name": "get", "arguments": {}, "result": "x"}]},
        ],
    }
    found = read(record)
    assert (found.status, found.outcome, found.contact_name, found.human_managed) == (
        "open", "Sent a new one.", "Ada", True,
    )  # fmt: skip
    assert (found.created_ms, found.messages[0].at_ms, found.resolved_ms) == (START, START + 1_000, None)
    assert found.messages[1].calls[0].result == "x"


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ([], ""),
        ({"messages": []}, "id"),
        ({"id": 7, "messages": []}, "id"),
        ({"id": "c"}, "messages"),
        ({"id": "c", "messages": ["x"]}, "messages"),
        ({"id": "c", "messages": [{}] * 1_001}, "messages"),
        ({"id": "c", "messages": [{"speaker": "nobody"}]}, "messages[0].speaker"),
        ({"id": "c", "messages": [{"speaker": "agent", "text": 1}]}, "messages[0].text"),
        ({"id": "c", "messages": [{"speaker": "agent", "created_at": "now"}]}, "messages[0].created_at"),
        ({"id": "c", "messages": [{"speaker": "agent", "calls": [{"name": "x"}]}]}, "messages[0].calls"),
        ({"id": "c", "messages": [], "status": "done"}, "status"),
        ({"id": "c", "messages": [], "outcome": 5}, "outcome"),
        ({"id": "c", "messages": [], "contact_name": "x" * 501}, "contact_name"),
    ],
)
def test_what_cannot_be_read_is_named(record, path):
    with pytest.raises(InvalidInput) as refused:
        read(record)
    assert [each.path for each in refused.value.problems] == [path]


@pytest.mark.parametrize(
    "arguments",
    [
        '{"n": 1e999}',
        '{"n": NaN}',
        '{"n": "\\u0000"}',
        '{"\\ud800": 1}',
        f"{'[' * 9_000}",
        f'{{"n": {"[" * 99}{"]" * 99}}}',
    ],
    ids=["endless", "no number", "NUL", "half a character", "unclosed", "deep"],
)
def test_a_call_with_arguments_that_no_request_may_hold_is_refused_with_its_conversation(arguments):
    called = {
        "role": "assistant",
        "tool_calls": [{"id": "t", "function": {"name": "get", "arguments": arguments}}],
    }
    with pytest.raises(InvalidInput):
        read({"id": "c", "messages": [called]})


async def test_each_is_stored_whole_or_refused_and_twice_changes_nothing(store, clock):
    good = {"id": "one", "messages": [{"speaker": "agent", "text": "Hello"}]}
    bad = {"id": "two", "messages": [{"speaker": "agent", "text": "Hello"}, {"speaker": "?"}]}
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(workspace(id=W))
        first = await import_recordings(acting(unit, clock), W, [good, bad, "no object"])
        assert [(each.id, each.outcome) for each in first] == [
            ("w:one", "imported"), ("two", "refused"), ("", "refused"),
        ]  # fmt: skip
    async with store.begin(A) as unit:
        changed = {**good, "messages": []}
        (again,) = await import_recordings(acting(unit, clock), W, [changed])
        assert again.outcome == "unchanged"
        assert len((await unit.conversations.get("w:one")).messages) == 1
        assert (await unit.conversations.list(ConversationFilter(), ALL)).items[0].id == "w:one"
        runs = (await unit.learning.runs.list((place("w"),), ALL)).items
        assert [(each.cause, each.conversation_id) for each in runs] == [("imported", None)]
        assert len((await unit.jobs.list(JobFilter(), ALL)).items) == 1


async def test_ids_are_of_their_workspace_and_tell_nothing_of_another(store, clock):
    said = {"id": "one", "messages": [{"speaker": "agent", "text": "Hello"}]}
    told = []
    async with store.begin(A) as unit:
        for ident in ("v", "w"):
            await unit.tenancy.workspaces.add(workspace(id=WorkspaceId(ident)))
            imported = await import_recordings(acting(unit, clock), WorkspaceId(ident), [said])
            told.append([(each.id, each.outcome) for each in imported])
        assert told == [[("v:one", "imported")], [("w:one", "imported")]]


async def test_a_conversation_that_has_its_bare_id_in_the_workspace_stays_as_it_is(store, clock):
    said = {"id": "one", "messages": [{"speaker": "agent", "text": "Hello"}]}
    async with store.begin(A) as unit:
        for ident in ("v", "w"):
            await unit.tenancy.workspaces.add(workspace(id=WorkspaceId(ident)))
        await unit.conversations.add(conversation(id="one", place=place("w")))
        await unit.conversations.add(conversation(id="w:two", place=place("v")))
        (known,) = await import_recordings(acting(unit, clock), W, [said])
        (taken,) = await import_recordings(acting(unit, clock), W, [{**said, "id": "two"}])
    assert (known.id, known.outcome) == ("one", "unchanged")
    assert (taken.outcome, [each.code for each in taken.problems]) == ("refused", ["taken"])


async def test_what_was_forgotten_does_not_come_back_with_the_next_import(store, clock):
    said = {"id": "one", "messages": [{"speaker": "agent", "text": "Hello"}]}
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(workspace(id=W))
        by = acting(unit, clock)
        await import_recordings(by, W, [said])
        await forget_conversation(by, "w:one")
        assert [each.outcome for each in await import_recordings(by, W, [said])] == ["unchanged"]
        assert (await unit.conversations.get("w:one")).messages == ()


async def test_who_may_not_write_there_imports_nothing(store, clock):
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(workspace(id=W))
        await unit.tenancy.workspaces.add(workspace(id=WorkspaceId("v")))
        with pytest.raises(Forbidden):
            await import_recordings(acting(unit, clock, "conversations:read"), W, [])
        elsewhere = acting(unit, clock, "conversations:write", where=place("v"))
        with pytest.raises(NotFound):
            await import_recordings(elsewhere, W, [])


@pytest.mark.skipif(SHARED is None, reason="the recording is not beside the project")
def test_the_recording_that_lies_beside_the_project_is_read_whole():
    lines = (SHARED / "data" / "tau-airline" / "conversations.jsonl").read_text("utf-8").splitlines()
    found = [read(json.loads(line)) for line in lines]
    calls = [call for each in found for message in each.messages for call in message.calls]
    assert (len(found), len(calls)) == (100, 621)
    assert sum(bool(call.result) for call in calls) > 500
