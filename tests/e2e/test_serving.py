"""The server as a process: started with nothing, stopped politely, started again, and refused."""

import json
import signal
import socket
import threading
from contextlib import suppress

import httpx
import pytest

from tests.e2e.serving import ADMIN_KEY, PATIENCE_S, refused, serving

POLICY = {"name": "Limit", "rules": [{"expr": "tool_call.arguments.amount < 5000"}], "action": "block"}
ASKED = {"phase": "tool_call", "tool_call": {"name": "pay", "arguments": {"amount": 7000}}}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serving("--data", str(tmp_path_factory.mktemp("server"))) as found:
        yield found


def test_it_starts_with_no_settings_and_keeps_everything(tmp_path):
    with serving(cwd=tmp_path, key="", workers=1) as running:
        key = running.named("admin key").split()[0]
        assert key.startswith("sf_live_v1_")
        assert running.named("data") == str(tmp_path / "bylaw-data")
        with running.client(key) as client:
            policy = client.post("/v1/policies", json=POLICY).raise_for_status().json()
            decision = client.post("/v1/decisions", json=ASKED).raise_for_status().json()
        assert running.stop() == 0
    files = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "bylaw-data").iterdir()}
    assert files["keys.json"] == 0o600
    assert {"control.db", "receipts.db"} <= files.keys()
    with serving(cwd=tmp_path, key="") as running:
        assert "not shown again" in running.named("admin key")
        assert "BYLAW_ADMIN_KEY" in running.named("admin key")
        with running.client(key) as client:
            assert client.get(f"/v1/policies/{policy['id']}").json().items() <= policy.items()
            again = client.get(f"/v1/decisions/{decision['receipt_id']}").json()
            assert again["reasons"] == decision["reasons"]
            assert client.post("/v1/decisions", json=ASKED).json()["outcome"] == "block"
            verified = client.get(f"/v1/receipts/{decision['receipt_id']}/verify").json()
            assert verified["status"] == "verified"
        assert running.stop(signal.SIGINT) == 0


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_ready_hears_at_once_that_it_shall_stop(tmp_path, sent):
    with serving("--data", str(tmp_path)) as running:
        assert running.stop(sent) == 0


def test_a_polite_stop_answers_what_was_accepted(tmp_path):
    answered, cut_short = [], []
    batch = {"requests": [ASKED] * 50}

    def call(running, ready):
        with running.client() as client:
            client.get("/healthz")
            ready.wait()
            begun = False
            try:
                while True:
                    with client.stream("POST", "/v1/decisions:batch", json=batch) as found:
                        begun = True
                        results = json.loads(found.read())["results"]
                    answered.extend(each["decision"]["receipt_id"] for each in results)
                    begun = False
            except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
                # A connection that ends before anything of an answer arrived was not accepted any more.
                if begun:
                    cut_short.append(error)

    with serving("--data", str(tmp_path)) as running:
        ready = threading.Barrier(5)
        callers = [threading.Thread(target=call, args=(running, ready)) for _ in range(4)]
        for caller in callers:
            caller.start()
        ready.wait()
        while len(answered) < 200 and callers[0].is_alive():
            callers[0].join(0.01)
        assert running.stop() == 0
        for caller in callers:
            caller.join()
    assert cut_short == []
    with serving("--data", str(tmp_path)) as running, running.client() as client:
        for ident in answered[:: max(1, len(answered) // 50)]:
            client.get(f"/v1/receipts/{ident}").raise_for_status()
        assert len(answered) >= 200


def test_a_port_in_use_is_said_in_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, said = refused("--port", port, "--data", str(tmp_path))
    assert (code, said.count("\n")) == (1, 1)
    assert f"Port {port}" in said
    assert "--port" in said
    assert not any(tmp_path.iterdir())


def test_data_in_use_names_the_process_that_uses_it(tmp_path):
    with serving("--data", str(tmp_path)) as running:
        code, said = refused("--port", "0", "--data", str(tmp_path), BYLAW_ADMIN_KEY=ADMIN_KEY)
        assert code == 1
        assert str(running.process.pid) in said
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "extra", "words"),
    [
        (("--data", "d", "--database", "postgresql://h/d", "--key-file", "k"), {}, "--data has no effect"),
        ((), {"BYLAW_PROT": "1"}, "Did you mean BYLAW_PORT?"),
        (("--host", "0.0.0.0"), {}, "--expose"),
        (("--host", "no.such.host.invalid", "--expose"), {}, "not an address"),
        (("--database", "mysql://h/d", "--key-file", "k"), {}, "postgresql://"),
    ],
)
def test_what_could_not_work_is_refused_before_anything_is_made(tmp_path, options, extra, words):
    code, said = refused(*options, cwd=tmp_path, **extra)
    assert code == 2, said
    assert words in said
    assert "Traceback" not in said
    assert not (tmp_path / "bylaw-data").exists()


