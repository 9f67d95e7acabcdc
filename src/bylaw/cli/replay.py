r"""`bylaw replay`: recorded conversations against the packs in a directory."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from bylaw.backtest import mapping as mappings
from bylaw.backtest.replay import Conversation, Decided, read, replay
from bylaw.backtest.report import summarise, text
from bylaw.cli.decide import load
from bylaw.core.errors import InvalidInput

FALSE_BLOCKS = 1


EPILOG = """\b
Example:
  bylaw replay conversations.jsonl --mapping mapping.yaml --policies policies/
"""


@click.command("replay", epilog=EPILOG)
@click.argument("recording", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--mapping",
    "mapping_path",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="How a recorded line becomes requests.",
)
@click.option(
    "--policies",
    "directory",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="Directory of packs, or one pack file.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON, with every call.")
def replay_recording(recording: Path, mapping_path: Path, directory: Path, *, as_json: bool) -> int:
    """Decide every consequential call of RECORDING, with no server: a JSON object a line, or a list of them.

    Exit codes: 0 done · 1 a call known to be right would have been blocked · 2 unusable input, or no call
    to decide.
    """
    mapping = mappings.load(mapping_path)
    conversations = list(_conversations(recording, mapping))
    if not any(conversation.calls for conversation in conversations):
        raise _nothing_to_decide(recording, len(conversations), mapping)
    policies = load(directory)
    engine = policies.engine()

    async def decide_all() -> list[Decided]:
        return await replay(conversations, lambda request: engine.decide(request, policies.caller))

    report = summarise(conversations, asyncio.run(decide_all()))
    click.echo(
        msgspec.json.format(msgspec.json.encode(report), indent=2).decode() if as_json else text(report),
        nl=as_json,
    )
    return FALSE_BLOCKS if report.false_blocks else 0


def _nothing_to_decide(recording: Path, conversations: int, mapping: mappings.Mapping) -> InvalidInput:
    if not conversations:
        return InvalidInput(f"{recording} is empty: a recording has a JSON object for each conversation.")
    tools = ", ".join(mapping.decide.tools) or "none"
    return InvalidInput(
        f"None of the {conversations} conversations in {recording} calls a tool that the mapping decides"
        f" (decide.tools: {tools})."
    )


def _conversations(recording: Path, mapping: mappings.Mapping) -> Iterator[Conversation]:
    for at, record in _records(recording):
        if not isinstance(record, dict):
            raise InvalidInput(f"{at} is not a JSON object.")
        yield read(record, mapping, at=at)


def _records(recording: Path) -> Iterator[tuple[str, object]]:
    """Yield what the recording holds, with its place: the elements of one JSON list, or an object a line."""
    with recording.open("rb") as lines:
        if lines.read(1024).lstrip().startswith(b"["):
            lines.seek(0)
            found = _json(lines.read(), str(recording))
            for number, record in enumerate(found if isinstance(found, list) else (), start=1):
                yield f"{recording}, conversation {number}", record
            return
        lines.seek(0)
        for number, line in enumerate(lines, start=1):
            if line.strip():
                at = f"{recording}:{number}"
                yield at, _json(line, at)


def _json(text: bytes, at: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{at} is not JSON: {error}.") from None
