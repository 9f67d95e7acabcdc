"""`bylaw webhooks`: whom a server tells what happens, and what became of each delivery."""

from typing import Final
from urllib.parse import quote

import click

from bylaw.api.answers import Page
from bylaw.api.native.webhook_views import (
    DeliveryDetail,
    DeliveryView,
    NewWebhookView,
    ReplayedView,
    WebhookView,
)
from bylaw.api.native.webhooks import NewWebhook, Replay
from bylaw.cli.pages import limit_option, say_rest, show_each
from bylaw.cli.remote import Remote, RemoteCommand

FAILED: Final = 3


@click.group(
    epilog="""\b
Examples:
  bylaw webhooks add https://hooks.example.com/bylaw --type 'policy.*' --type approval.requested
  bylaw webhooks test 019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12
  bylaw webhooks deliveries 019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12 --status failed
"""
)
def webhooks() -> None:
    """Tell other systems what happens, and look after what they were told."""


@webhooks.command("list", cls=RemoteCommand, epilog="\b\nExamples:\n  bylaw webhooks list\n")
@click.pass_obj
def list_webhooks(remote: Remote) -> None:
    """List webhooks, and whether their deliveries fail."""
    every = remote.pages("/v1/webhooks", Page[WebhookView])
    show_each(every, _show, none="There are none. Make one: bylaw webhooks add URL.")


@webhooks.command(
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw webhooks add https://hooks.example.com/bylaw                    # everything that happens
  bylaw webhooks add https://hooks.example.com/bylaw --type 'policy.*' --workspace support
""",
)
@click.argument("url")
@click.option("--type", "types", multiple=True, help="Only notices of this type, or such as 'policy.*'.")
@click.option("--workspace", help="Only what happens in this workspace.")
@click.option("--description", default="", help="What it is for.")
@click.pass_obj
def add(remote: Remote, url: str, *, types: tuple[str, ...], workspace: str | None, description: str) -> None:
    """Make a webhook that leads to URL, and show its secret this once."""
    new = NewWebhook(url=url, types=types, workspace_id=workspace, description=description)
    made = remote.send("POST", "/v1/webhooks", new, NewWebhookView)
    click.echo(f"webhook  {made.id}")
    click.echo(f"secret   {made.secret}   (shown this once: keep it)")


@webhooks.command(
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw webhooks remove 019a8d3e-7c11-7b52-9d53-1c2f0a6b7e13
""",
)
@click.argument("webhook")
@click.pass_obj
def remove(remote: Remote, webhook: str) -> None:
    """Delete WEBHOOK and forget its secret."""
    remote.request("DELETE", _path(webhook))
    click.echo(f"removed {webhook}")


@webhooks.command(
    "deliveries",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw webhooks deliveries 019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12 --status failed
  bylaw webhooks deliveries 019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12 --type policy.created
""",
)
@click.argument("webhook")
@click.option("--status", type=click.Choice(["pending", "delivered", "failed"]), help="Only these.")
@click.option("--type", "kind", help="Only notices of this type.")
@limit_option
@click.pass_obj
def list_deliveries(
    remote: Remote, webhook: str, *, status: str | None, kind: str | None, limit: int
) -> None:
    """Show what WEBHOOK was told, newest first, and what became of it."""
    where = {"status": status, "type": kind, "limit": limit}
    found = remote.get(f"{_path(webhook)}/deliveries", Page[DeliveryView], **where)
    for each in found.data:
        click.echo(f"{each.id}  {each.created_at}  {each.status:<9}  {each.type}  {_last(each)}")
    say_rest(found, limit, options="--limit, --status or --type")


@webhooks.command(
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw webhooks replay 019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12 --since 2026-11-01T00:00:00Z        # failed
  bylaw webhooks replay 019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12 --since 2026-11-01T00:00:00Z --all  # all
""",
)
@click.argument("webhook")
@click.argument("delivery", required=False)
@click.option("--since", help="Instead of one delivery: all since this moment (RFC 3339) that failed.")
@click.option("--all", "everything", is_flag=True, help="With --since: also what was delivered.")
@click.pass_obj
def replay(
    remote: Remote, webhook: str, *, delivery: str | None, since: str | None, everything: bool
) -> None:
    """Send a DELIVERY of WEBHOOK again, or what failed since a moment, under the ids they had."""
    if (delivery is None) == (since is None):
        raise click.UsageError("Give a delivery, or --since a moment.")
    if everything and since is None:
        raise click.UsageError("--all goes with --since.")
    if since is None:
        remote.request("POST", f"{_path(webhook)}/deliveries/{quote(delivery or '', safe='')}/replay", {})
        click.echo("1 on its way again")
        return
    count, cursor = 0, None
    while True:
        wanted = Replay(since=since, which="all" if everything else "failed", cursor=cursor)
        told = remote.send("POST", f"{_path(webhook)}/replay", wanted, ReplayedView)
        count += told.replayed
        if (cursor := told.next_cursor) is None:
            break
    click.echo(f"{count} on their way again")


@webhooks.command(
    "test",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw webhooks test 019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12
""",
)
@click.argument("webhook")
@click.pass_obj
def try_out(remote: Remote, webhook: str) -> int:
    """Send WEBHOOK a notice at once and say what came back; exit code 3 when it was not taken."""
    tried = remote.send("POST", f"{_path(webhook)}/test", {}, DeliveryDetail)
    click.echo(f"{tried.status}: {_last(tried)}, {tried.history[0].duration_ms} ms")
    if tried.history[0].excerpt:
        click.echo(tried.history[0].excerpt)
    return 0 if tried.status == "delivered" else FAILED


def _path(webhook: str) -> str:
    return f"/v1/webhooks/{quote(webhook, safe='')}"


def _show(webhook: WebhookView) -> None:
    click.echo(f"{webhook.id}  {_state(webhook)}  {webhook.url}  {','.join(webhook.types)}")


def _state(webhook: WebhookView) -> str:
    if not webhook.is_active:
        return f"off ({webhook.disabled_reason})" if webhook.disabled_reason else "off"
    return "on" if webhook.failing_since is None else f"failing since {webhook.failing_since}"


def _last(delivery: DeliveryView) -> str:
    return delivery.last_error or ("-" if delivery.last_status is None else str(delivery.last_status))
