import json
import os
import re
import subprocess
import sys

import pytest

from bylaw.cli.main import main

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


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs the command and gives its exit code, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bylaw", *map(str, arguments)])
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


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
    command = [
        sys.executable,
        "-m",
        "bylaw",
        "serve",
        "--data",
        str(tmp_path_factory.mktemp("data")),
        "--port",
        "0",
    ]
    environment = {**os.environ, "BYLAW_ADMIN_KEY": RAW_KEY}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield re.search(r"http://\S+", process.stdout.readline())[0]
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@pytest.fixture(params=["server", "directory"])
def at(request, tmp_path):
    """The options that name a target: a running server, or a data directory."""
    if request.param == "server":
        return ["policies", "--server", request.getfixturevalue("server"), "--key", RAW_KEY]
    return ["policies", "--data", tmp_path / "data"]


def test_a_pack_is_applied_once_compared_and_exported(run, at, files, tmp_path):
    (files / "finance.yaml").write_text(PACK.replace("finance", f"p-{at[1].strip('-')}"), encoding="utf-8")
    code, out, _ = run(*at, "apply", files, "--dry-run")
    assert (code, out.splitlines()[-1]) == (0, "2 to create, 0 unchanged")
    code, out, _ = run(*at, "apply", files, "--yes", "--reason", "first")
    assert code == 0
    assert "/limit: version 1, in force" in out
    assert run(*at, "apply", files, "--yes")[1] == "2 unchanged\n"
    assert run(*at, "diff", files)[0] == 0
    exported = tmp_path / "exported"
    assert run(*at, "export", exported)[0] == 0
    assert run(*at, "diff", exported, "--prune")[:2] == (0, "2 unchanged\n")
    code, _, err = run(*at, "export", exported)
    assert (code, "--force" in err) == (2, True)
    assert run(*at, "export", exported, "--force")[0] == 0
    assert json.loads((exported / "pack.schema.json").read_text())["title"]
    text = (files / "finance.yaml").read_text()
    (files / "finance.yaml").write_text(text.replace("5000", "100").partition("  tone")[0], encoding="utf-8")
    code, out, _ = run(*at, "diff", files, "--prune")
    assert code == 3
    assert '-      "expr": "amount < 5000",' in out
    assert "update, allows less" in out
    code, out, _ = run(*at, "apply", files, "--prune", "--yes")
    assert code == 0
    assert "/tone: version 1, archived" in out
    assert "/limit: version 2, in force" in out


def test_what_is_wrong_is_named_with_file_line_and_column(run, at, files):
    (files / "finance.yaml").write_text(PACK.replace("amount < 5000", "amount <"), encoding="utf-8")
    code, _, err = run(*at, "apply", files, "--yes")
    assert code == 1
    assert "finance.yaml:6:9 policies.limit.rules[0].expr: " in err
    (files / "finance.yaml").write_text(PACK.replace("name: Tone", "name: Tone\n    place: {workspace: w9}"))
    code, _, err = run(*at, "apply", files, "--yes")
    assert (code, "finance.yaml:9:5 policies.tone.place: There is no such workspace." in err) == (1, True)


def test_doubtful_words_are_reported(run, at, files):
    (files / "finance.yaml").write_text(PACK.replace("name: Tone", "name: yes"), encoding="utf-8")
    _, _, err = run(*at, "apply", files, "--dry-run")
    assert "finance.yaml:8:11 policies.tone.name: yes is text here" in err


def test_without_a_person_nothing_is_done_unasked(run, at, files, monkeypatch):
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115, PTH123 - closed with the test
    (files / "finance.yaml").write_text(PACK.replace("finance", "unasked"), encoding="utf-8")
    code, _, err = run(*at, "apply", files)
    assert (code, "--yes" in err) == (2, True)
    assert run(*at, "diff", files)[0] == 3
    sys.stdin.close()


def test_a_server_says_why_not(run, server, files):
    at = ["policies", "--server", server]
    code, _, err = run(*at, "diff", files)
    assert (code, "BYLAW_API_KEY" in err) == (2, True)
    code, _, err = run(*at, "--key", "sf_live_v1_" + "x" * 32, "diff", files)
    assert (code, "[unauthenticated]" in err) == (1, True)
    code, _, err = run("policies", "--server", "http://127.0.0.1:9", "--key", "k", "diff", files)
    assert (code, "[unavailable]" in err) == (1, True)
    code, _, err = run("policies", "--server", "ftp://x", "--key", "k", "diff", files)
    assert (code, "http://" in err) == (1, True)


def test_help_needs_no_key(run):
    code, out, _ = run("policies", "apply", "--help")
    assert (code, "--dry-run" in out) == (0, True)
