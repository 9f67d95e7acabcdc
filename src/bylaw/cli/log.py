"""`bylaw log`: audit a whole log, keep its checkpoints, look at its keys."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

import click
import msgspec

from bylaw.cli.lazy import LazyGroup
from bylaw.cli.verify import EXIT, checkpoint_option, headline, json_option, keys_option, read_trust
from bylaw.core.clock import rfc3339
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import export
from bylaw.receipts.audit import Audit, audit
from bylaw.receipts.signing import key_set

_LAZY = MappingProxyType({"export": "bylaw.cli.log_export:export_log"})


@click.group(cls=LazyGroup, lazy=_LAZY)
def log() -> None:
    """Export and audit logs, keep their checkpoints, look at their keys."""


@log.command("audit")
@click.argument("exported", type=click.Path(path_type=Path))
@keys_option
@checkpoint_option
@json_option
def audit_log(exported: Path, keys_path: Path | None, kept_paths: Sequence[Path], *, as_json: bool) -> int:
    r"""Check every leaf, checkpoint and link of an exported log, offline.

    Exit code: 0 verified, 1 invalid, 2 unusable, 3 consistent but nobody outside the file vouches for it.

    \b
    Examples:
      bylaw log audit log.jsonl --keys jwks.json
      bylaw log audit log.jsonl --checkpoint kept.txt
    """
    trust = read_trust(keys_path, kept_paths)
    found = audit(_lines(exported), trust)
    if as_json:
        click.echo(json.dumps(_data(found), indent=2, ensure_ascii=False))
    else:
        _show(exported, found)
    return EXIT[found.status]


@log.command("checkpoints")
@click.argument("exported", type=click.Path(path_type=Path))
def latest_checkpoints(exported: Path) -> None:
    r"""Print the latest checkpoint of each log in an export, to append to a file elsewhere.

    \b
    Example:
      bylaw log checkpoints log.jsonl >> kept.txt
    """
    latest: dict[str, str] = {}
    for line in _lines(exported):
        parsed = export.parse(line)
        if isinstance(parsed, export.Note):
            latest[checkpoints.parse(parsed.note.encode()).checkpoint.origin] = parsed.note
    for note in latest.values():
        click.echo(note, nl=False)


@log.command("keys")
@click.argument("jwks", type=click.Path(path_type=Path))
@click.option("--log", "origin", help="Also print each key as note tools take it, for the log of this name.")
def show_keys(jwks: Path, origin: str | None) -> None:
    r"""Print the keys of a JWKS document with their standing.

    \b
    Example:
      bylaw log keys jwks.json --log example.org/main/w1
    """
    for key in key_set(b"".join(_lines(jwks))).keys:
        ended = "" if key.ended_ms is None else f" at {rfc3339(key.ended_ms)}"
        click.echo(f"{key.kid}  {key.standing}{ended}, in use since {rfc3339(key.since_ms)}")
        if origin is not None:
            click.echo(f"  {checkpoints.verifier_key(origin, key.raw)}")


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file (`-`: standard input); one that is too long comes in unusable pieces."""
    try:
        with click.open_file(str(path), "rb") as file:
            while line := file.readline(export.MAX_LINE_BYTES + 1):
                yield line
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}") from error


def _show(path: Path, found: Audit) -> None:
    click.echo(f"{path}: {headline(found.status)}")
    for each in found.logs:
        click.echo(f"  {each.origin}: {each.size} leaves, {each.checkpoints} checkpoints")
    for finding in found.findings:
        code = click.style(finding.code, fg="red")
        click.echo(f"  {code}  {finding.log or path} at {finding.index}: {finding.message}")
    if found.found > len(found.findings):
        click.echo(f"  and {found.found - len(found.findings)} more")


def _data(found: Audit) -> dict[str, object]:
    return {
        "status": found.status,
        "logs": msgspec.to_builtins(found.logs),
        "found": found.found,
        "findings": msgspec.to_builtins(found.findings),
    }
