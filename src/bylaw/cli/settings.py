"""`bylaw settings`: every setting with its names, default and meaning; the reference page is made from it."""

import click

from bylaw.settings import Known, known


@click.command("settings")
@click.option("--markdown", is_flag=True, help="Print the reference page.")
def show_settings(*, markdown: bool) -> None:
    """List every setting of the server: its variable, its key in the file, its default and what it does."""
    click.echo(page() if markdown else "\n".join(_line(each) for each in known()))


def page() -> str:
    """Return the reference page of the settings, in Markdown."""
    lines = [
        "# Settings",
        "",
        "A flag wins over a variable, a variable over the file that `BYLAW_CONFIG` names (TOML), the file over",
        "the default. Whatever is unknown or could have no effect is refused by name.",
    ]
    section = ""
    for each in known():
        if each.section != section:
            section = each.section
            lines += ["", f"## {section}", "", "| variable | file | default | meaning |", "|---|---|---|---|"]
        lines.append(f"| `{each.variable}` | `{each.key}` | {_default(each)} | {each.text}{_bounds(each)} |")
    return "\n".join(lines)


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
