"""`bylaw learning` against a server that answers as ours does: every line by itself, one run for a file."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

IMPORT = "/v1/conversations/import"
RUNS = "/v1/learning/runs"
RUN = {
    "id": "r1", "workspace_id": "w", "cause": "asked", "conversation_id": None, "dry_run": True,
    "status": "finished", "asked_by": "u1", "created_at": "2026-11-01T00:00:00Z", "finished_at": None,
    "read": 2, "counts": {"proposed": 1},
}  # fmt: skip


class Answering(HTTPServer):
    """A server that takes every conversation with messages, and keeps what it was sent."""

    def __init__(self):
        self.sent = []
        self.statuses = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.sent.append((self.path, body))
        if self.path == RUNS:
            self.answer(202, RUN)
            return
        poisoned = [place for place, each in enumerate(body["conversations"]) if "poison" in each]
        if poisoned:
            path = f"conversations[{poisoned[0]}].poison"
            problem = {"path": path, "code": "too_deep", "message": "It is nested too deeply."}
            self.answer(400, {"code": "invalid_input", "detail": "Not taken.", "errors": [problem]})
            return
        results = [self.arrived(place, each) for place, each in enumerate(body["conversations"])]
        self.answer(200, {"results": results})

    def do_GET(self):
        self.server.sent.append((self.path, None))
        if self.path == f"{RUNS}/r1":
            status = self.server.statuses.pop(0)
            found = {"miner": "", "embedder": "", "note": "", "findings": []}
            self.answer(200, {**RUN, **found, "status": status})
            return
        runs = [] if "workspace_id=empty" in self.path else [RUN]
        self.answer(200, {"data": runs, "next_cursor": "r1" if runs else None})

    def answer(self, status, value):
        answer = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def arrived(self, place, record):
        problem = {"path": "messages", "code": "unreadable", "message": "There are none."}
        refused = "messages" not in record
        outcome = "unchanged" if record.get("id") == "known" else "imported"
        return {
            "place": place,
            "id": str(record.get("id")),
            "outcome": "refused" if refused else outcome,
            "problems": [problem] if refused else [],
        }

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with Answering() as answering:
        thread = threading.Thread(target=answering.serve_forever)
        thread.start()
        yield answering
        answering.shutdown()
        thread.join()


def imported(run, server, folder, lines, *options):
    file = folder / "talk.jsonl"
    file.write_bytes(b"\n".join(lines))
    url = f"http://127.0.0.1:{server.server_port}"
    return run("learning", "import", file, "--workspace", "w", "--server", url, "--key", "k", *options)


def line(ident, padding=0):
    return json.dumps({"id": ident, "messages": [], "padding": "x" * padding}).encode()


def test_a_line_that_cannot_be_read_is_named_and_the_others_arrive(run, server, tmp_path):
    lines = [line("a"), b"{not json", b"", b"[]", b'{"id": "b"}', line("c")]
    code, out, err = imported(run, server, tmp_path, lines)
    assert (code, out) == (1, "2 imported, 0 unchanged, 3 refused\n")
    assert [each for each in err.splitlines() if each.startswith("line")] == [
        "line 2: Not JSON at column 2: Expecting property name enclosed in double quotes.",
        "line 4: A conversation is a JSON object with an id and messages.",
        "line 5: messages: There are none.",
    ]
    ((path, body),) = server.sent
    assert (path, [each["id"] for each in body["conversations"]]) == (IMPORT, ["a", "b", "c"])


def test_a_line_for_which_a_server_takes_nothing_is_named_with_its_field(run, server, tmp_path):
    lines = [line("a"), b'{"id": "b", "messages": [], "poison": 1}', line("c"), b'{"id": "d", "id": "e"}']
    code, out, err = imported(run, server, tmp_path, lines)
    assert (code, out) == (1, "2 imported, 0 unchanged, 2 refused\n")
    assert [each for each in err.splitlines() if each.startswith("line")] == [
        "line 4: id: A name stands twice in one object: keep one.",
        "line 2: poison: It is nested too deeply.",
    ]
    assert [[each["id"] for each in body["conversations"]] for _, body in server.sent] == [
        ["a", "b", "c"], ["a"], ["b"], ["c"],
    ]  # fmt: skip


def test_a_long_file_goes_in_parts_of_which_the_last_causes_the_run(run, server, tmp_path):
    code, out, _ = imported(run, server, tmp_path, [line(f"c{n}", 150_000) for n in range(7)])
    assert (code, out) == (0, "7 imported, 0 unchanged, 0 refused\n")
    assert [len(body["conversations"]) for _, body in server.sent] == [2, 2, 2, 1]
    assert [body["learn"] for _, body in server.sent] == [False, False, False, True]


def test_an_import_may_cause_no_run(run, server, tmp_path):
    imported(run, server, tmp_path, [line("a")], "--no-run")
    assert [body["learn"] for _, body in server.sent] == [False]


def test_an_empty_file_asks_for_nothing(run, server, tmp_path):
    assert imported(run, server, tmp_path, [])[:2] == (0, "0 imported, 0 unchanged, 0 refused\n")
    assert server.sent == []


def test_runs_say_where_the_list_goes_on_and_how_to_start_the_first(run, server):
    reach = ("--server", f"http://127.0.0.1:{server.server_port}", "--key", "k")
    code, out, err = run("learning", "runs", "--limit", "1", *reach)
    assert (code, out) == (0, "r1  2026-11-01T00:00:00Z  w  asked (dry)  finished  1 proposed\n")
    assert err == "There are more than 1: say --limit or --workspace.\n"
    code, out, err = run("learning", "runs", "--workspace", "empty", *reach)
    assert (code, out, err.startswith("There are none. Start one: bylaw learning run")) == (0, "", True)
    assert [path for path, _ in server.sent] == [
        "/v1/learning/runs?limit=1", "/v1/learning/runs?limit=50&workspace_id=empty",
    ]  # fmt: skip


def test_an_import_says_where_to_see_what_the_conversations_show(run, server, tmp_path):
    assert "bylaw learning runs --workspace w\n" in imported(run, server, tmp_path, [line("a")])[2]
    for lines, options in (
        ([line("a")], ["--no-run"]),
        (
            [line("a", 300_000), line("known", 300_000)],
            [],
        ),  # the last part, which causes the run, has nothing new
    ):
        assert "bylaw learning run --workspace w\n" in imported(run, server, tmp_path, lines, *options)[2]
    assert "bylaw" not in imported(run, server, tmp_path, [line("known")])[2]


def test_whoever_waits_for_a_run_is_told_for_what_and_when_it_is_given_up(run, server, monkeypatch):
    monkeypatch.setattr("bylaw.cli.learning._LOOK_S", 0.001)
    server.statuses = ["waiting"] * 20 + ["running"] * 20 + ["failed"]
    reach = ("--server", f"http://127.0.0.1:{server.server_port}", "--key", "k")
    code, out, err = run("learning", "run", "--workspace", "w", *reach)
    see = "see `bylaw jobs list --kind learning.run`."
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"r1 is waiting: {see}", f"r1 is running: {see}",
        f"bylaw: The run r1 was given up: {see} [unavailable]",
    ]  # fmt: skip
