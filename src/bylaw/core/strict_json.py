"""JSON is I-JSON (RFC 7493) but for long integers: what readers could differ on is refused, and where.

1. The bytes are UTF-8 and one JSON text.  2. No object names a member twice.  3. No text holds a lone
surrogate or NUL.  4. Integers have 64 bits (longer ones are sent as strings) and other numbers are finite.
5. Nesting stays within 32 levels.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Final, NoReturn

from bylaw.core.errors import InvalidInput, Problem

MAX_DEPTH: Final = 32
# Tool calls carry ids of 64 bits: they are compared exactly, and what is signed holds none of them.
_INTEGERS: Final = range(-(2**63), 2**64)
_HALF: Final = re.compile("[\ud800-\udfff]")


def parse(body: bytes) -> object:
    """Return the value that `body` is. Raises: InvalidInput that names the place."""
    try:
        text = body.decode("utf-8")  # 1
        if text.count("{") + text.count("[") > MAX_DEPTH:
            _check_depth(text)  # 5
        value: object = _decoder.decode(text)
    except _DuplicateKey:
        value = json.loads(body, object_pairs_hook=_Members)
        _refuse("duplicate_key", "A name stands twice in one object: keep one.", _duplicate(value, ""))
    except UnicodeDecodeError as error:
        _refuse("malformed_json", f"Not UTF-8 at byte {error.start}.")
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        _refuse("malformed_json", f"Not JSON at {place}: {error.msg}.")
    except ValueError as error:
        _refuse("malformed_json", f"Not JSON: {error}.")
    for path, code, message in _unsafe(value, ""):  # 3, 4
        _refuse(code, message, path)
    return value


class _DuplicateKey(Exception):
    pass


class _Members(list[tuple[str, object]]):
    """The members of an object as they were written."""


def _object(members: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    if len(found) != len(members):
        raise _DuplicateKey
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _duplicate(value: object, path: str) -> str:
    """Return the place of the first member whose name stands twice; there is one."""
    if isinstance(value, _Members):
        names: set[str] = set()
        for name, item in value:
            here = f"{path}.{name}" if path else name
            if name in names:
                return here
            names.add(name)
            if inner := _duplicate(item, here):
                return inner
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if inner := _duplicate(item, f"{path}[{index}]"):
                return inner
    return ""


def _unsafe(value: object, path: str) -> Iterator[tuple[str, str, str]]:
    """Yield (place, code, sentence) of texts and numbers that other readers could take for something else."""
    if isinstance(value, dict):
        for name, item in value.items():
            here = f"{path}.{name}" if path else name
            yield from _unsafe(name, here)
            yield from _unsafe(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unsafe(item, f"{path}[{index}]")
    elif isinstance(value, str):
        if "\0" in value:
            yield path, "nul", "The text holds NUL: take it out."
        elif _HALF.search(value):
            yield path, "lone_surrogate", "The text holds half of a surrogate pair: send whole characters."
    elif isinstance(value, int) and value not in _INTEGERS:
        yield path, "number_range", "The integer has more than 64 bits: send it as a string."
    elif isinstance(value, float) and math.isinf(value):
        yield path, "number_range", "The number is too large: send it as a string."


def _check_depth(text: str) -> None:
    """Return nothing if no place in `text` is nested deeper than allowed."""
    depth = deepest = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
        mark = token[0]
        depth += (mark in "[{") - (mark in "]}")
        deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            _refuse("too_deep", f"Nested deeper than {MAX_DEPTH} levels at character {token.start()}.")


def _refuse(code: str, message: str, path: str = "") -> NoReturn:
    path = path.encode("utf-8", "replace").decode()
    where = f"{path}: " if path else ""
    raise InvalidInput(where + message, Problem(path=path, code=code, message=message))
