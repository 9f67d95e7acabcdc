"""What every command shares: exit codes, and errors that say a thing once."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from bylaw import settings
from bylaw.cli.serve import told_when_slow

PACK = """\
pack: shop
policies:
  limit:
    name: Limit
    rules:
      - expr: amount < 5000
"""


@pytest.mark.parametrize("body", ["{", "[]", '{"phase": "toolcall"}', "@none.json"])
def test_an_unusable_request_is_not_a_block(run, tmp_path, body):
    (tmp_path / "shop.yaml").write_text(PACK, encoding="utf-8")
    assert run("decide", body, "--policies", tmp_path)[0] == 2


def test_unusable_packs_are_neither_a_block_nor_a_failed_case(run, tmp_path):
    (tmp_path / "shop.yaml").write_text(PACK.replace("amount <", "amount =<"), encoding="utf-8")
    assert run("decide", "{}", "--policies", tmp_path)[0] == 2
    code, _, said = run("test", tmp_path)
    assert code == 2
    assert "shop.yaml:6:9 policies.limit.rules[0].expr: " in said


def test_an_error_is_said_once(run, tmp_path):
    code, _, said = run("serve", "--data", tmp_path, "--port", "99999")
    assert (code, said.count("\n")) == (2, 1)


@pytest.mark.parametrize(("value", "coloured"), [("", True), ("1", False)])
def test_no_colours_where_nobody_wants_them(tmp_path, value, coloured):
    (tmp_path / "shop.yaml").write_text(PACK, encoding="utf-8")
    command = [sys.executable, "-m", "bylaw", "decide", "{}", "--policies", str(tmp_path)]
    environment = {**os.environ, "NO_COLOR": value}
    terminal, end = pty.openpty()
    process = subprocess.Popen(command, stdout=end, stderr=end, env=environment)
    os.close(end)
    said = b""
    with suppress(OSError), open(terminal, "rb", buffering=0) as shown:  # noqa: PTH123 - a file descriptor
        while part := shown.read(4096):  # until nobody has the other end any more, which is an error
            said += part
    assert process.wait() == 3, said
    assert (b"\x1b[" in said) is coloured


FULL = "/dev/full"  # where every write fails as on a disk without space


@pytest.mark.skipif(not os.path.exists(FULL), reason=f"needs {FULL}")  # noqa: PTH110 - a device
def test_a_full_disk_is_one_sentence(run, tmp_path):
    (tmp_path / "shop.yaml").write_text(PACK, encoding="utf-8")
    (tmp_path / "cases").mkdir()
    case = "cases: [{name: small, request: {metadata: {amount: 3}}, expect: {outcome: allow}}]"
    (tmp_path / "cases" / "limit.yaml").write_text(case, encoding="utf-8")
    code, _, said = run("test", tmp_path, "--junit", FULL)
    assert (code, said) == (1, "bylaw: No space left on device.\n")


def test_a_place_that_cannot_be_written_is_named(run, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    code, _, said = run("docs", tmp_path / "taken" / "pages")
    assert (code, said) == (1, f"bylaw: {tmp_path / 'taken' / 'pages'}: Not a directory.\n")


@pytest.mark.parametrize(
    "command",
    [
        ("log", "export", "-o", "log.jsonl"),
        ("log", "accept", "--reason", "lost"),
        ("db", "rebuild"),
        ("db", "rotate-secrets"),
        ("db", "current"),
        ("log", "keys", "list"),
    ],
    ids=" ".join,
)
def test_looking_where_no_data_is_makes_none(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    code, _, said = run(*command, "--data", "empty")
    assert (code, "There is no data in empty: name its directory with --data." in said) == (2, True)
    assert list((tmp_path / "empty").iterdir()) == []


def test_data_that_is_damaged_says_which_file(run, tmp_path):
    (tmp_path / "keys.json").write_text("not JSON", encoding="utf-8")
    (tmp_path / "keys.json").chmod(0o600)
    code, _, said = run("serve", "--data", tmp_path, "--port", "0")
    assert (code, f"({tmp_path / 'keys.json'}) [corrupt]" in said) == (1, True)


def test_a_server_that_is_not_there_is_said_with_what_to_do(run):
    code, _, said = run("log", "keys", "list", "--server", "http://127.0.0.1:9", "--key", "k")
    assert code == 1
    assert "http://127.0.0.1:9: Connection refused. Start one, or name another: --server, BYLAW_URL." in said
    assert "Errno" not in said


def test_a_start_that_takes_long_says_what_it_does(tmp_path, capsys):
    with told_when_slow(settings.build(data=tmp_path), after_s=0) as timer:
        timer.join()
    assert f"Still starting on {tmp_path}: " in capsys.readouterr().err
    with told_when_slow(settings.build(data=tmp_path), after_s=60) as timer:
        pass
    timer.join()
    assert capsys.readouterr().err == ""
