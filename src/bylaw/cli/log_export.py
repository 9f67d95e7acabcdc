"""`bylaw log export`: every log of a stopped server, as a file that anybody can audit."""

import asyncio
from typing import BinaryIO

import click

from bylaw.app import unserved
from bylaw.cli.local import existing
from bylaw.receipts import export
from bylaw.settings import Settings


@click.command(
    "export",
    epilog="""\b
Example:
  bylaw log export --data bylaw-data | bylaw log audit - --keys jwks.json
""",
)
@click.option("--data", help="Directory of the embedded SQLite (bylaw-data).")
@click.option("--database", help="postgresql://… of a server that keeps everything there.")
@click.option("--key-file", help="File of the server's signing keys.")
@click.option(
    "-o", "--output", type=click.File("wb"), default="-", help="The file to write (standard output)."
)
def export_log(output: BinaryIO, **flags: str | None) -> int:
    """Write every log of a stopped server, without any body part. A running one has GET /v1/log/export.

    Exit code: 0; 1 when a log is not what the server knew it to be, which is said and shows in an audit.
    """
    return asyncio.run(_write(existing(flags), output))


async def _write(settings: Settings, output: BinaryIO) -> int:
    async with unserved(settings) as found:
        objections = await found.witness.objections()
        lost = [each.note for each in objections if each.note]
        async for line in export.lines(found.stores.ledger.logs, await found.signing.published(), lost=lost):
            output.write(line)
    for each in objections:
        click.echo(each.message, err=True)
    return 1 if objections else 0
