"""`bylaw log keys` and `bylaw log checkpoints` against real servers: under load, restored, and forked."""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from bylaw.cli.remote import Remote
from bylaw.receipts import checkpoint
from tests.e2e import serving as servers

RAW_KEY = "sf_live_v1_" + "k" * 32
QUESTION = {"agent_id": "a", "phase": "input", "user_intent": "hello"}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.delenv("BYLAW_URL", raising=False)
    monkeypatch.setenv("BYLAW_API_KEY", RAW_KEY)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Auditor")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "auditor@example.com")
    for whose in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{whose}", os.devnull)


@contextmanager
def serving(data):
    """Run a real server on the directory `data`, and yield its address."""
    with servers.serving("--data", str(data), key=RAW_KEY) as running:
        yield running.url
        assert running.stop() == 0


def decide(url, count=1):
    server = Remote(url, RAW_KEY)
    return [json.loads(server.request("POST", "/v1/decisions", QUESTION))["receipt_id"] for _ in range(count)]


def standings(output):
    return [line.split()[1].strip(",") for line in output.splitlines()]


def test_receipts_verify_before_during_and_after_rotations_under_load(run, tmp_path):
    with serving(tmp_path / "data") as url, ThreadPoolExecutor(4) as pool:
        before = decide(url, 5)
        working = [pool.submit(decide, url, 40) for _ in range(4)]
        rotations = [run("log", "keys", "rotate", "--server", url)[0] for _ in range(3)]
        during = [ident for each in working for ident in each.result()]
        after = decide(url, 5)
        server, bundles = Remote(url, RAW_KEY), []
        for ident in [*before, *during, *after]:
            path = tmp_path / f"{ident}.json"
            path.write_bytes(server.request("GET", f"/v1/receipts/{ident}/bundle"))
            bundles.append(path)
        (tmp_path / "jwks.json").write_bytes(server.request("GET", "/.well-known/jwks.json"))
        (tmp_path / "log.jsonl").write_bytes(server.request("GET", "/v1/log/export"))
    assert rotations == [0, 0, 0]
    assert run("verify", *bundles, "--keys", tmp_path / "jwks.json")[0] == 0
    assert run("log", "audit", tmp_path / "log.jsonl", "--keys", tmp_path / "jwks.json")[0] == 0
    code, out, _ = run("log", "keys", "list", tmp_path / "jwks.json")
    assert (code, standings(out)) == (0, ["retired", "retired", "retired", "active"])


def test_keys_are_listed_rotated_and_revoked_on_a_server_and_in_a_directory(run, tmp_path):
    data = tmp_path / "data"
    with serving(data) as url:
        first = run("log", "keys", "list", "--server", url)[1].split()[0]
        assert run("log", "keys", "revoke", first, "--at", "2026-01-01T00:00:00Z", "--server", url)[0] == 0
        name = checkpoint.parse(Remote(url).request("GET", "/v1/log/checkpoint")).checkpoint.origin
        code, out, _ = run("log", "keys", "list", "--server", url, "--log", name)
        assert code == 0
        assert standings("\n".join(out.splitlines()[::2])) == ["revoked", "active"]
        assert all(line.startswith(f"  {name}+") for line in out.splitlines()[1::2])
        code, _, err = run("log", "keys", "rotate", "--data", data)
        assert (code, "[conflict]" in err) == (1, True)
        code, _, err = run("log", "keys", "revoke", "nobody's", "--server", url)
        assert (code, "No signing key with id" in err) == (1, True)
    assert run("log", "keys", "rotate", "--data", data)[0] == 0
    code, out, _ = run("log", "keys", "list", "--data", data)
    assert (code, standings(out)) == (0, ["revoked", "retired", "active"])
    active = out.splitlines()[-1].split()[0]
    code, out, _ = run("log", "keys", "revoke", active, "--data", data)
    assert (code, standings(out)) == (0, ["revoked"])
    code, _, err = run("log", "keys", "revoke", active, "--at", "yesterday", "--data", data)
    assert (code, "--at" in err) == (2, True)
    code, _, err = run("log", "keys", "list", "--data", tmp_path / "none")
    assert (code, "There is no data" in err) == (2, True)


