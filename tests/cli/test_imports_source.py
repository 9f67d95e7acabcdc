"""A source that answers oddly, slowly, wrongly or not at all."""

import json
import threading
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest

from bylaw.api.native.imports import Import
from bylaw.cli.imports import agentcert, flashback, ohallo
from bylaw.cli.imports import source as sources
from bylaw.cli.imports.sending import ServerTarget
from bylaw.cli.imports.source import ATTEMPTS, MOST_EMPTY_PAGES, Source
from bylaw.cli.remote import Remote
from bylaw.core.clock import ManualClock
from bylaw.core.errors import (
    Corrupt,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

TIME = "2025-03-01T09:00:00.000Z"


@contextmanager
def answering(answer):
    """The address of a server; `answer(path, query)` gives a value, bytes, or a status with headers."""
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            asked.append((self.path, dict(self.headers)))
            said = answer(address.path, query)
            status, headers, body = said if isinstance(said, tuple) else (200, {}, said)
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in ({"content-length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


class Pauses(list):
    def __call__(self, seconds):
        self.append(seconds)


def get(answer, pauses=None, clock=None):
    with answering(answer) as (url, _):
        return Source(
            url, {}, pause=Pauses() if pauses is None else pauses, clock=clock or ManualClock()
        ).get("/x")


def scripted(*answers):
    left = list(answers)
    return lambda *_: left.pop(0)


def entry(ident, **said):
    return {"id": ident, "topic": "t", "ruleText": f"Never {ident}.", "status": "approved"} | said


def test_a_busy_source_is_asked_again_after_as_long_as_it_says():
    pauses = Pauses()
    found = get(scripted((429, {"retry-after": "3"}, b""), (500, {}, b""), (503, {}, b""), {"a": 1}), pauses)
    assert (found, pauses) == ({"a": 1}, [3, 1.0, 2.0])


def test_a_batch_that_a_busy_server_puts_off_is_sent_again():
    view = {"tenant_id": "t", "dry_run": False, "results": []}
    pauses = Pauses()
    with answering(scripted((429, {"retry-after": "7"}, b""), (503, {}, b""), view)) as (url, asked):
        target = ServerTarget(remote=Remote(url, "key"), pause=pauses)
        assert target.send(Import()).tenant_id == "t"
    assert ([path for path, _ in asked], pauses) == (["/v1/imports"] * 3, [7, 1.0])


def test_a_moment_until_which_to_wait_is_understood():
    pauses, clock = Pauses(), ManualClock()
    later = ManualClock(clock.now_ms() + 9_000)
    get(scripted((429, {"retry-after": format_datetime(later.now())}, b""), {}), pauses, clock)
    assert pauses == [10]


def test_a_source_that_never_can_is_given_up():
    pauses = Pauses()
    with pytest.raises(RateLimited):
        get(lambda *_: (503, {}, b""), pauses)
    assert len(pauses) == ATTEMPTS - 1


def test_nobody_waits_for_hours():
    pauses = Pauses()
    with pytest.raises(RateLimited) as caught:
        get(lambda *_: (429, {"retry-after": "3600"}, b""), pauses)
    assert (caught.value.retry_after_s, pauses) == (3600, [])


def test_a_source_that_is_away_is_tried_again_and_told():
    pauses = Pauses()
    with pytest.raises(Unavailable, match="No server answers"):
        Source("http://127.0.0.1:9", {}, pause=pauses).get("/x")
    assert len(pauses) == ATTEMPTS - 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthenticated), (403, Forbidden), (404, NotFound), (400, InvalidInput), (418, InvalidInput)],
)
def test_a_refusal_is_told_and_not_repeated(status, kind):
    pauses = Pauses()
    with pytest.raises(kind, match=str(status)):
        get(lambda *_: (status, {}, b""), pauses)
    assert pauses == []


