"""The entry point: groups are registered here; errors become one sentence and an exit code."""

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import click

import bylaw
from bylaw.cli.lazy import LazyGroup
from bylaw.cli.log import log
from bylaw.cli.rules import rules_group
from bylaw.cli.verify import verify
from bylaw.core.errors import BylawError, InvalidInput

EPILOG = """\b
Examples:
  bylaw serve
  bylaw rules eval 'amount < 5000' --context '{"amount": 120}'
  bylaw verify bundle.json
"""


# Commands that stand on the whole server are loaded when they are called: `bylaw verify` starts without it.
_LAZY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "demo": "bylaw.cli.demo:demo",
        "db": "bylaw.cli.db:db",
        "decide": "bylaw.cli.decide:decide",
        "docs": "bylaw.cli.docs:docs",
        "policies": "bylaw.cli.policies:policies",
        "replay": "bylaw.cli.replay:replay_recording",
        "serve": "bylaw.cli.serve:serve",
        "settings": "bylaw.cli.settings:show_settings",
        "test": "bylaw.cli.test:test_policies",
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


cli.add_command(verify)
cli.add_command(log)
cli.add_command(rules_group)


def main() -> int:
    """Run the command line; return 0 when done, 1 for an expected failure, 2 for unusable arguments."""
    try:
        result = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BylawError as error:
        click.echo(f"bylaw: {error.message} [{error.code}]", err=True)
        for problem in error.problems if isinstance(error, InvalidInput) else ():
            click.echo(f"{problem.path}: {problem.message}", err=True)
        return 1
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
