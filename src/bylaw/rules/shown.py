"""Values as short text for people."""

import json
from collections.abc import Callable, Iterator
from typing import Final

from bylaw.rules import times
from bylaw.rules.library.network import cidr_text, ip_text
from bylaw.rules.library.text_format import plain_double
from bylaw.rules.values import CIDR, IP, Duration, Optional, Timestamp, Type, UInt, from_key

LONGEST: Final = 200


def shown(value: object, longest: int = LONGEST) -> str:
    """Return `value` like a literal, cut to `longest` characters; looks at no more than that."""
    parts: list[str] = []
    room = longest + 1
    for part in _parts(value, longest):
        parts.append(part)
        room -= len(part)
        if room < 0:
            break
    text = "".join(parts)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _parts(root: object, longest: int) -> Iterator[str]:
    """Yield the text in pieces; the open lists and maps stand on a stack of their own."""
    stack: list[Iterator[str | tuple[object]]] = [iter([(root,)])]
    while stack:
        piece = next(stack[-1], None)
        if piece is None:
            stack.pop()
        elif isinstance(piece, str):
            yield piece
        else:
            inner = _inside(piece[0])
            if inner is None:
                yield _scalar(piece[0], longest)
            else:
                stack.append(inner)


def _inside(value: object) -> Iterator[str | tuple[object]] | None:
    if type(value) is list:
        return _list(value)
    if type(value) is dict:
        return _map(value)
    if type(value) is Optional:
        return _optional(value)
    return None


def _optional(value: Optional) -> Iterator[str | tuple[object]]:
    if not value.present:
        yield "optional.none()"
        return
    yield "optional.of("
    yield (value.value,)
    yield ")"


def _list(items: list[object]) -> Iterator[str | tuple[object]]:
    yield "["
    for position, item in enumerate(items):
        if position:
            yield ", "
        yield (item,)
    yield "]"


def _map(entries: dict[object, object]) -> Iterator[str | tuple[object]]:
    yield "{"
    for position, (key, item) in enumerate(entries.items()):
        if position:
            yield ", "
        yield (from_key(key),)
        yield ": "
        yield (item,)
    yield "}"


def _scalar(value: object, longest: int) -> str:
    if type(value) is str:
        return json.dumps(value[: longest + 1], ensure_ascii=False)
    if type(value) is bytes:
        return f"b{json.dumps(value[: longest + 1].decode('latin-1'))}"
    write = _WRITTEN.get(type(value))
    return "an object of the host" if write is None else write(value)


def _whole(value: int) -> str:
    return str(int(value)) if value.bit_length() <= 640 else "an integer of more than 640 bits"


_WRITTEN: Final[dict[type, Callable[..., str]]] = {
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: _whole,
    UInt: _whole,
    float: plain_double,
    Timestamp: lambda value: f'timestamp("{times.format_timestamp(value)}")',
    Duration: lambda value: f'duration("{times.format_duration(value)}")',
    Type: lambda value: str(value.name),
    IP: lambda value: f'ip("{ip_text(value)}")',
    CIDR: lambda value: f'cidr("{cidr_text(value)}")',
}
