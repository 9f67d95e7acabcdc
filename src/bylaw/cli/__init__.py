"""The `bylaw` command: one file per command group, joined in `bylaw.cli.main`."""

from bylaw.cli.main import main

__all__ = ["main"]
