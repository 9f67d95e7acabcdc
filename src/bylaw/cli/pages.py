"""The first page of a list, as commands end it: whether it is empty, and whether more follows."""

from typing import Final, TypeVar

import click

from bylaw.api.answers import Page

T = TypeVar("T")

limit_option: Final = click.option(
    "--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="Most to show."
)


def say_rest(page: Page[T], limit: int, *, options: str, none: str = "There are none.") -> None:
    """Write to standard error that a list is empty, or which `options` show what is beyond `limit`."""
    if not page.data:
        click.echo(none, err=True)
    elif page.next_cursor is not None:
        click.echo(f"There are more than {limit}: say {options}.", err=True)
