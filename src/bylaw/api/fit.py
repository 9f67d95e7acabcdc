"""Whether a parsed body fits a struct: if not, every place that does not is named, not only the first."""

import re
from collections.abc import Iterator
from typing import TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import Struct

from bylaw.core.errors import InvalidInput, Problem

T = TypeVar("T")
_AT = re.compile(r" - at `\$\.?(.*)`$")
_MOST = 50


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
        message = text if at is None else text[: at.start()]
        yield Problem(path=joined, code="bad_value", message=f"{message}.")


def _of_struct(value: dict[str, object], kind: type[Struct], path: str) -> Iterator[Problem]:
    config = kind.__struct_config__
    known = {each.encode_name: each for each in msgspec.structs.fields(kind)}
    known_names = [*known, *([config.tag_field] if config.tag_field else [])]
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        if name in known:
            yield from _of_part(item, known[name].type, here)
        elif name not in known_names and config.forbid_unknown_fields:
            message = f"There is no such field; it takes {', '.join(known_names)}."
            yield Problem(path=here, code="unknown_field", message=message)
    for name, each in known.items():
        if each.required and name not in value:
            here = f"{path}.{name}" if path else name
            yield Problem(path=here, code="required", message="Say what it is: it is required.")


def _of_part(item: object, kind: object, path: str) -> Iterator[Problem]:
    try:
        msgspec.convert(item, cast("type[object]", kind))
    except msgspec.ValidationError as error:
        yield from _misfits(item, kind, path, error)
