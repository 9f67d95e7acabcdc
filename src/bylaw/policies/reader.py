"""A reader of plain data that collects every problem instead of stopping at the first."""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Final, TypeVar

from bylaw.core import canonical_json
from bylaw.core.canonical_json import Json
from bylaw.core.errors import InvalidInput, Problem

L = TypeVar("L", bound=str)

MAX_DEPTH = 32
_NAMED = 20  # unknown fields beyond these are not worth a message each
_SHOWN = 60
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


class Reader:
    """Reads fields and keeps what is wrong with them; `finish` raises it all at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def refuse(self, path: str, code: str, message: str) -> None:
        """Keep one problem."""
        self.problems.append(Problem(path=path, code=code, message=message))

    def finish(self, message: str) -> None:
        """Return nothing if all was well. Raises: InvalidInput with every problem kept so far."""
        if self.problems:
            places = ", ".join(dict.fromkeys(problem.path for problem in self.problems))
            raise InvalidInput(f"{message}: {places}.", *self.problems)

    def fields(self, value: object, known: Collection[str], path: str) -> Mapping[str, object]:
        """Return `value` as an object with only `known` fields; anything else is a problem."""
        found = self.mapping(value, path)
        unknown = [str(name)[:_SHOWN] for name in found if name not in known]
        for name in unknown[:_NAMED]:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}."
            self.refuse(join(path, name), "unknown_field", f"There is no such field; {hint}")
        return found

    def mapping(self, value: object, path: str) -> Mapping[str, object]:
        """Return `value` as an object, whatever its fields."""
        if isinstance(value, Mapping):
            return value
        self.refuse(path or "$", "wrong_type", f"An object is needed here, not {_kind(value)}.")
        return {}

    def text(self, value: object, path: str, *, most: int, blank: bool = True) -> str:
        """Return `value` as text of at most `most` characters, not blank unless that is allowed."""
        if not isinstance(value, str):
            self.refuse(path, "wrong_type", f"Text is needed here, not {_kind(value)}.")
        elif len(value) > most:
            self.refuse(path, "too_long", f"At most {most} characters; this has {len(value)}.")
        elif not blank and not value.strip():
            self.refuse(path, "required", "It must not be blank.")
        elif _NO_TEXT.search(value):
            self.refuse(path, "bad_text", "It holds a character that is not text (NUL or half a pair).")
        else:
            return value
        return ""

    def choice(self, value: object, path: str, options: tuple[L, ...], default: L) -> L:
        """Return the option that `value` names."""
        for option in options:
            if value == option:
                return option
        word = value[:_SHOWN] if isinstance(value, str) else _kind(value)
        near: list[str] = [option for option in options if option.casefold() == word.casefold()]
        near = near or difflib.get_close_matches(word, options, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(options)}."
        self.refuse(path, "unknown_value", f"{word!r} is not one of the values; {hint}")
        return default

    def flag(self, value: object, path: str) -> bool:
        """Return `value` as true or false."""
        if not isinstance(value, bool):
            self.refuse(path, "wrong_type", f"Write true or false here, not {_kind(value)}.")
        return value is True

    def items(self, value: object, path: str, *, most: int) -> list[object]:
        """Return `value` as a list of at most `most` items."""
        if not isinstance(value, (list, tuple)):
            self.refuse(path, "wrong_type", f"A list is needed here, not {_kind(value)}.")
            return []
        if len(value) > most:
            self.refuse(path, "too_many", f"At most {most} items; this has {len(value)}.")
            return []
        return list(value)

    def json_object(self, value: object, path: str, *, most_bytes: int) -> Mapping[str, Json]:
        """Return `value` as an object of JSON, kept as it is."""
        if not isinstance(value, Mapping):
            self.refuse(path, "wrong_type", f"An object is needed here, not {_kind(value)}.")
            return {}
        if _deeper(value, MAX_DEPTH):
            self.refuse(path, "too_deep", f"At most {MAX_DEPTH} levels of objects and lists.")
            return {}
        try:
            size = len(canonical_json.canonical(value))
        except ValueError as error:
            self.refuse(path, "not_json", f"This cannot be stored: {error}.")
            return {}
        if size > most_bytes:
            self.refuse(path, "too_large", f"At most {most_bytes} bytes; this has {size}.")
        return value


def join(path: str, name: str) -> str:
    """Return the path of the field `name` below `path`."""
    return f"{path}.{name}" if path else name


def _deeper(value: object, levels: int) -> bool:
    if isinstance(value, Mapping):
        return levels == 0 or any(_deeper(item, levels - 1) for item in value.values())
    if isinstance(value, (list, tuple)):
        return levels == 0 or any(_deeper(item, levels - 1) for item in value)
    return False


def _kind(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")
