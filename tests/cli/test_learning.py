"""`bylaw learning` against a server that answers as ours does: every line by itself, one run for a file."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

IMPORT = "/v1/conversations/import"


class Answering(HTTPServer):
    """A server that takes every conversation with messages, and keeps what it was sent."""

    def __init__(self):
        self.sent = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.sent.append((self.path, body))
        poisoned = [place for place, each in enumerate(body["conversations"]) if "poison" in each]
        if poisoned:
            path = f"conversations[{poisoned[0]}].poison"
            problem = {"path": path, "code": "too_deep", "message": "It is nested too deeply."}
            self.answer(400, {"code": "invalid_input", "detail": "Not taken.", "errors": [problem]})
            return
        results = [self.arrived(place, each) for place, each in enumerate(body["conversations"])]
        self.answer(200, {"results": results})

    def answer(self, status, value):
        answer = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def arrived(self, place, record):
        problem = {"path": "messages", "code": "unreadable", "message": "There are none."}
        refused = "messages" not in record
        return {
            "place": place,
            "id": str(record.get("id")),
            "outcome": "refused" if refused else "imported",
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
