"""Whether a parsed body fits a struct: if not, every place that does not is named, not only the first."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Literal, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import Struct

from bylaw.core.errors import InvalidInput, Problem

T = TypeVar("T")
_AT = re.compile(r" - at `\$\.?(.*)`$")
_MOST = 50
_QUOTED = 50


def fit(value: object, kind: type[T]) -> T:
    """Return the parsed `value` as a `kind`. Raises: InvalidInput that names every misfit."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found = tuple(_misfits(value, kind, "", error))[:_MOST]
        message = " ".join(f"{each.path}: {each.message}" if each.path else each.message for each in found)
        raise InvalidInput(message, *found) from None


def _misfits(value: object, kind: object, path: str, error: msgspec.ValidationError) -> Iterator[Problem]:
    """Yield what is wrong with `value`, which raised `error` when read as a `kind`."""
    if isinstance(kind, type) and issubclass(kind, Struct) and isinstance(value, dict):
        yield from _of_struct(value, kind, path)
    elif get_origin(kind) in {list, tuple} and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _of_part(item, get_args(kind)[0], f"{path}[{index}]")
    else:
        text = str(error)
        at = _AT.search(text)
        inner = "" if at is None else at[1]
        joined = f"{path}{'.' if path and inner and inner[0] != '[' else ''}{inner}"
        message = f"{text if at is None else text[: at.start()]}."
        if isinstance(value, str) and (choices := _choices(kind)):
            message = f"{value[:_QUOTED]!r} is not one of the values; {_near(value, choices, 'use one of')}"
        yield Problem(path=joined, code="bad_value", message=message)


def _of_struct(value: dict[str, object], kind: type[Struct], path: str) -> Iterator[Problem]:
    config = kind.__struct_config__
    known = {each.encode_name: each for each in msgspec.structs.fields(kind)}
    known_names = [*known, *([config.tag_field] if config.tag_field else [])]
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        if name in known:
            yield from _of_part(item, known[name].type, here)
        elif name not in known_names and config.forbid_unknown_fields:
            hint = _near(name, known_names, "it takes")
            yield Problem(path=here, code="unknown_field", message=f"There is no such field; {hint}")
    for name, each in known.items():
        if each.required and name not in value:
            here = f"{path}.{name}" if path else name
            yield Problem(path=here, code="required", message="Say what it is: it is required.")


def _of_part(item: object, kind: object, path: str) -> Iterator[Problem]:
    try:
        msgspec.convert(item, cast("type[object]", kind))
    except msgspec.ValidationError as error:
        yield from _misfits(item, kind, path, error)


def _choices(kind: object) -> list[str]:
    """Return the words that a `kind` allows, when it allows certain words only."""
    if get_origin(kind) is Literal:
        return [each for each in get_args(kind) if isinstance(each, str)]
    return [each for part in get_args(kind) for each in _choices(part)]


def _near(wrong: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint: the one of `known` that `wrong` resembles, or all of them."""
    known = list(known)
    near = get_close_matches(wrong[:_QUOTED], known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"{otherwise} {', '.join(known)}."
