"""What every command shares: exit codes, and errors that say a thing once."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

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
