"""`bylaw docs DIR`: writes the reference pages that are made from the code."""

import inspect
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

import click
import msgspec

from bylaw import settings
from bylaw.api.contracts import described
from bylaw.api.problems import STATUS
from bylaw.core.errors import BylawError
from bylaw.notify.catalog import TYPES as NOTICES
from bylaw.notify.catalog import WILDCARDS
from bylaw.policies.packs.model import cases_schema, pack_schema, schema_text
from bylaw.rules import macros
from bylaw.rules.library import REGISTRY
from bylaw.rules.library.function import Function

MADE = "<!-- Made by `make docs` from the code; do not edit. -->\n"
TYPES = {"object": "any", "NoneType": "null", "str": "string", "float": "double", "dict": "map"}


@click.command("docs", epilog="\b\nExample:\n  bylaw docs docs/reference")
@click.argument("directory", type=click.Path(path_type=Path))
@click.pass_context
def docs(context: click.Context, directory: Path) -> None:
    """Write the reference pages (commands, settings, errors, functions, routes) into DIRECTORY."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages(context.find_root().command).items():
        (directory / name).write_text(text, encoding="utf-8")
        click.echo(f"wrote {directory / name}")


def pages(root: click.Command) -> Mapping[str, str]:
    """Return every generated page by its file name; `root` is the whole command."""
    return {
        "cli.md": _page("Commands", _commands(root)),
        "settings.md": _page("Settings", _settings()),
        "errors.md": _page("Error codes", _errors()),
        "functions.md": _page("Functions of the rule language", _functions()),
        "api.md": _page("Routes of the native API", _routes()),
        "webhooks.md": _page("Notices of webhooks", _notices()),
        "pack.schema.json": schema_text(pack_schema()),
        "cases.schema.json": schema_text(cases_schema()),
    }


def _page(title: str, lines: Iterator[str]) -> str:
    return MADE + f"# {title}\n\n" + "\n".join(lines).rstrip() + "\n"


def _commands(root: click.Command) -> Iterator[str]:
    for path, command in _walk(root, "bylaw"):
        context = click.Context(
            command,
            info_name=path,
            max_content_width=100,
            terminal_width=100,
            help_option_names=root.context_settings["help_option_names"],
        )
        yield f"## `{path}`\n\n```text\n{command.get_help(context)}\n```\n"


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _walk(found, f"{path} {name}")


def _settings() -> Iterator[str]:
    yield inspect.getdoc(settings) or ""
    yield "\n| variable | in the file | default | unit | what it does |\n|---|---|---|---|---|"
    for each in settings.known():
        default = "" if each.default in {"", None} else f"`{each.default}`"
        yield f"| `{each.variable}` | `{each.key}` | {default} | {each.unit} | {each.text} |"


def _errors() -> Iterator[str]:
    yield "Every failed request is answered with RFC 9457 problem details that carry one of these codes.\n"
    yield "| code | status | what it means |\n|---|---|---|"
    for kind, status in STATUS.items():
        if kind is not BylawError:
            first = (inspect.getdoc(kind) or "").partition("\n")[0]
            yield f"| `{kind.code}` | {status} | {first} |"


def _functions() -> Iterator[str]:
    yield "## Macros\n\n```text\n" + (inspect.getdoc(macros) or "").split("\n\n")[1] + "\n```\n"
    yield "## Functions\n"
    yield "| call | takes | gives |\n|---|---|---|"
    for key in sorted(REGISTRY, key=lambda key: (key.name, key.method, key.count)):
        for each in REGISTRY[key].variants:
            params = [_type(kind) for kind in each.params]
            yield f"| `{_call(each)}` | {', '.join(params)} | {_type(each.result)} |"


def _call(each: Function) -> str:
    names = "abcdefgh"[: len(each.params)]
    if each.method:
        return f"{names[0]}.{each.name}({', '.join(names[1:])})"
    return f"{each.name}({', '.join(names)})"


def _type(kind: type) -> str:
    return TYPES.get(kind.__name__, kind.__name__.lower())


def _notices() -> Iterator[str]:
    yield "Every notice is a JSON object with `type`, `timestamp` (when it happened, RFC 3339) and `data`, of"
    yield "which this page has an example each. Its headers are `webhook-id`, which stays the same when it is"
    yield "sent again, `webhook-timestamp` and `webhook-signature`, which"
    yield "[receivers verify](../how-to/webhooks.md#write-a-receiver). Fields are only ever added; `links`"
    yield "are paths of this server. A webhook chooses types, or wildcards:"
    yield ", ".join(f"`{each}`" for each in WILDCARDS) + ".\n"
    for shape, group in groupby(NOTICES.items(), key=lambda item: type(item[1].example)):
        title, _, rest = " ".join((inspect.getdoc(shape) or "").split()).partition(". ")
        types = list(group)
        yield f"## {title.rstrip('.')}\n\n| type | what happened |\n|---|---|"
        yield from (f"| `{name}` | {each.text} |" for name, each in types)
        said = msgspec.json.format(msgspec.json.encode(types[0][1].example), indent=2).decode()
        about = f"\n{rest}\n" if rest else ""
        yield f"{about}\n```json\n{said}\n```\n"


def _routes() -> Iterator[str]:
    yield "The full description, with every field, is served at `/openapi.json`. The `ETag` of an answer is"
    yield "the revision of what it shows: a `GET` with that as `If-None-Match` is answered 304 without body,"
    yield "and a change with an older one as `If-Match` 412.\n"
    yield "| route | needs | what it does |\n|---|---|---|"
    for each in described():
        yield f"| `{each.method} {each.path}` | {each.scope or each.access} | {each.summary} |"
