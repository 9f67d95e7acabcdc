"""`bylaw log`: audit a whole log, keep its checkpoints, look after its keys."""

from types import MappingProxyType

import click

from bylaw.cli.lazy import Lazy, LazyGroup

_LAZY = MappingProxyType(
    {
        "accept": Lazy(
            "bylaw.cli.log_accept:accept_logs",
            "Go on with logs that are not what the server knew, and record that.",
        ),
        "audit": Lazy(
            "bylaw.cli.log_audit:audit_log",
            "Check every leaf, checkpoint and link of an exported log, offline.",
        ),
        "checkpoints": Lazy(
            "bylaw.cli.log_checkpoints:keep_checkpoints",
            "Keep the checkpoints of a server, if they agree with the last kept.",
        ),
        "export": Lazy("bylaw.cli.log_export:export_log", "Write the logs of a data directory as one file."),
    }
)
_KEYS = MappingProxyType(
    {
        "list": Lazy("bylaw.cli.log_keys:list_keys", "Show the keys that sign the logs."),
        "revoke": Lazy("bylaw.cli.log_keys:revoke_key", "Revoke a key from a moment on."),
        "rotate": Lazy("bylaw.cli.log_keys:rotate_key", "Sign with a new key from now on."),
    }
)


EXAMPLES = """\b
Examples:
  bylaw log export --data bylaw-data -o log.jsonl
  bylaw log audit log.jsonl --keys jwks.json
  bylaw log checkpoints --out kept.txt
"""
EXAMPLES_OF_KEYS = """\b
Examples:
  bylaw log keys list                              # of a server; key in BYLAW_API_KEY
  bylaw log keys rotate --data bylaw-data          # no server is running
"""


@click.group(cls=LazyGroup, lazy=_LAZY, epilog=EXAMPLES)
def log() -> None:
    """Export and audit logs, keep their checkpoints, look after their keys."""


@log.group("keys", cls=LazyGroup, lazy=_KEYS, epilog=EXAMPLES_OF_KEYS)
def keys() -> None:
    """List, rotate and revoke the keys that sign the logs."""
