"""`bylaw log checkpoints`: keep the checkpoints of a server elsewhere, so that it cannot change its story.

1. Ask for the latest checkpoint of each log; a key that is not revoked has signed it.
2. Each log that was kept is still there, and no smaller.
3. A log that is as large as it was has the same root.
4. A log that has grown proves that it begins with what was kept.
5. Only then the new checkpoints are appended.
"""

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import msgspec

from bylaw.api.native.log_views import CheckpointsView
from bylaw.cli.log_audit import read_lines
from bylaw.cli.remote import Remote
from bylaw.cli.verify import EXIT, UNUSABLE, keys_option
from bylaw.core.errors import InvalidInput, Unavailable
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import export, proof
from bylaw.receipts.bundle import Consistency
from bylaw.receipts.checkpoint import Checkpoint
from bylaw.receipts.reading import from_base64
from bylaw.receipts.signing import KeySet, key_set

FILE: Final = "checkpoints.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """A checkpoint as a server gives it."""

    note: str
    checkpoint: Checkpoint


@click.command(
    "checkpoints",
    epilog="""\b
Examples:
  bylaw log checkpoints --server https://bylaw.example.com --out kept.txt
  bylaw log checkpoints --server https://bylaw.example.com --git audit-trail --keys jwks.json
  bylaw log checkpoints log.jsonl >> kept.txt
""",
)
@click.argument("exported", required=False, type=click.Path(path_type=Path))
@click.option("--server", envvar="BYLAW_URL", help="Ask this server instead of reading an export.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Append new checkpoints to this file.")
@click.option("--git", "repository", type=click.Path(path_type=Path), help="Commit them in this repository.")
@keys_option
def keep_checkpoints(
    exported: Path | None,
    *,
    server: str | None,
    out: Path | None,
    repository: Path | None,
    keys_path: Path | None,
) -> int:
    """Keep the latest checkpoint of each log of a server, after checking it against those kept before.

    Run it from cron on another machine than the server's. A server needs no key to be asked. Without --out
    and --git, or from an export, they are printed.

    Exit code: 0 consistent and kept, 1 the server contradicts what was kept, 2 it could not be asked.
    """
    if out is not None and repository is not None:
        raise click.UsageError("Give --out or --git, not both.")
    if exported is not None:
        click.echo("".join(_latest_of(exported)), nl=False)
        return EXIT["verified"]
    if server is None:
        raise click.UsageError("Give --server URL, or the file of an export.")
    remote = Remote(server)
    try:
        keys = None if keys_path is None else key_set(keys_path.read_bytes())
        served = _latest(remote)
        known = key_set(remote.request("GET", "/.well-known/jwks.json")) if keys is None else keys
        file = out if repository is None else repository / FILE
        if file is None:
            return _print(served, known)
        return _keep(remote, served, known, file=file, repository=repository)
    except Unavailable as error:
        click.echo(f"bylaw: {error.message}", err=True)
        return UNUSABLE
    except OSError as error:
        raise click.BadParameter(f"{error.filename}: {error.strerror}") from error


def _latest_of(exported: Path) -> Sequence[str]:
    """Return the latest checkpoint of each log of an export."""
    latest: dict[str, str] = {}
    for line in read_lines(exported):
        parsed = export.parse(line)
        if isinstance(parsed, export.Note):
            latest[checkpoints.parse(parsed.note.encode()).checkpoint.origin] = parsed.note
    return tuple(latest.values())


def _latest(remote: Remote) -> Sequence[_Served]:
    """Return the latest checkpoint of each log of a server."""
    try:
        found = remote.get("/v1/log", CheckpointsView).data
    except msgspec.MsgspecError as error:
        raise Unavailable(f"What answers is not a Bylaw server: {error}.") from error
    return [_Served(note=each.note, checkpoint=_parsed(each.note)) for each in found]


def _parsed(note: str) -> Checkpoint:
    return checkpoints.parse(note.encode()).checkpoint


def _print(served: Sequence[_Served], keys: KeySet) -> int:
    unsigned = [each for each in served if _objection_to_signers(each, keys)]
    if unsigned:
        return _shout([("no good key signed it", each) for each in unsigned], None)
    click.echo("".join(each.note for each in served), nl=False)
    return EXIT["verified"]


def _keep(
    remote: Remote, served: Sequence[_Served], keys: KeySet, *, file: Path, repository: Path | None
) -> int:
    """Append what is new to `file`, commit it, and return the exit code; shout about contradictions."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    with os.fdopen(descriptor, "r+b") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        kept = _kept(opened.read())
        found = list(_contradictions(remote, served, kept, keys))
        if found:
            return _shout(found, file.with_name(f"{file.name}.contradictions"))
        new = [each for each in served if kept.get(each.checkpoint.origin) != each.checkpoint]
        opened.write("".join(each.note for each in new).encode())
        opened.flush()
        os.fsync(opened.fileno())
    for each in new:
        click.echo(f"{each.checkpoint.origin}: kept at {each.checkpoint.size} leaves")
    if repository is not None:
        _commit(repository, new)
    return EXIT["verified"]