def test_checkpoints_are_kept_once_each_while_a_log_grows(run, tmp_path):
    kept = tmp_path / "kept.txt"
    with serving(tmp_path / "data") as url:
        command = ("log", "checkpoints", "--server", url, "--out", kept)
        assert run(*command)[0] == 0
        assert run(*command)[:2] == (0, "")
        decide(url, 3)
        assert run("log", "keys", "rotate", "--server", url)[0] == 0
        code, out, _ = run(*command)
        assert (code, out.count("kept at")) == (0, 1)
        sizes = [each.checkpoint.size for each in checkpoint.parse_all(kept.read_bytes())]
        assert len(sizes) == 2
        assert sizes == sorted(sizes)
        assert run("log", "checkpoints", "--server", url)[1].encode() in kept.read_bytes()
        (tmp_path / "log.jsonl").write_bytes(Remote(url, RAW_KEY).request("GET", "/v1/log/export"))
        (ident,) = decide(url)
        (tmp_path / "jwks.json").write_bytes(Remote(url).request("GET", "/.well-known/jwks.json"))
        assert run(*command, "--keys", tmp_path / "jwks.json")[0] == 0
        (tmp_path / "b.json").write_bytes(Remote(url, RAW_KEY).request("GET", f"/v1/receipts/{ident}/bundle"))
    assert run("verify", tmp_path / "b.json", "--checkpoint", kept)[0] == 0
    assert run(*command)[0] == 2


def test_a_bundle_verifies_against_a_checkpoint_kept_long_before(run, tmp_path):
    kept = tmp_path / "kept.txt"
    with serving(tmp_path / "data") as url:
        server = Remote(url, RAW_KEY)
        kept.write_bytes(server.request("GET", "/v1/log/checkpoint"))
        ident = decide(url, 3)[-1]
        path, size = f"/v1/receipts/{ident}/bundle", kept.read_text(encoding="utf-8").splitlines()[1]
        (tmp_path / "bare.json").write_bytes(server.request("GET", path))
        (tmp_path / "tied.json").write_bytes(server.request("GET", f"{path}?kept_size={size}"))
    assert run("verify", tmp_path / "bare.json", "--checkpoint", kept)[0] == 3
    assert run("verify", tmp_path / "tied.json", "--checkpoint", kept)[0] == 0


def test_checkpoints_are_committed_to_a_repository(run, tmp_path):
    trail = tmp_path / "trail"
    trail.mkdir()

    def git(*arguments):
        done = subprocess.run(["git", "-C", trail, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    with serving(tmp_path / "data") as url:
        command = ("log", "checkpoints", "--server", url, "--git", trail)
        code, _, err = run(*command)
        assert (code, "git add failed" in err) == (2, True)
        git("init", "--quiet")
        assert run(*command)[0] == 0  # what the first run wrote is committed now
        assert run(*command)[0] == 0
        assert git("log", "--format=%s").splitlines() == ["Keep checkpoints"]
        decide(url)
        assert run(*command)[0] == 0
        assert len(git("log", "--format=%s").splitlines()) == 2
    assert len(checkpoint.parse_all(git("show", "HEAD:checkpoints.txt").encode())) == 2


def test_a_server_that_tells_another_story_is_caught(run, tmp_path):
    data, backup, kept = tmp_path / "data", tmp_path / "backup", tmp_path / "kept.txt"
    with serving(data) as url:
        decide(url, 2)
    shutil.copytree(data, backup)
    with serving(data) as url:
        decide(url, 3)
        assert run("log", "checkpoints", "--server", url, "--out", kept)[0] == 0
    before = kept.read_bytes()
    says = {}
    with serving(backup) as url:
        for name, count in (("shorter", 0), ("as long", 3), ("longer", 3)):
            decide(url, count)
            code, out, err = run("log", "checkpoints", "--server", url, "--out", kept)
            assert (code, out, "CONTRADICTS" in err) == (1, "", True), (name, err)
            says[name] = err
    assert "and now has" in says["shorter"]
    assert "another root" in says["as long"]
    assert "does not begin with the" in says["longer"]
    assert kept.read_bytes() == before
    evidence = (tmp_path / "kept.txt.contradictions").read_bytes()
    assert len(checkpoint.parse_all(evidence)) == 3
    shutil.rmtree(data)
    with serving(tmp_path / "another") as url:
        code, _, err = run("log", "checkpoints", "--server", url, "--out", kept)
        assert (code, "and is gone" in err) == (1, True)


def test_checkpoints_that_the_given_keys_did_not_sign_are_refused(run, tmp_path):
    with serving(tmp_path / "one") as one, serving(tmp_path / "two") as two:
        (tmp_path / "jwks.json").write_bytes(Remote(two).request("GET", "/.well-known/jwks.json"))
        for target in (["--out", tmp_path / "kept.txt"], []):
            command = ("log", "checkpoints", "--server", one, "--keys", tmp_path / "jwks.json", *target)
            code, out, err = run(*command)
            assert (code, out, "no good key" in err) == (1, "", True)
    assert (tmp_path / "kept.txt").read_bytes() == b""


def test_checkpoints_say_what_they_need(run, tmp_path):
    assert run("log", "checkpoints")[0] == 2
    assert run("log", "checkpoints", "--server", "http://x", "--out", "a", "--git", "b")[0] == 2
    assert run("log", "checkpoints", "--server", "http://127.0.0.1:9", "--out", tmp_path / "k")[0] == 2
