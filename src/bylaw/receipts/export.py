"""A whole log as a file that anybody can check: JSON lines, written and read one at a time.

    {"line":"header","format":"bylaw.log/1","keys":{…JWKS…}}
    {"line":"leaf","log":"host/group/writer","index":0,"receipt":"…exact bytes…"}
    {"line":"checkpoint","note":"…signed note…"}
    {"line":"end","leaves":1,"checkpoints":1}

The logs follow one another; inside a log each checkpoint follows the last leaf that it covers. No body part
is in it.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec

from bylaw.core.errors import Corrupt
from bylaw.receipts.model import Count
from bylaw.receipts.ports import Logs, StoredCheckpoint
from bylaw.receipts.reading import malformed, unknown_format
from bylaw.receipts.signing import KeySet

FORMAT = "bylaw.log/1"
MAX_LINE_BYTES = 4 << 20
_PAGE = 1000


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="line"):
    """A line of an export."""


class Header(_Line, frozen=True, kw_only=True, tag="header"):
    """The first line: the format, and the keys of the logs as a JWKS document."""

    format: str
    keys: msgspec.Raw


class Leaf(_Line, frozen=True, kw_only=True, tag="leaf"):
    """One leaf: its log, its place, its exact bytes as text."""

    log: str
    index: Count
    receipt: str


class Note(_Line, frozen=True, kw_only=True, tag="checkpoint"):
    """One checkpoint of the log whose leaves come before it."""

    note: str


class End(_Line, frozen=True, kw_only=True, tag="end"):
    """The last line: how many leaves and checkpoints there are, so that a cut file shows."""

    leaves: Count
    checkpoints: Count


Line = Header | Leaf | Note | End

_lines: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_encoder = msgspec.json.Encoder()


async def lines(
    logs: Logs,
    keys: KeySet,
    *,
    upto: Sequence[StoredCheckpoint] | None = None,
    lost: Sequence[str] = (),
) -> AsyncIterator[bytes]:
    """Yield the export of every log up to its latest checkpoint, line by line.

    `upto` are the latest checkpoints that were read before `keys` were, where a log grows meanwhile: no key
    that signed by then is missing. `lost` are signed notes that the logs should have and have not: with them
    an audit finds what is missing.
    Raises: Corrupt when a leaf below that checkpoint is absent.
    """
    yield _encoder.encode(Header(format=FORMAT, keys=msgspec.Raw(keys.jwks()))) + b"\n"
    leaves = checkpoints = 0
    for latest in await logs.latest() if upto is None else upto:
        async for line in _log(logs, latest):
            leaves += isinstance(line, Leaf)
            checkpoints += isinstance(line, Note)
            yield _encoder.encode(line) + b"\n"
    for note in lost:
        checkpoints += 1
        yield _encoder.encode(Note(note=note)) + b"\n"
    yield _encoder.encode(End(leaves=leaves, checkpoints=checkpoints)) + b"\n"


def parse(line: bytes) -> Line:
    """Return what a line of an export says.

    Raises: InvalidInput whose problem has the code `unknown_format` (refuse) or `malformed`.
    """
    if len(line) > MAX_LINE_BYTES:
        raise malformed("line of a log export", f"more than {MAX_LINE_BYTES} bytes")
    try:
        parsed = _lines.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed("line of a log export", error) from error
    if isinstance(parsed, Header) and parsed.format != FORMAT:
        raise unknown_format("log export", FORMAT, parsed.format)
    return parsed


async def _log(logs: Logs, latest: StoredCheckpoint) -> AsyncIterator[Leaf | Note]:
    """Yield the lines of one log up to `latest`."""
    start = held = 0
    notes: list[StoredCheckpoint] = []
    while start < latest.size:
        leaves = await logs.leaves(latest.origin, start=start, limit=min(_PAGE, latest.size - start))
        if not leaves:
            raise Corrupt(f"The log {latest.origin} ends at leaf {start}.", place=f"log {latest.origin}")
        for stored in leaves:
            yield Leaf(log=stored.origin, index=stored.index, receipt=stored.receipt.decode())
            if not notes:
                notes = list(await logs.checkpoints(latest.origin, above=held, limit=_PAGE))
                notes.reverse()
            if notes and notes[-1].size == stored.index + 1:
                note = notes.pop()
                held = note.size
                yield Note(note=note.note.decode())
        start = leaves[-1].index + 1
