"""`bylaw replay`: what it says of a recording, and which exit code it gives."""

import json

import pytest
from click.testing import CliRunner

from bylaw.cli.replay import replay_recording
from bylaw.core.errors import InvalidInput

MAPPING = "{format: bylaw.replay/1, decide: {tools: [pay]}}"
PACK = """\
pack: p
policies:
  limit:
    name: Limit
    conditions: {phase: tool_call}
    rules: [{expr: tool_call.arguments.amount < 5}]
"""


def conversation(*calls):
    made = [
        {"id": str(n), "name": name, "arguments": {"amount": amount}}
        for n, (name, amount) in enumerate(calls)
    ]
    return json.dumps({"id": "c1", "messages": [{"role": "assistant", "tool_calls": made}]}) + "\n"


@pytest.fixture
def replayed(tmp_path):
    """Return a function that replays a recording, and gives the exit code and the output."""
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "p.yaml").write_text(PACK, encoding="utf-8")

    def run(recording: bytes):
        (tmp_path / "recording.jsonl").write_bytes(recording)
        where = [f"{tmp_path}/recording.jsonl", "--mapping", f"{tmp_path}/mapping.yaml"]
        done = CliRunner().invoke(
            replay_recording, [*where, "--policies", f"{tmp_path}/p.yaml"], standalone_mode=False
        )
        if done.exception is not None:
            raise done.exception
        return done.return_value, done.stdout

    return run


def test_a_recorded_call_is_decided(replayed):
    code, said = replayed(conversation(("pay", 9), ("look", 1)).encode())
    assert code == 0
    assert "1 consequential calls in 1 conversations" in said


def test_a_list_of_conversations_is_a_recording_too(replayed):
    lines = [conversation(("pay", 9)), conversation(("pay", 1), ("look", 1))]
    code, said = replayed(f"\n[{','.join(lines)}]\n".encode())
    assert code == 0
    assert "2 consequential calls in 2 conversations" in said


@pytest.mark.parametrize(
    ("recording", "why"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (conversation(("look", 1)).encode(), r"decide.tools: pay"),
        (b"\xff\xfe{}", "recording.jsonl:1 is not JSON"),
        (b"[]", "is empty"),
        (b"7", "recording.jsonl:1 is not a JSON object"),
        (b"[7]", "conversation 1 is not a JSON object"),
        (b'[{"id": "c1"', "recording.jsonl is not JSON"),
        (b'{"id": "c1", "messages": ["hello"]}', "gives no list of messages"),
    ],
)
def test_a_recording_with_nothing_to_decide_is_unusable(replayed, recording, why):
    with pytest.raises(InvalidInput, match=why):
        replayed(recording)
