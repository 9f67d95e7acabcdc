import json
import os
import sys

import pytest

from tests.e2e.serving import serving

RAW_KEY = "sf_live_v1_" + "k" * 32
PACK = """\
pack: finance
policies:
  limit:
    name: Limit
    rules:
      - expr: amount < 5000
  tone:
    name: Tone
    rules:
      - text: Flag rude replies.
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("BYLAW_URL", "BYLAW_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "finance.yaml").write_text(PACK, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a real server whose admin key is RAW_KEY."""
    with serving("--data", str(tmp_path_factory.mktemp("data")), key=RAW_KEY) as running:
        yield running.url


@pytest.fixture(params=["server", "directory"])
def at(request, tmp_path):
    """The options that name a target: a running server, or a data directory."""
    if request.param == "server":
        return ["--server", request.getfixturevalue("server"), "--key", RAW_KEY]
    (tmp_path / "data").mkdir()
    return ["--data", tmp_path / "data"]


def test_a_pack_is_applied_once_compared_and_exported(run, at, files, tmp_path):
    (files / "finance.yaml").write_text(PACK.replace("finance", f"p-{at[0].strip('-')}"), encoding="utf-8")
    code, out, _ = run("policies", "apply", files, "--dry-run", *at)
    assert (code, out.splitlines()[-1]) == (0, "2 to create, 0 unchanged")
    code, out, _ = run("policies", "apply", files, "--yes", "--reason", "first", *at)
    assert code == 0
    assert "/limit: version 1, in force" in out
    assert run("policies", "apply", files, "--yes", *at)[1] == "2 unchanged\n"
    assert run("policies", "diff", files, *at)[0] == 0
    exported = tmp_path / "exported"
    assert run("policies", "export", exported, *at)[0] == 0
    assert run("policies", "diff", exported, "--prune", *at)[:2] == (0, "2 unchanged\n")
    code, _, err = run("policies", "export", exported, *at)
    assert (code, "--force" in err) == (2, True)
    assert run("policies", "export", exported, "--force", *at)[0] == 0
    assert json.loads((exported / "pack.schema.json").read_text())["title"]
    text = (files / "finance.yaml").read_text()
    (files / "finance.yaml").write_text(text.replace("5000", "100").partition("  tone")[0], encoding="utf-8")
    code, out, _ = run("policies", "diff", files, "--prune", *at)
    assert code == 3
    assert '-      "expr": "amount < 5000",' in out
    assert "update, allows less" in out
    code, out, _ = run("policies", "apply", files, "--prune", "--yes", *at)
    assert code == 0
    assert "/tone: version 1, archived" in out
    assert "/limit: version 2, in force" in out


def test_what_is_wrong_is_named_with_file_line_and_column(run, at, files):
    (files / "finance.yaml").write_text(PACK.replace("amount < 5000", "amount <"), encoding="utf-8")
    code, _, err = run("policies", "apply", files, "--yes", *at)
    assert code == 2
    assert "finance.yaml:6:9 policies.limit.rules[0].expr: " in err
    (files / "finance.yaml").write_text(PACK.replace("name: Tone", "name: Tone\n    place: {workspace: w9}"))
    code, _, err = run("policies", "apply", files, "--yes", *at)
    assert (code, "finance.yaml:9:5 policies.tone.place: There is no workspace 'w9': make it" in err) == (
        2,
        True,
    )


def test_doubtful_words_are_reported(run, at, files):
    (files / "finance.yaml").write_text(PACK.replace("name: Tone", "name: yes"), encoding="utf-8")
    _, _, err = run("policies", "apply", files, "--dry-run", *at)
    assert "finance.yaml:8:11 policies.tone.name: yes is text here" in err


def test_what_is_probably_not_meant_is_reported_before_the_plan(run, at, files):
    text = PACK.replace(
        "    rules:\n      - expr: amount",
        "    conditions: {tool_call.name: pay}\n    rules:\n      - expr: amount",
    )
    (files / "finance.yaml").write_text(text, encoding="utf-8")
    for command in ("apply", "--dry-run"), ("diff",):
        code, _, err = run("policies", command[0], files, *command[1:], *at)
        assert code in {0, 3}
        assert "warning  finance.yaml:5:18 policies.limit.conditions.tool_call.name: " in err
        assert "phase: tool_call" in err


def test_cases_and_single_decisions_report_it_too(run, files):
    (files / "finance.yaml").write_text(PACK.replace("amount <", "arguments.amount <"), encoding="utf-8")
    (files / "cases").mkdir()
    case = "cases: [{name: small, request: {metadata: {arguments: {amount: 3}}}, expect: {outcome: allow}}]"
    (files / "cases" / "limit.yaml").write_text(case, encoding="utf-8")
    _, _, err = run("test", files)
    assert "Did you mean tool_call.arguments?" in err
    _, _, err = run("decide", "{}", "--policies", files)
    assert "Did you mean tool_call.arguments?" in err


def test_without_a_person_nothing_is_done_unasked(run, at, files, monkeypatch):
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115, PTH123 - closed with the test
    (files / "finance.yaml").write_text(PACK.replace("finance", "unasked"), encoding="utf-8")
    code, _, err = run("policies", "apply", files, *at)
    assert (code, "--yes" in err) == (2, True)
    assert run("policies", "diff", files, *at)[0] == 3
    sys.stdin.close()


def test_a_change_since_the_plan_was_shown_is_kept_and_named(run, at, files, tmp_path, monkeypatch):
    """Somebody else applies while the person still reads."""
    pack = PACK.replace("finance", f"raced-{at[0].strip('-')}")
    (files / "finance.yaml").write_text(pack, encoding="utf-8")
    assert run("policies", "apply", files, "--yes", *at)[0] == 0
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "finance.yaml").write_text(pack.replace("5000", "10"), encoding="utf-8")
    (files / "finance.yaml").write_text(pack.replace("5000", "100").replace("rude", "curt"), encoding="utf-8")

    def meanwhile(*_, **__):
        assert run("policies", "apply", theirs, "--yes", *at)[0] == 0
        monkeypatch.setattr(sys, "argv", ["bylaw"])

    with monkeypatch.context() as patched:
        patched.setattr("sys.stdin.isatty", lambda: True, raising=False)
        patched.setattr("click.confirm", meanwhile)
        code, _, err = run("policies", "apply", files, *at)
    assert (code, "[conflict" in err or "plan_changed" in err) == (1, True)
    assert "/limit" in err
    assert "/tone" not in err
    assert run("policies", "diff", theirs, *at)[0] == 0


def test_a_server_says_why_not(run, server, files):
    at = ["--server", server]
    code, _, err = run("policies", "diff", files, *at)
    assert (code, "BYLAW_API_KEY" in err) == (2, True)
    code, _, err = run("policies", "diff", files, *at, "--key", "sf_live_v1_" + "x" * 32)
    assert (code, "[unauthenticated]" in err) == (1, True)
    code, _, err = run("policies", "diff", files, "--server", "http://127.0.0.1:9", "--key", "k")
    assert (code, "[unavailable]" in err) == (1, True)
    code, _, err = run("policies", "diff", files, "--server", "ftp://x", "--key", "k")
    assert (code, "http://" in err) == (2, True)


def test_a_data_directory_that_is_not_there_is_not_made(run, files, tmp_path):
    code, _, err = run("policies", "diff", files, "--data", tmp_path / "typo")
    assert (code, "does not exist" in err) == (2, True)
    assert not (tmp_path / "typo").exists()


def test_help_needs_no_key(run):
    code, out, _ = run("policies", "apply", "--help")
    assert (code, "--dry-run" in out) == (0, True)
