"""`bylaw log`: audit a whole log, keep its checkpoints, look after its keys."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

import click
import msgspec

from bylaw.cli.lazy import Lazy, LazyGroup
from bylaw.cli.verify import EXIT, checkpoint_option, headline, json_option, keys_option, read_trust
from bylaw.receipts import export
from bylaw.receipts.audit import Audit, audit

_LAZY = MappingProxyType(
    {
        "checkpoints": Lazy(
            "bylaw.cli.log_checkpoints:keep_checkpoints",
            "Keep the checkpoints of a server, if they agree with the last kept.",
        ),
        "export": Lazy("bylaw.cli.log_export:export_log", "Write the logs of a data directory as one file."),
    }
)
_KEYS = MappingProxyType(
    {
        "list": Lazy("bylaw.cli.log_keys:list_keys", "Show the keys that sign the logs."),
        "revoke": Lazy("bylaw.cli.log_keys:revoke_key", "Revoke a key from a moment on."),
        "rotate": Lazy("bylaw.cli.log_keys:rotate_key", "Sign with a new key from now on."),
    }
)


@click.group(cls=LazyGroup, lazy=_LAZY)
def log() -> None:
    """Export and audit logs, keep their checkpoints, look after their keys."""


@log.command(
    "audit",
    epilog="""\b
Examples:
  bylaw log audit log.jsonl --keys jwks.json
  bylaw log audit log.jsonl --checkpoint kept.txt
""",
)
@click.argument("exported", type=click.Path(path_type=Path))
@keys_option
@checkpoint_option
@json_option
def audit_log(exported: Path, keys_path: Path | None, kept_paths: Sequence[Path], *, as_json: bool) -> int:
    """Check every leaf, checkpoint and link of an exported log, offline.

    Exit code: 0 verified, 1 invalid, 2 unusable, 3 consistent but nobody outside the file vouches for it.
    """
    trust = read_trust(keys_path, kept_paths)
    found = audit(read_lines(exported), trust)
    if as_json:
        click.echo(json.dumps(_data(found), indent=2, ensure_ascii=False))
    else:
        _show(exported, found)
    return EXIT[found.status]


@log.group("keys", cls=LazyGroup, lazy=_KEYS)
def keys() -> None:
    """List, rotate and revoke the keys that sign the logs."""


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of an export (`-`: standard input); one that is too long comes in unusable pieces."""
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
