"""`bylaw db rebuild`: what people look at, brought out of the receipts once more."""

import asyncio

import click

from bylaw.app import build
from bylaw.cli.local import existing
from bylaw.settings import Settings


@click.command(
    "rebuild",
    epilog="""\b
Examples:
  bylaw db rebuild --data /var/lib/bylaw
  bylaw db rebuild --database postgresql://bylaw@db/bylaw --key-file keys.json
""",
)
@click.option("--data", help="Directory of the embedded SQLite (bylaw-data), while no server runs on it.")
@click.option("--database", help="postgresql://… of servers that keep everything there; they may run.")
@click.option("--key-file", help="File of the server's signing keys.")
def rebuild(**flags: str | None) -> None:
    """Make the lists of violations, alerts, attention, approvals and events whole again.

    What is missing comes back. What is there stays as it is, with what people resolved, approved, refused or
    spent. Doing it again changes nothing.
    """
    asyncio.run(_rebuild(existing(flags)))
    click.echo("Everything that the receipts left for people is in its list.")


async def _rebuild(settings: Settings) -> None:
    async with build(settings) as app:
        await app.upkeep.rebuild()
