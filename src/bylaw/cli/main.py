"""The entry point: groups are registered here; errors become one sentence and an exit code."""

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import click

import bylaw
from bylaw.cli.lazy import Lazy, LazyGroup
from bylaw.core.errors import BylawError, Corrupt, InvalidInput

EPILOG = """\b
Examples:
  bylaw serve
  bylaw rules eval 'amount < 5000' --context '{"amount": 120}'
  bylaw verify bundle.json
"""


_LAZY: Final[Mapping[str, Lazy]] = MappingProxyType(
    {
        "demo": Lazy("bylaw.cli.demo:demo", "Run the whole story on a temporary server, offline."),
        "db": Lazy("bylaw.cli.db:db", "Bring the database up to date, check it, and rebuild its lists."),
        "decide": Lazy(
            "bylaw.cli.decide:decide", "Decide one request by the packs in a directory, with no server."
        ),
        "docs": Lazy("bylaw.cli.docs:docs", "Write the reference pages that are made from the code."),
        "evaluators": Lazy(
            "bylaw.cli.evaluators:evaluators", "See who judges rules in words, and how well they do."
        ),
        "import": Lazy(
            "bylaw.cli.imports.commands:imports",
            "Take over the policies of another product, with ids and times.",
        ),
        "learning": Lazy(
            "bylaw.cli.learning:learning", "Bring conversations, and see which policies they show."
        ),
        "jobs": Lazy("bylaw.cli.jobs:jobs", "See the work that is done apart from requests, and retry it."),
        "log": Lazy(
            "bylaw.cli.log:log", "Export and audit logs, keep their checkpoints, look after their keys."
        ),
        "policies": Lazy(
            "bylaw.cli.policies:policies",
            "Apply policies from files, compare them, and write them back to files.",
        ),
        "replay": Lazy(
            "bylaw.cli.replay:replay_recording",
            "Decide every consequential call of a recording, with no server.",
        ),
        "route": Lazy("bylaw.cli.route:route", "See where a conversation leads, and correct it."),
        "rules": Lazy("bylaw.cli.rules:rules_group", "Check, evaluate and explain rules."),
        "serve": Lazy("bylaw.cli.serve:serve", "Run the server; it starts with no settings at all."),
        "settings": Lazy("bylaw.cli.settings:show_settings", "List every setting of the server."),
        "test": Lazy(
            "bylaw.cli.test:test_policies", "Run the cases that are kept beside packs, with no server."
        ),
        "worker": Lazy("bylaw.cli.worker:worker", "Do the jobs of a server in a process of its own."),
        "verify": Lazy(
            "bylaw.cli.verify:verify",
            "Check receipts offline: bundles, or DSSE exports; `-` is standard input.",
        ),
        "webhooks": Lazy(
            "bylaw.cli.webhooks:webhooks",
            "Tell other systems what happens, and look after what they were told.",
        ),
    }
)


@click.group(
    cls=LazyGroup,
    lazy=_LAZY,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(bylaw.__version__, prog_name="bylaw")
def cli() -> None:
    """The policy server for AI agents: decide, hold, block, and prove which text applied."""


def main() -> int:
    """Run the command line; return 0 when done, 1 for an expected failure, 2 for unusable input."""
    try:
        result = cli.main(standalone_mode=False, color=False if os.environ.get("NO_COLOR") else None)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OSError as error:  # a file or a disk: what commands do with the network has errors of its own
        what = f"{error.filename}: " if error.filename else ""
        click.echo(f"bylaw: {what}{error.strerror or error}.", err=True)
        return 1
    except BylawError as error:
        place = f" ({error.place})" if isinstance(error, Corrupt) and error.place else ""
        click.echo(f"bylaw: {error.message}{place} [{error.code}]", err=True)
        if not isinstance(error, InvalidInput):
            return 1
        for problem in error.problems:
            if problem.message not in error.message:
                click.echo(f"{problem.path}: {problem.message}", err=True)
        return 2
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
