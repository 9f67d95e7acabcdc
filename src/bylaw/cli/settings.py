"""`bylaw settings`: every setting with its names, default and meaning."""

import click

from bylaw.settings import Known, known


@click.command("settings", epilog="\b\nExample:\n  bylaw settings | grep DATABASE")
def show_settings() -> None:
    """List every setting of the server: its variable, its key in the file, its default and what it does."""
    click.echo("\n".join(_line(each) for each in known()))


def _line(each: Known) -> str:
    return f"{each.variable}  (file: {each.key}, default: {_default(each)})\n    {each.text}{_bounds(each)}"


def _default(each: Known) -> str:
    if each.default == "":
        return "none"
    value = str(each.default).lower() if isinstance(each.default, bool) else str(each.default)
    return f"{value} {each.unit}".strip()


def _bounds(each: Known) -> str:
    bounds = [
        f"{word} {limit}" for word, limit in (("from", each.low), ("to", each.high)) if limit is not None
    ]
    return f" Values: {' '.join(bounds)}." if bounds else ""