def test_the_key_is_sent_to_nobody_else():
    with answering(lambda *_: {}) as (elsewhere, asked):

        def redirect(*_):
            return 302, {"location": f"{elsewhere}/x"}, b""

        with answering(redirect) as (url, _), pytest.raises(InvalidInput, match="elsewhere"):
            Source(url, {"x-api-key": "secret"}).get("/x")
        assert asked == []


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"\xff", b"[" * 100_000], ids=["html", "empty", "bytes", "deep"]
)
def test_what_is_no_json_is_told(body):
    with pytest.raises(Corrupt, match="no JSON"):
        get(lambda *_: body)


def test_an_answer_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(sources, "MOST_BYTES", 1 << 20)
    with pytest.raises(Corrupt, match="1 MiB"):
        get(lambda *_: b" " * (2 << 20))


def test_an_answer_that_is_cut_short_is_asked_for_again():
    found = get(scripted((200, {"content-length": "50"}, b"{"), {"a": 1}))
    assert found == {"a": 1}


def test_an_answer_that_drips_is_given_up():
    class Late(ManualClock):
        def now_ms(self):
            self.advance(200_000)
            return super().now_ms()

    with pytest.raises(Unavailable, match="end"):
        get(lambda *_: b" " * (1 << 20), clock=Late())


@pytest.mark.parametrize("url", ["ftp://x", "x", "http://", "file:///etc/passwd", "http://[x"])
def test_only_an_address_of_a_server_is_asked(url):
    with pytest.raises(InvalidInput, match="address"):
        Source(url, {})


@pytest.mark.parametrize("url", ["https://u:secret@host", "https://host?key=secret", "https://host#secret"])
def test_a_secret_in_the_address_is_refused_unseen(url):
    with pytest.raises(InvalidInput, match="--key") as caught:
        Source(url, {})
    assert "secret" not in caught.value.message


def test_rows_that_move_while_they_are_read_come_once():
    """Somebody adds an entry in front while the pages are read, so one is seen twice."""
    pages = {"0": [entry("b"), entry("a")], "2": [entry("a"), entry("z")]}

    def answer(path, query):
        if path.endswith("/pending"):
            return {"items": [], "total": 0}
        return {"items": pages.get(query.get("offset", "0"), []), "total": 3}

    found = read_ohallo(answer)
    assert policies(found) == ["b", "a", "z"]


def test_a_list_that_gives_fewer_rows_than_it_says_is_read_again_and_then_refused():
    def answer(_, query):
        return {"items": [entry("a")] if query.get("offset", "0") == "0" else [], "total": 3}

    with pytest.raises(Corrupt, match="says that it has 3 rows, and gives 1"):
        read_ohallo(answer)


def test_a_source_that_gives_the_same_page_for_ever_is_noticed():
    with pytest.raises(Corrupt, match="says that it has"):
        read_ohallo(lambda *_: {"items": [entry("a")], "total": 40})
    with pytest.raises(Corrupt, match="never ends"):
        read_agentcert(lambda *_: {"data": [], "next_cursor": "again"})


def test_a_source_that_gives_empty_pages_for_ever_is_noticed():
    numbers = count()
    with pytest.raises(Corrupt, match=f"never ends: {MOST_EMPTY_PAGES} pages in a row are empty"):
        read_agentcert(lambda *_: {"data": [], "next_cursor": f"c{next(numbers)}"})
    assert next(numbers) == MOST_EMPTY_PAGES


def test_a_few_empty_pages_are_passed_over():
    def answer(path, query):
        if path != "/v1/policies":
            return {"data": []}
        at = int(query.get("cursor", "0"))
        row = {"id": f"p{at}", "name": "P", "rules": []}
        is_empty = at % MOST_EMPTY_PAGES
        return {"data": [] if is_empty else [row], "next_cursor": str(at + 1) if at < 10 else None}

    assert policies(read_agentcert(answer)) == ["p0", "p5", "p10"]


def test_a_list_may_be_a_bare_array():
    found = read_ohallo(lambda _, query: [] if query.get("offset", "0") != "0" else [entry("a")])
    assert policies(found) == ["a"]


