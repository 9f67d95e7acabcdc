"""`bylaw route`: where a conversation leads, and where it should have led."""

from typing import Final
from urllib.parse import quote

import click

from bylaw.api.answers import Page
from bylaw.api.native.corrections import CorrectedView, CorrectionView, NewCorrection
from bylaw.api.native.routing import RoutingView, ToRoute
from bylaw.cli.pages import show_each
from bylaw.cli.remote import Remote, RemoteCommand

PATH: Final = "/v1/route/corrections"


@click.group(
    epilog="""\b
Examples:
  bylaw route find "Hello!" "What does shipping cost?"
  bylaw route correct "My parcel came open." --none
  bylaw route corrections
"""
)
def route() -> None:
    """See where a conversation leads, and correct it."""


@route.command(
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw route find "Hello!" "What does shipping cost?"
""",
)
@click.argument("said", nargs=-1, required=True)
@click.option("--workspace", help="Among the policies that govern this workspace.")
@click.pass_obj
def find(remote: Remote, said: tuple[str, ...], *, workspace: str | None) -> None:
    """Show the topics that what a customer SAID leads to, turn by turn, and the policies behind them."""
    asked = ToRoute(said=[*said], workspace_id=workspace)
    found = remote.send("POST", "/v1/route", asked, RoutingView)
    for each in found.candidates:
        mark = "*" if each.topic in found.chosen else " "
        click.echo(f"{mark} {each.score:.2f}  {each.topic}  {each.policy_id}  {each.name}")
    if found.why:
        click.echo(found.why, err=True)


@route.command(
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw route correct "My parcel came open." --none
""",
)
@click.argument("said", nargs=-1, required=True)
@click.option("--policy", "policies", multiple=True, help="A policy that is about it; may be repeated.")
@click.option("--none", "is_nobodys", is_flag=True, help="No policy is about it.")
@click.option("--workspace", help="For decisions of this workspace, not of all.")
@click.option("--receipt", help="The decision that is corrected.")
@click.pass_obj
def correct(
    remote: Remote,
    said: tuple[str, ...],
    *,
    policies: tuple[str, ...],
    is_nobodys: bool,
    workspace: str | None,
    receipt: str | None,
) -> None:
    """Say which policies are about what a customer SAID, turn by turn; messages like it follow."""
    if bool(policies) == is_nobodys:
        raise click.UsageError("Give --policy, or --none.")
    new = NewCorrection(said=[*said], policy_ids=[*policies], workspace_id=workspace, receipt_id=receipt)
    told = remote.send("POST", PATH, new, CorrectedView)
    click.echo(told.result)
    for each in told.corrections:
        _show(each)


@route.command(
    "corrections",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw route corrections --policy pol_01M7Z5P01F4RC8MEN98Y4PJ4HV
""",
)
@click.option("--policy", help="Only those that lead to this policy.")
@click.option("--workspace", help="Only those of this workspace.")
@click.pass_obj
def list_corrections(remote: Remote, *, policy: str | None, workspace: str | None) -> None:
    """List corrections, newest first."""
    show_each(remote.pages(PATH, Page[CorrectionView], policy_id=policy, workspace_id=workspace), _show)


@route.command(
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw route forget 019a8d3e-7c11-7b52-9d53-1c2f0a6b7e14
""",
)
@click.argument("correction")
@click.pass_obj
def forget(remote: Remote, correction: str) -> None:
    """Forget CORRECTION, with the message."""
    remote.request("DELETE", f"{PATH}/{quote(correction, safe='')}")
    click.echo(f"forgot {correction}")


def _show(correction: CorrectionView) -> None:
    text = " ".join(correction.text.split())
    click.echo(f"{correction.id}  {correction.policy_id or 'none'}  {text}")
