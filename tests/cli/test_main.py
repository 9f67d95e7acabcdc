"""What every command shares: exit codes, and errors that say a thing once."""

import os
import pty
import subprocess
import sys

import pytest

from bylaw.cli.main import main

PACK = """\
pack: shop
policies:
  limit:
    name: Limit
    rules:
      - expr: amount < 5000
"""


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs the command and gives its exit code and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bylaw", *map(str, arguments)])
        code = main()
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize("body", ["{", "[]", '{"phase": "toolcall"}', "@none.json"])
def test_an_unusable_request_is_not_a_block(run, tmp_path, body):
    (tmp_path / "shop.yaml").write_text(PACK, encoding="utf-8")
    assert run("decide", body, "--policies", tmp_path)[0] == 2


def test_unusable_packs_are_neither_a_block_nor_a_failed_case(run, tmp_path):
    (tmp_path / "shop.yaml").write_text(PACK.replace("amount <", "amount =<"), encoding="utf-8")
    assert run("decide", "{}", "--policies", tmp_path)[0] == 2
    code, said = run("test", tmp_path)
    assert code == 2
    assert "shop.yaml:6:9 policies.limit.rules[0].expr: " in said


def test_an_error_is_said_once(run, tmp_path):
    code, said = run("serve", "--data", tmp_path, "--port", "99999")
    assert (code, said.count("\n")) == (2, 1)


@pytest.mark.parametrize(("value", "coloured"), [("", True), ("1", False)])
def test_no_colours_where_nobody_wants_them(tmp_path, value, coloured):
    (tmp_path / "shop.yaml").write_text(PACK, encoding="utf-8")
    command = [sys.executable, "-m", "bylaw", "decide", "{}", "--policies", str(tmp_path)]
    terminal, end = pty.openpty()
    environment = {**os.environ, "NO_COLOR": value}
    done = subprocess.run(command, stdout=end, stderr=subprocess.PIPE, env=environment, check=False)
    said = os.read(terminal, 4096).decode()
    os.close(terminal)
    os.close(end)
    assert done.returncode == 3, done.stderr
    assert ("\x1b[" in said) is coloured