@pytest.mark.parametrize("page", [{"items": 1}, {"rows": []}, "x", 1, None])
def test_an_answer_of_another_shape_is_told(page):
    with pytest.raises(Corrupt, match="no list"):
        read_ohallo(lambda *_: page)


ODD = [
    ({}, "id"),
    (entry("a", topic=""), "topic"),
    (entry("a", ruleText=None), "ruleText"),
    (entry("a", status="on"), "status"),
    (entry("a", conditions=[]), "conditions"),
    (entry("a", workspaceId="other"), "workspaceId"),
    (entry("a", workspaceId=None), "workspaceId"),
    (entry("a", createdAt="yesterday"), "created_at"),
    (entry("a", topic="\ud800"), ""),
    (entry("a", conditions={"a": "\x00"}), "content.conditions.a"),
    (entry("a", conditions={"a": 2**70}), "content.conditions.a"),
    (7, "id"),
]


@pytest.mark.parametrize(("row", "path"), ODD, ids=range(len(ODD)))
def test_a_row_that_is_no_use_is_refused_by_itself(row, path):
    def answer(asked, _):
        rows = [row, entry("good")] if not asked.endswith("/pending") else []
        return {"items": rows, "total": len(rows)}

    found = read_ohallo(answer)
    assert policies(found) == ["good"]
    (refused,) = found.refused.values()
    assert refused.problems[0].path == path


def test_two_rows_under_one_id_are_both_refused():
    found = read_ohallo(
        lambda path, _: (
            {"items": [], "total": 0} if "pending" in path else {"items": [entry("a")], "total": 1}
        ),
        ("w1", "w2"),
    )
    assert policies(found) == []
    (refused,) = found.refused.values()
    assert [(each.path, each.code) for each in refused.problems] == [("id", "twice")]


def test_fields_that_nobody_knows_are_named():
    def answer(path, _):
        return {"items": [] if "pending" in path else [entry("a", mood="grim")], "total": 0}

    assert read_ohallo(answer).unknown == {("policy", "mood")}


def test_a_policy_of_agentcert_alone_governs_who_is_bound():
    policy = {"id": "p", "name": "P", "description": "d", "version": 3, "is_active": False}
    policy["rules"] = [{"type": "deterministic", "expr": "a < 1"}, {"type": "nl", "text": "Reject it."}]
    agents = [{"agent_id": "bot", "policy_id": "p"}, {"id": "seen", "registered": False}, {"name": "none"}]

    def answer(path, _):
        return [policy] if path == "/v1/policies" else {"agents": agents}

    found = read_agentcert(answer)
    (one,) = found.of("policy")
    assert (one.reach, one.version, one.is_active, one.status) == ("bound", 3, False, "approved")
    assert set(one.content) == {"name", "description", "rules"}
    (bot,) = found.of("agent")
    assert (bot.id, bot.policy_id) == ("bot", "p")
    assert next(each for each in found.left if "only seen" in each.what).count == 1
    (refused,) = found.refused.values()
    assert [each.path for each in refused.problems] == ["agent_id"]


def test_what_only_bylaw_tells_is_said_where_it_cannot_come():
    policy = {"id": "p", "name": "P", "rules": [], "pending": 2, "decided_by": "key:k", "mystery": 1}

    def answer(path, _):
        return {"data": [policy | {"created_by": "system:bylaw"}] if path == "/v1/policies" else []}

    found = read_agentcert(answer)
    assert any("edit of policy p" in each.what for each in found.left)
    assert len(found.notes) == 2
    assert found.unknown == {("policy", "mystery")}


PERSON = {"id": "u1", "name": "Ada", "lastName": "L", "email": "ada@example.com"}
POLICY = {
    "id": "p1", "orgId": "o", "name": "n", "content": "c", "riskType": "LOW", "actionType": 0,
    "createdBy": PERSON, "createdAt": TIME, "lastUpdatedBy": PERSON, "lastUpdatedAt": TIME,
}  # fmt: skip


