"""`bylaw verify`: check receipts offline, step by step."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from bylaw.cli.options import json_option
from bylaw.core.errors import InvalidInput
from bylaw.receipts.bundle import MAX_BUNDLE_BYTES
from bylaw.receipts.checkpoint import SignedCheckpoint, parse_all
from bylaw.receipts.signing import KeySet, key_set
from bylaw.receipts.verify import Result, Status, Trust, Verification
from bylaw.receipts.verify import verify as verify_file

EXIT: dict[Status, int] = {"verified": 0, "invalid": 1, "refused": 2, "incomplete": 3}
UNUSABLE = EXIT["refused"]
_WORST_FIRST = (EXIT["invalid"], UNUSABLE, EXIT["incomplete"], EXIT["verified"])
_COLOURS: dict[Status | Result, str] = {
    "verified": "green",
    "pass": "green",
    "invalid": "red",
    "fail": "red",
    "refused": "red",
    "incomplete": "yellow",
    "skipped": "yellow",
}
_SUMMARIES: dict[Status, str] = {
    "verified": "verified",
    "invalid": "INVALID",
    "refused": "refused: this version does not know the format",
    "incomplete": "consistent, but nobody outside the file vouches for it",
}

keys_option = click.option(
    "--keys",
    "keys_path",
    type=click.Path(path_type=Path),
    help="The issuer's key set (JWKS), from elsewhere.",
)
checkpoint_option = click.option(
    "--checkpoint",
    "kept_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A file of checkpoints that you kept; may be repeated.",
)


@click.command(
    epilog="""\b
Examples:
  bylaw verify bundle.json --keys jwks.json
  bylaw verify bundle.json --checkpoint kept.txt --json
"""
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@keys_option
@checkpoint_option
@json_option
def verify(
    files: Sequence[Path], keys_path: Path | None, kept_paths: Sequence[Path], *, as_json: bool
) -> int:
    """Check receipts offline: bundles, or DSSE exports; `-` is standard input.

    Exit code: 0 verified, 1 invalid, 2 unusable, 3 consistent but nobody outside the file vouches for it.
    """
    trust = read_trust(keys_path, kept_paths)
    codes, shown = set[int](), list[object]()
    for path in files:
        try:
            with click.open_file(str(path), "rb") as file:
                found = verify_file(file.read(MAX_BUNDLE_BYTES + 1), trust)
        except OSError as error:
            click.echo(f"bylaw: {path}: {error.strerror}", err=True)
            codes.add(UNUSABLE)
            continue
        codes.add(EXIT[found.status])
        shown.append({"file": str(path), **_data(found)})
        if not as_json:
            _show(path, found)
    if as_json:
        click.echo(json.dumps({"files": shown}, indent=2, ensure_ascii=False))
    return next(code for code in _WORST_FIRST if code in codes)


def read_trust(keys_path: Path | None, kept_paths: Sequence[Path]) -> Trust:
    """Return what the options say is believed. Raises: click.BadParameter for an unusable file."""
    kept: list[SignedCheckpoint] = []
    keys: KeySet | None = None
    try:
        if keys_path is not None:
            keys = key_set(keys_path.read_bytes())
        for path in kept_paths:
            kept += parse_all(path.read_bytes())
    except OSError as error:
        raise click.BadParameter(f"{error.filename}: {error.strerror}") from error
    except InvalidInput as error:
        raise click.BadParameter(error.message) from error
    return Trust(keys=keys, kept=tuple(kept))


def headline(status: Status) -> str:
    """Return the outcome in words, coloured where the terminal shows colour."""
    return click.style(_SUMMARIES[status], fg=_COLOURS[status], bold=True)


def _show(path: Path, found: Verification) -> None:
    click.echo(f"{path}: {headline(found.status)}")
    for step in found.steps:
        result = click.style(f"{step.result:7}", fg=_COLOURS[step.result])
        click.echo(f"  {step.number}. {step.name:10} {result}  {step.reason}")


def _data(found: Verification) -> dict[str, object]:
    return {
        "status": found.status,
        "trusted": found.trusted,
        "receipt": msgspec.to_builtins(found.receipt),
        "steps": msgspec.to_builtins(found.steps),
    }
