"""Lists as commands show them: whole, or the first page and whether more follows."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import click

from bylaw.api.answers import Page

T = TypeVar("T")

limit_option: Final = click.option(
    "--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="Most to show."
)


def show_each(pages: Iterable[Page[T]], show: Callable[[T], None], *, none: str = "There are none.") -> None:
    """Show every item of a list; write `none` to standard error where it is empty."""
    is_empty = True
    for page in pages:
        for each in page.data:
            is_empty = False
            show(each)
    if is_empty:
        click.echo(none, err=True)


def say_rest(page: Page[T], limit: int, *, options: str, none: str = "There are none.") -> None:
    """Write to standard error that a list is empty, or which `options` show what is beyond `limit`."""
    if not page.data:
        click.echo(none, err=True)
    elif page.next_cursor is not None:
        click.echo(f"There are more than {limit}: say {options}.", err=True)