def _kept(notes: bytes) -> Mapping[str, Checkpoint]:
    """Return the largest kept checkpoint of each log. Raises: InvalidInput when the file is damaged."""
    largest: dict[str, Checkpoint] = {}
    for each in checkpoints.parse_all(notes):
        found = largest.get(each.checkpoint.origin)
        if found is None or found.size < each.checkpoint.size:
            largest[each.checkpoint.origin] = each.checkpoint
    return largest


def _contradictions(
    remote: Remote, served: Sequence[_Served], kept: Mapping[str, Checkpoint], keys: KeySet
) -> Iterator[tuple[str, _Served | None]]:
    for each in served:
        before = kept.get(each.checkpoint.origin)
        objection = _objection_to_signers(each, keys)
        if objection is None and before is not None:
            objection = _objection_to_growth(remote, before, each.checkpoint)
        if objection is not None:
            yield objection, each
    for origin in kept.keys() - {each.checkpoint.origin for each in served}:
        yield f"the log {origin} was kept at {kept[origin].size} leaves, and is gone", None


def _objection_to_signers(served: _Served, keys: KeySet) -> str | None:
    try:
        signers = checkpoints.parse(served.note.encode()).signed_by(keys)
    except InvalidInput as error:
        return error.message
    if all(key.standing == "revoked" for key in signers):
        return "no good key of the key set signed it"
    return None


def _objection_to_growth(remote: Remote, kept: Checkpoint, served: Checkpoint) -> str | None:
    """Return why `served` cannot come after `kept`, or None."""
    if served.size < kept.size:
        return f"it was kept at {kept.size} leaves, and now has {served.size}"
    if served.size == kept.size:
        return None if served.root == kept.root else "it has another root than was kept for this size"
    asked = {"log": kept.origin, "old_size": kept.size, "size": served.size}
    try:
        found = remote.get("/v1/log/consistency", Consistency, **asked)
        hashes = [from_base64(each) for each in found.hashes]
    except (InvalidInput, msgspec.MsgspecError, ValueError) as error:
        return f"the server does not prove that it grew from what was kept: {error}"
    if not proof.extends((kept.size, kept.root), (served.size, served.root), hashes):
        return f"it does not begin with the {kept.size} leaves that were kept"
    return None


def _shout(found: Sequence[tuple[str, _Served | None]], evidence: Path | None) -> int:
    """Say what does not agree, keep the signed evidence, and return the exit code."""
    click.echo(click.style("THE LOG CONTRADICTS WHAT WAS KEPT. Nothing was added.", fg="red"), err=True)
    for objection, served in found:
        named = "" if served is None else f"{served.checkpoint.origin}: "
        click.echo(f"  {named}{objection}", err=True)
    notes = "".join(served.note for _, served in found if served is not None)
    if evidence is not None and notes:
        with evidence.open("a", encoding="utf-8") as file:
            file.write(notes)
        click.echo(f"  What the server signed is in {evidence}: keep it.", err=True)
    return EXIT["invalid"]


def _commit(repository: Path, new: Sequence[_Served]) -> None:
    """Commit the file, also when an earlier run was cut short before it did. Raises: InvalidInput."""
    _git(repository, "add", "--", FILE)
    if not _git(repository, "status", "--porcelain", "--", FILE):
        return
    grown = ", ".join(f"{each.checkpoint.origin} at {each.checkpoint.size}" for each in new)
    _git(repository, "commit", "--quiet", "-m", f"Keep checkpoints\n\n{grown}", "--", FILE)


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise InvalidInput(f"git {arguments[0]} failed in {repository}: {done.stderr.strip()}")
    return done.stdout
