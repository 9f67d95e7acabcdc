"""The `bylaw` command: one file per command or small group, joined in `bylaw.cli.main`."""

from bylaw.cli.main import main

__all__ = ["main"]