def organisation(**changes):
    said = {
        "/user/profile": {"success": True, "data": {"orgId": "o"}},
        "/workspace": {"workspaces": [{"id": "w", "name": "W", "users": []}]},
        "/repo": {"repos": [{"id": "r", "name": "R", "workspaceId": "w", "createdAt": TIME, "buckets": [1]}]},
        "/organization/users": {"data": [PERSON | {"orgRole": 255}], "total": 1},
        "/policy": {"policies": [POLICY]},
    } | changes

    def answer(path, _):
        return said.get(path, (404, {}, b""))

    return answer


def test_an_organisation_of_the_bare_contract_is_read():
    found = read_flashback(organisation())
    assert found.tenant_id == "o"
    (one,) = found.of("policy")
    assert (one.created_by, one.workspace_id, one.is_active) == ("user:u1", None, True)
    assert [each.org_role for each in found.of("user")] == ["OWNER"]
    assert found.notes == []


def test_a_repo_says_its_workspace_itself():
    (one,) = read_flashback(organisation(**{"/policy": {"policies": [POLICY | {"repoId": "r"}]}})).of(
        "policy"
    )
    assert (one.workspace_id, one.repo_id) == ("w", "r")


def test_who_is_listed_nowhere_is_named_and_a_key_is_told():
    key = {"id": "k1", "name": "builder", "lastName": "", "email": ""}
    left = PERSON | {"id": "u2", "email": "left@example.com"}
    policy = POLICY | {"createdBy": left, "lastUpdatedBy": key}
    found = read_flashback(organisation(**{"/policy": {"policies": [policy]}}))
    (one,) = found.of("policy")
    assert (one.created_by, one.updated_by) == ("user:u2", "key:k1")
    assert {each.id: each.deleted_at for each in found.of("user")} == {"u1": None, "u2": TIME}
    assert any("builder" in note for note in found.notes)


def test_a_member_whom_the_organisation_does_not_list_comes_as_well():
    member = {"userId": "u9", "role": "READ", "user": PERSON | {"id": "u9", "email": "m@example.com"}}
    workspace = {"id": "w", "name": "W", "users": [member]}
    found = read_flashback(organisation(**{"/workspace": {"workspaces": [workspace]}}))
    roles = {each.id: each.workspace_roles for each in found.of("user")}
    assert roles == {"u1": {}, "u9": {"w": "READ"}}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"/policy": {"policies": [POLICY | {"orgId": "other"}]}}, "orgId"),
        ({"/policy": {"policies": [POLICY | {"actionType": 9}]}}, "actionType"),
        ({"/policy": {"policies": [POLICY | {"createdBy": None}]}}, "createdBy"),
        ({"/organization/users": {"data": [PERSON, PERSON | {"id": "u3", "orgRole": 7}]}}, "orgRole"),
        ({"/workspace": {"workspaces": [{"id": "w"}]}}, "name"),
    ],
    ids=["tenant", "action", "person", "role", "workspace"],
)
def test_a_row_of_an_organisation_that_is_no_use_is_refused_by_itself(changes, path):
    found = read_flashback(organisation(**changes))
    (refused,) = found.refused.values()
    assert refused.problems[0].path == path


def test_a_list_of_people_that_is_cut_is_noticed():
    with pytest.raises(Corrupt, match="says that it has 5"):
        read_flashback(organisation(**{"/organization/users": {"data": [], "total": 5}}))


def test_a_profile_without_an_organisation_is_told():
    with pytest.raises(InvalidInput, match="orgId"):
        read_flashback(organisation(**{"/user/profile": {"data": {}}}))


def read_ohallo(answer, workspaces=("w1",)):
    with answering(answer) as (url, _):
        return ohallo.read(source(url), [(ident, ident) for ident in workspaces])


def read_agentcert(answer):
    with answering(answer) as (url, _):
        return agentcert.read(source(url))


def read_flashback(answer):
    with answering(answer) as (url, _):
        return flashback.read(source(url))


def source(url):
    return Source(url, {}, pause=Pauses(), clock=ManualClock())


def policies(found):
    return [each.id for each in found.of("policy")]
