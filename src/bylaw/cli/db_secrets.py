"""`bylaw db rotate-secrets`: the credentials of connections under a new key."""

import asyncio

import click

from bylaw.api.resealing import reseal
from bylaw.app import build
from bylaw.cli.local import existing
from bylaw.settings import Settings


@click.command(
    "rotate-secrets",
    epilog="""\b
Examples:
  bylaw db rotate-secrets --data /var/lib/bylaw
  bylaw db rotate-secrets --database postgresql://bylaw@db/bylaw --key-file keys.json
""",
)
@click.option("--data", help="Directory of the embedded SQLite (bylaw-data), while no server runs on it.")
@click.option("--database", help="postgresql://… of servers that keep everything there; they may run.")
@click.option("--key-file", help="File of the server's signing keys.")
@click.option("--secret-file", help="File of the secret keys; beside the signing keys when left out.")
def rotate_secrets(**flags: str | None) -> None:
    """Encrypt the credentials of connections under a new key, and forget keys that nothing uses.

    The key before the new one stays in the file until the next rotation, for servers that still use it.
    """
    count = asyncio.run(_rotate(existing(flags)))
    click.echo(f"Credentials of {count} connections are encrypted under a new key.")


async def _rotate(settings: Settings) -> int:
    async with build(settings) as app:
        return await reseal(app.stores.control, app.stores.secret_file)
