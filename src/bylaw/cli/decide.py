r"""`bylaw decide`: one decision from files, with no server."""

import asyncio
from pathlib import Path
from typing import assert_never

import click
import msgspec

from bylaw.backtest.local import LocalPolicies
from bylaw.cli.folder import read_folder, warn
from bylaw.cli.given import read_json
from bylaw.decisions.explain import Explanation, WhyNot, explain
from bylaw.decisions.model import Decision, Request
from bylaw.decisions.request import read
from bylaw.policies.model import Outcome

EXIT: dict[Outcome, int] = {"allow": 0, "flag": 0, "review": 3, "block": 1}
COLOURS: dict[Outcome, str] = {"allow": "green", "flag": "yellow", "review": "yellow", "block": "red"}
LISTED = 20  # policies that were left out, from which on the rest is counted only


EPILOG = """\b
Examples:
  bylaw decide request.json --policies policies/
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
    """Decide REQUEST (a FILE, JSON, or - for standard input) by the packs in a directory.

    A request that a server took can be tried as it was sent; a place that no pack names is said to have no
    policies of its own, and policies that were left out are listed with the reason. Nothing is recorded: it
    is a dry run.
    Exit codes: 0 allow or flag · 1 block · 3 review · 2 unusable input.
    """
    asked = msgspec.structs.replace(read(read_json(request, "REQUEST")), dry_run=True)
    policies = load(directory)
    warn(policies.admit(asked))
    if as_json:
        decision = asyncio.run(_decide(policies, asked))
        click.echo(msgspec.json.format(msgspec.json.encode(decision), indent=2).decode())
        return EXIT[decision.outcome]
    explained = asyncio.run(explain(policies.engine(), asked, policies.caller))
    show(explained.decision)
    _show_left_out(explained, policies)
    return EXIT[explained.decision.outcome]


def load(directory: Path) -> LocalPolicies:
    """Return the policies in a directory of packs. Raises: InvalidInput that names every fault."""
    return LocalPolicies(read_folder(directory))


async def _decide(policies: LocalPolicies, request: Request) -> Decision:
    return await policies.engine().decide(request, policies.caller)


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


def _show_left_out(explained: Explanation, policies: LocalPolicies) -> None:
    """Print which policies had no say, and what the request would have to hold for them to have one."""
    if not explained.why_not:
        return
    click.echo("left out")
    for each in explained.why_not[:LISTED]:
        click.echo(f"  {each.id}: {_why(each, policies)}")
    more = len(explained.why_not) + explained.why_not_left - LISTED
    if more > 0:
        click.echo(f"  and {more} more")


def _why(missed: WhyNot, policies: LocalPolicies) -> str:
    match missed.reason:
        case "place":
            place = policies.place_of(missed.id)
            wanted = {"workspace_id": place.workspace_id, "repo_id": place.repo_id}
            named = ", ".join(f'"{name}": "{ident}"' for name, ident in wanted.items() if ident is not None)
            return f"holds elsewhere; a request from there says {named}"
        case "binding":
            return f'holds for agents that are bound to it; try it with "policy_id": "{missed.id}"'
        case "topic":
            return "has another topic than the request names"
        case "conditions":
            keys = [key.key for key in missed.keys if key.state == "does_not_apply"]
            return f"its conditions do not hold: {', '.join(keys)}"
        case "not_in_force":
            return "is not in force"
        case _:
            assert_never(missed.reason)