def test_every_start_says_what_it_did_about_the_key_that_was_brought(tmp_path):
    def told(key):
        with serving("--data", str(tmp_path), key=key) as running:
            line = next(line for line in running.said if "admin key" in line)
            assert key not in "\n".join(running.said)
            running.stop()
        return line

    another = "sf_live_v1_" + "another0" * 4
    assert told(ADMIN_KEY).endswith("registered, the first one here")
    assert told(ADMIN_KEY).endswith("known here already")
    assert "registered beside those known here" in told(another)
    assert told(another).endswith("known here already")


def test_a_revoked_admin_key_is_refused_at_the_next_start(tmp_path):
    with serving("--data", str(tmp_path)) as running, running.client() as client:
        made = client.post("/v1/keys", json={"name": "second", "scopes": ["admin"]}).json()
        mine = next(each for each in client.get("/v1/keys").json()["data"] if each["name"] == "Operator")
        with running.client(made["key"]) as second:
            second.post(f"/v1/keys/{mine['id']}/revoke").raise_for_status()
            assert client.get("/v1/keys").status_code == 401
        running.stop()
    code, said = refused("--port", "0", "--data", str(tmp_path), BYLAW_ADMIN_KEY=ADMIN_KEY)
    assert (code, "was revoked" in said) == (1, True)


def test_a_directory_in_place_of_the_key_file_is_called_one(tmp_path):
    (tmp_path / "keys.json").mkdir()
    code, said = refused("--port", "0", "--data", str(tmp_path))
    assert (code, "keys.json is not a file" in said, said.count("\n")) == (1, True, 1)


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    with serving("--data", str(tmp_path)) as running:
        running.stop()
    (tmp_path / "keys.json").chmod(0o644)
    code, said = refused("--port", "0", "--data", str(tmp_path))
    assert (code, "chmod 600" in said) == (1, True)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nhost: x\r\na: " + b"x" * 5_000_000 + b"\r\n\r\n", b"431"),
        (b"GET /healthz HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n", b"431"),
        (b"GET /healthz?" + b"x" * 1_000_000 + b" HTTP/1.1\r\n\r\n", b"414"),
    ],
)
def test_a_huge_head_is_refused_before_a_key_is_looked_for(running, head, status):
    address = ("127.0.0.1", int(running.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=PATIENCE_S) as connection, suppress(ConnectionError):
        connection.sendall(head)
    with socket.create_connection(address, timeout=PATIENCE_S) as connection:
        connection.sendall(head[:200_000])
        assert connection.makefile("rb").readline().split()[1] == status


def test_who_closes_their_side_after_a_decision_is_asked_for_gets_it(running):
    address = ("127.0.0.1", int(running.url.rpartition(":")[2]))
    head = f"POST /v1/decisions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\n".encode()
    head += b"content-type: application/json\r\ncontent-length: 23\r\n\r\n"
    with socket.create_connection(address, timeout=PATIENCE_S) as connection:
        connection.sendall(head + b'{"user_intent":"hello"}')
        connection.shutdown(socket.SHUT_WR)
        said = connection.makefile("rb").read()
    assert b" 200 " in said.splitlines()[0]
    assert b'"receipt_id":"rcpt_' in said
