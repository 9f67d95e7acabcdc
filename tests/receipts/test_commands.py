"""`bylaw verify` and `bylaw log` from the command line: what is printed, and the exit codes."""

import json

import pytest
from click.testing import CliRunner

from bylaw.cli.log import log
from bylaw.cli.verify import verify
from bylaw.receipts import bundle as bundles
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts.signing import KeySet
from tests.receipts.book import exported, signer
from tests.receipts.golden.make import valid

BOOK, BUNDLE = valid()


@pytest.fixture
async def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = bundles.write(BUNDLE)
    for name, content in {
        "good.json": text,
        "bad.json": text.replace(b"agent-7", b"agent-8"),
        "new.json": text.replace(b"bylaw.bundle/1", b"bylaw.bundle/2"),
        "jwks.json": BOOK.keys.jwks(),
        "others.json": KeySet().with_active(signer(9).public, 0).jwks(),
        "kept.txt": BOOK.checkpoints[-1].note,
        "log.jsonl": b"".join(await exported(BOOK)),
        "cut.jsonl": b"".join((await exported(BOOK))[:5]),
        "junk": b"junk",
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def run(command, *arguments):
    done = CliRunner().invoke(command, arguments, standalone_mode=False)
    if done.exception is not None:
        return getattr(done.exception, "exit_code", done.exception), str(done.exception)
    return done.return_value, done.output


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["good.json", "--keys", "jwks.json"], 0, "good.json: verified"),
        (["good.json", "--checkpoint", "kept.txt"], 0, "6. trust      pass"),
        (["good.json"], 3, "nobody outside the file vouches"),
        (["bad.json", "--keys", "jwks.json"], 1, "3. inclusion  fail     the receipt is not leaf 3"),
        (["good.json", "--keys", "others.json"], 1, "4. checkpoint fail"),
        (["new.json", "--keys", "jwks.json"], 2, "refused"),
        (["junk"], 1, "1. bundle     fail"),
        (["good.json", "nowhere.json", "--keys", "jwks.json"], 2, "No such file"),
        (["good.json", "nowhere.json", "bad.json", "--keys", "jwks.json"], 1, "INVALID"),
        (["good.json", "--keys", "junk"], 2, "Not a JWKS document"),
        (["good.json", "--keys", "nowhere.json"], 2, "No such file"),
        (["good.json", "--checkpoint", "junk"], 2, "Not a signed checkpoint"),
    ],
)
def test_verify_prints_steps_and_exits_with_the_outcome(arguments, code, says):
    found, output = run(verify, *arguments)
    assert found == code
    assert says in output
    assert "\x1b" not in output


def test_a_bundle_may_come_from_standard_input(folder):
    given = (folder / "good.json").read_bytes()
    done = CliRunner().invoke(verify, ["-", "--keys", "jwks.json"], input=given, standalone_mode=False)
    assert (done.return_value, done.output.splitlines()[0]) == (0, "-: verified")


@pytest.mark.usefixtures("folder")
def test_verify_writes_its_result_as_json():
    code, output = run(verify, "good.json", "bad.json", "--keys", "jwks.json", "--json")
    good, bad = json.loads(output)["files"]
    assert code == 1
    assert (good["status"], good["trusted"], good["receipt"]["kind"]) == ("verified", True, "decision")
    assert [step["number"] for step in good["steps"]] == list(range(1, 10))
    assert (bad["status"], bad["trusted"]) == ("invalid", False)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["log.jsonl", "--keys", "jwks.json"], 0, "example.org/main/w1: 11 leaves, 3 checkpoints"),
        (["log.jsonl", "--checkpoint", "kept.txt"], 0, "verified"),
        (["log.jsonl"], 3, "nobody outside"),
        (["cut.jsonl", "--checkpoint", "kept.txt"], 1, "cut_log  example.org/main/w1 at 3"),
        (["junk"], 1, "malformed"),
        (["nowhere"], 2, "No such file"),
    ],
)
def test_an_audit_prints_findings_and_exits_with_the_outcome(arguments, code, says):
    found, output = run(log, "audit", *arguments)
    assert found == code
    assert says in output


@pytest.mark.usefixtures("folder")
def test_an_audit_writes_its_result_as_json():
    code, output = run(log, "audit", "cut.jsonl", "--json")
    assert code == 1
    assert {finding["code"] for finding in json.loads(output)["findings"]} == {"cut_file"}


def test_an_audit_of_many_faults_says_how_many_more(folder):
    (folder / "junk").write_bytes(b"x\n" * 1100)
    assert "and 101 more" in run(log, "audit", "junk")[1]


def test_checkpoints_are_kept_and_compared_later(folder):
    code, note = run(log, "checkpoints", "log.jsonl")
    assert (code, note.encode()) == (0, BOOK.checkpoints[-1].note)
    (folder / "mine.txt").write_text(note + note)
    assert run(log, "audit", "log.jsonl", "--checkpoint", "mine.txt")[0] == 0


@pytest.mark.usefixtures("folder")
def test_keys_are_shown_with_their_standing_and_as_note_tools_take_them():
    assert "+" not in run(log, "keys", "list", "jwks.json")[1]
    _, output = run(log, "keys", "list", "jwks.json", "--log", BOOK.origin)
    assert f"{BOOK.signer.kid}  active, in use since 2026-01-01" in output
    assert checkpoints.verifier_key(BOOK.origin, BOOK.signer.public) in output
