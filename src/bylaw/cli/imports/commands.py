"""`bylaw import`: what another product has, taken over into a server of ours."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import click
import msgspec

from bylaw.api.native.imports import ImportResult
from bylaw.cli.imports import agentcert, flashback, ohallo
from bylaw.cli.imports.found import Found
from bylaw.cli.imports.sending import ImportReport, ServerTarget, send
from bylaw.cli.imports.source import Source
from bylaw.cli.lazy import LazyGroup
from bylaw.cli.options import SharingCommand, server_option
from bylaw.cli.remote import Remote

INCOMPLETE: Final = 3
_SHOWN: Final = 300
_STORES: Final = ("imported", "updated")
_MARKS: Final[Mapping[str, tuple[str, str, str | None]]] = MappingProxyType(
    {
        "imported": ("to import", "imported", "green"),
        "updated": ("to update", "updated", "yellow"),
        "unchanged": ("there already", "there already", None),
        "different": ("different here", "different here", "yellow"),
        "refused": ("refused", "refused", "red"),
    }
)
_OPTIONS: Final[Mapping[str, click.Option]] = MappingProxyType(
    {
        "url": click.Option(["--from", "url"], required=True, help="The address of the source."),
        "key": click.Option(
            ["--key"],
            envvar="BYLAW_SOURCE_KEY",
            required=True,
            help="Key of the source; better in BYLAW_SOURCE_KEY than on the command line.",
        ),
        "server": server_option("The server into which is imported."),
        "server_key": click.Option(
            ["--server-key"],
            envvar="BYLAW_API_KEY",
            required=True,
            help="Admin key of the tenant into which is imported; better in BYLAW_API_KEY.",
        ),
        "dry_run": click.Option(["--dry-run"], is_flag=True, help="Show what would be done and stop."),
        "update": click.Option(
            ["--update"], is_flag=True, help="Let follow what is here already and was changed there later."
        ),
        "yes": click.Option(["-y", "--yes"], is_flag=True, help="Do not ask."),
        "as_json": click.Option(["--json", "as_json"], is_flag=True, help="Print the report as JSON."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Importing:
    """An import as it was asked for."""

    url: str
    key: str
    server: str
    server_key: str
    dry_run: bool
    update: bool
    yes: bool
    as_json: bool

    def carry_out(self, headers: Callable[[str], Mapping[str, str]], read: Callable[[Source], Found]) -> int:
        """Read the source, show what is to be done, do it, report it, and return the exit code."""
        source = Source(self.url, headers(self.key), pause=_wait)
        target = ServerTarget(remote=Remote(self.server, self.server_key), pause=_wait)
        found = read(source)
        report = send(found, target, source=source.url, update=self.update, dry_run=True)
        if not self.dry_run and any(each.outcome in _STORES for each in report.results):
            if not self.as_json:
                _show(report)
            self._ask()
            report = send(found, target, source=source.url, update=self.update, dry_run=False)
        elif not self.dry_run:
            report = msgspec.structs.replace(report, dry_run=False)
        if self.as_json:
            click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
        else:
            _show(report)
            _show_rest(report)
        return 0 if report.complete else INCOMPLETE

    def _ask(self) -> None:
        if self.yes:
            return
        if self.as_json or not sys.stdin.isatty():
            raise click.UsageError("Nobody is there to ask: add --yes to carry it out, or --dry-run.")
        click.confirm("Carry this out?", abort=True)


class ImportCommand(SharingCommand):
    """A command that also takes the options of every import, and passes on an `Importing`."""

    shared = _OPTIONS
    read = Importing


@click.group(
    "import",
    cls=LazyGroup,
    epilog="""\b
Examples (the key of the source in BYLAW_SOURCE_KEY, ours in BYLAW_API_KEY):
  bylaw import flashback --from https://backend.flashback.tech --dry-run
  bylaw import agentcert --from https://cert.example.com --yes
""",
)
def imports() -> None:
    """Take over the policies of another product, under their ids and with their times.

    What is here already and says the same stays as it is, so an import that was interrupted is run again.
    """


@imports.command(
    "ohallo",
    cls=ImportCommand,
    epilog="""\b
Example:
  bylaw import ohallo --from https://api.ohallo.eu --workspace 7d1f0a52=Support --dry-run
""",
)
@click.option(
    "--workspace",
    "workspaces",
    multiple=True,
    required=True,
    metavar="ID[=NAME]",
    help="A workspace whose entries come, and what it is to be called; may be repeated.",
)
@click.pass_obj
def from_ohallo(importing: Importing, workspaces: tuple[str, ...]) -> int:
    """Import the policy entries of workspaces from oHallo, whatever their status.

    Exit code: 0 everything is here, 3 something is not, or says something else here.
    """
    named = [(ident, name or None) for ident, _, name in (each.partition("=") for each in workspaces)]
    return importing.carry_out(ohallo.headers, lambda source: ohallo.read(source, named))


@imports.command(
    "flashback",
    cls=ImportCommand,
    epilog="""\b
Example:
  bylaw import flashback --from https://backend.flashback.tech --dry-run
""",
)
@click.pass_obj
def from_flashback(importing: Importing) -> int:
    """Import the policies of an organisation from Flashback, with its workspaces, repos and people.

    The key is the access token of an administrator. Exit code: 0 everything is here, 3 something is not, or
    says something else here.
    """
    return importing.carry_out(flashback.headers, flashback.read)


@imports.command(
    "agentcert",
    cls=ImportCommand,
    epilog="""\b
Example:
  bylaw import agentcert --from https://cert.example.com --dry-run
""",
)
@click.pass_obj
def from_agentcert(importing: Importing) -> int:
    """Import policies from Agent Cert, and the agents that are bound to them.

    Exit code: 0 everything is here, 3 something is not, or says something else here.
    """
    return importing.carry_out(agentcert.headers, agentcert.read)


def _wait(seconds: float) -> None:
    if seconds >= 1:
        click.echo(f"Waiting for {seconds:.0f} s, as the server cannot answer now.", err=True)
    time.sleep(seconds)


def _show(report: ImportReport) -> None:
    """Print what is done, or is to be done, and what is not and why."""
    click.echo(f"{_plain(report.source)} into the tenant {_plain(report.tenant_id) or '(nothing was found)'}")
    for noun, counts in report.counts.items():
        said = [f"{counts[outcome]} {_word(outcome, report)}" for outcome in _MARKS if outcome in counts]
        click.echo(f"  {noun:<10} {', '.join(said)}")
    for each in report.results:
        if each.outcome in {"updated", "different", "refused"}:
            mark = click.style(_word(each.outcome, report), fg=_MARKS[each.outcome][2])
            click.echo(f"{mark}  {each.noun} {_plain(each.id)}: {_plain(_why(each))}")


def _show_rest(report: ImportReport) -> None:
    """Print what stays behind, and what a person should know."""
    for left in report.left_behind:
        count = "" if left.count is None else f" ({left.count})"
        click.echo(f"left behind  {_plain(left.what)}{count}: {left.why}")
    for note in report.notes:
        click.echo(f"note  {_plain(note)}")


def _why(result: ImportResult) -> str:
    """Return in what a thing differs, or what is wrong with which of its fields."""
    problems = (": ".join(filter(None, (each.path, each.message))) for each in result.problems)
    return ", ".join(result.fields) or "; ".join(problems)


def _word(outcome: str, report: ImportReport) -> str:
    to_do, done, _ = _MARKS[outcome]
    return to_do if report.dry_run else done


def _plain(text: str) -> str:
    """Return words of a source as they may be shown: one line of printable characters, not without end."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
