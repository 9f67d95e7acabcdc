r"""`bylaw decide`: one decision from files, with no server."""

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from bylaw.backtest.local import LocalPolicies
from bylaw.cli.folder import read_folder
from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import Decision, Request
from bylaw.decisions.request import decode
from bylaw.policies.model import Outcome

EXIT: dict[Outcome, int] = {"allow": 0, "flag": 0, "review": 3, "block": 1}
COLOURS: dict[Outcome, str] = {"allow": "green", "flag": "yellow", "review": "yellow", "block": "red"}


EPILOG = """\b
Examples:
  bylaw decide @request.json --policies policies/
  bylaw decide '{"phase": "output", "agent_output": "Hello"}' --policies policies/ --json
"""


@click.command("decide", epilog=EPILOG)
@click.argument("request", metavar="REQUEST")
@click.option(
    "--policies",
    "directory",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="Directory of packs, or one pack file.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the whole decision as JSON.")
def decide(request: str, directory: Path, *, as_json: bool) -> int:
    """Decide REQUEST (JSON, @FILE, or - for standard input) by the packs in a directory.

    Nothing is recorded: it is a dry run. Exit codes: 0 allow or flag · 1 block · 3 review · 2 unusable input.
    """
    asked = msgspec.structs.replace(decode(_body(request)), dry_run=True)
    decision = asyncio.run(_decide(load(directory), asked))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(decision), indent=2).decode())
    else:
        show(decision)
    return EXIT[decision.outcome]


def load(directory: Path) -> LocalPolicies:
    """Return the policies in a directory of packs. Raises: InvalidInput that names every fault."""
    return LocalPolicies(read_folder(directory))


async def _decide(policies: LocalPolicies, request: Request) -> Decision:
    return await policies.engine().decide(request, policies.caller)


def _body(given: str) -> bytes:
    if given == "-":
        return sys.stdin.buffer.read()
    if not given.startswith("@"):
        return given.encode("utf-8", "surrogateescape")
    try:
        return Path(given[1:]).read_bytes()
    except OSError as error:
        raise InvalidInput(f"{given[1:]} cannot be read: {error.strerror}.") from None


def show(decision: Decision) -> None:
    """Print a decision for a person: the outcome, why, which rules were not satisfied, what is withheld."""
    click.echo(click.style(decision.outcome, fg=COLOURS[decision.outcome], bold=True))
    for reason in decision.reasons:
        click.echo(f"  {reason}")
    for policy in decision.policies:
        click.echo(f"  {policy.name} (version {policy.version}): {policy.status}")
        for rule in policy.rules:
            if rule.status != "satisfied":
                said = ": ".join(text for text in (rule.code, rule.message) if text)
                click.echo(f"    {rule.id} {rule.status}" + (f" - {said}" if said else ""))
        for each in () if policy.mask is None else policy.mask.redactions:
            click.echo(f"    {each.kind} withheld - {each.path} ({each.count})")
