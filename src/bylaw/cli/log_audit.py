"""`bylaw log audit`: check a whole exported log, offline."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

from bylaw.cli.options import json_option
from bylaw.cli.verify import EXIT, checkpoint_option, headline, keys_option, read_trust
from bylaw.receipts import export
from bylaw.receipts.audit import Audit, audit


@click.command(
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
