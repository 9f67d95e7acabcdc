"""`bylaw log accept`: go on with receipts and a control database that are not of one time."""

import asyncio

import click

from bylaw.app import unserved
from bylaw.cli.local import existing
from bylaw.settings import Settings


@click.command(
    "accept",
    epilog="""\b
Example:
  bylaw log accept --data bylaw-data --reason "disk lost on 3 May; receipts restored from the night before"
""",
)
@click.option("--data", help="Directory of the embedded SQLite (bylaw-data), while no server runs on it.")
@click.option("--database", help="postgresql://… of servers that keep everything there.")
@click.option("--key-file", help="File of the server's signing keys.")
@click.option("--reason", required=True, help="What happened; it is kept with the entry in the log.")
def accept_logs(reason: str, **flags: str | None) -> None:
    """Go on with logs that are not what the server knew, and record that in the log.

    A server does not start on receipts that lost their end, or on a control database that is older than they
    are. Restoring what belongs together is better. What was lost stays lost: the entry says how much.
    """
    settings = existing(flags)
    if not reason.strip():
        raise click.UsageError("Say what happened: --reason is not empty.")
    asyncio.run(_accept(settings, reason))


async def _accept(settings: Settings, reason: str) -> None:
    async with unserved(settings) as found:
        objections = await found.witness.objections()
        for each in objections:
            click.echo(each.message)
        if objections:
            await found.witness.accept(objections, found.issuer, reason=reason)
            click.echo("Accepted, and recorded in the log.")
        else:
            click.echo("The logs are what the server knew: there is nothing to accept.")
