"""The reference pages of the families, made from what their contracts name and what was recorded.

python -m tests.compat.pages            plays every exchange, records it, and writes the pages
python -m tests.compat.pages --written  writes the pages from what is recorded

`page.md` beside the tests of a family is written by hand; `{operations}`, `{fields}` and `{acceptance}` in it
are made here.
"""

import asyncio
import posixpath
import sys
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from bylaw.api.described import Described
from tests.compat.exchanges import (
    FAMILIES,
    FOLDER,
    Contract,
    Fields,
    Recorded,
    contract_of,
    lines_of,
    played,
    recorded_of,
    route_of,
    routes_of,
)

PAGES = FOLDER.parents[1] / "docs/reference/compat"
MADE = "<!-- Made by `make docs` from tests/compat/{family}; do not edit. -->\n"


def page(family: str) -> str:
    """Return the reference page of a family."""
    contract, routes, recorded = contract_of(family), routes_of(family), recorded_of(family)
    text = (FOLDER / family / "page.md").read_text(encoding="utf-8")
    made = {
        "operations": "\n".join(_operations(contract, routes, recorded)),
        "fields": "\n".join(_fields(contract.answers)),
        "acceptance": "\n".join(_acceptance(contract)),
    }
    for name, part in made.items():
        assert f"{{{name}}}\n" in text, f"{family}/page.md has no place for its {name}"
        text = text.replace(f"{{{name}}}\n", part + "\n")
    return MADE.format(family=family) + text


def _operations(
    contract: Contract, routes: Mapping[str, Described], recorded: Sequence[Recorded]
) -> Iterator[str]:
    yield "| route | needs | of the contract |\n|---|---|---|"
    for name, each in routes.items():
        yield f"| `{name}` | {each.scope or each.access} | {contract.routes[name].added or 'yes'} |"
    for name, each in routes.items():
        yield f"\n### `{name}`\n\n{each.summary}."
        found = [one for one in recorded if route_of(one.request, routes) == name]
        yield "\n```http\n" + "\n\n".join("\n".join(_told(one)) for one in found) + "\n```"


def _told(one: Recorded) -> Iterator[str]:
    yield f"# {one.when}"
    yield one.request
    yield from (f"{name}: {value}" for name, value in one.sent_headers.items())
    if one.sent:
        yield one.sent
    yield str(one.status)
    yield from (f"{name}: {value}" for name, value in one.headers.items())
    if one.answer:
        yield one.answer


def _fields(answers: Mapping[str, Fields]) -> Iterator[str]:
    for name, each in answers.items():
        yield f"- **{name}**: {_keys(each.contract) or 'nothing in the contract'}."
        yield from (f"  - added {_keys(names)}: {why}" for names, why in each.added.items())
        yield from (f"  - not served `{key}`: {why}" for key, why in each.unserved.items())


def _keys(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split())


def _acceptance(contract: Contract) -> Iterator[str]:
    yield "| item | what is asked | held by |\n|---|---|---|"
    for each in contract.acceptance:
        tests = (f"`{posixpath.normpath('tests/compat/' + test)}`" for test in each.tests)
        yield f"| {each.item} | {each.what} | {', '.join(tests)} |"


def objects_of(kind: object) -> dict[str, list[str]]:
    """Return the objects that an answer of `kind` may hold: the fields of each by its name, in order."""
    found: dict[str, list[str]] = {}
    open_kinds: list[object] = [msgspec.inspect.type_info(kind)]
    while open_kinds:
        match open_kinds.pop():
            case msgspec.inspect.StructType() as struct if struct.cls.__name__ not in found:
                found[struct.cls.__name__] = [each.encode_name for each in struct.fields]
                open_kinds += [each.type for each in struct.fields]
            case msgspec.inspect.UnionType(types=types) | msgspec.inspect.TupleType(item_types=types):
                open_kinds += types
            case msgspec.inspect.ListType(item_type=item) | msgspec.inspect.VarTupleType(item_type=item):
                open_kinds.append(item)
            case msgspec.inspect.DictType(value_type=value):
                open_kinds.append(value)
            case _:
                pass
    return found


def main() -> None:
    """Record, unless only the pages are to be written, and write every page."""
    for family in FAMILIES:
        if "--written" not in sys.argv:
            lines = "".join(lines_of(asyncio.run(played(family))))
            (FOLDER / family / "recorded.jsonl").write_text(lines, encoding="utf-8")
        (PAGES / f"{family}.md").write_text(page(family), encoding="utf-8")


if __name__ == "__main__":
    main()
