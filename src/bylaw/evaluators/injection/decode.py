"""Stretches of a text that hold another text in a code: base64, hex, percent signs, character entities."""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final
from urllib.parse import unquote

import re2

_MOST: Final = 40  # stretches of each code
_LONGEST: Final = 20_000

_BASE64: Final = re.compile(rf"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{{20,{_LONGEST}}}={{0,2}}")
_HEX: Final = re.compile(rf"(?:(?:\\x|0x|%)?[0-9a-fA-F]{{2}}[ ,:]?){{12,{_LONGEST}}}")
_PERCENT: Final = re.compile(rf"(?:%[0-9a-fA-F]{{2}}[\w.+-]{{0,20}}){{4,{_LONGEST}}}")
_ENTITIES: Final = re.compile(rf"(?:&#x?[0-9a-fA-F]{{2,6}};[\w ]{{0,3}}){{6,{_LONGEST}}}")
# What any of them holds: most texts hold none, and one search tells.
_ANY: Final = re2.compile(
    rb"[A-Za-z0-9+/_-]{20}|(?:(?:\\x|0x|%)?[0-9a-fA-F]{2}[ ,:]?){12}|%[0-9a-fA-F]{2}|&#"
)
_NOT_HEX: Final = re.compile(r"\\x|0x|%|[ ,:]")


def decoded(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where something in a code stands in `text`, with what it says, if that is readable."""
    if _ANY.search(text.encode("ascii", "replace")) is None:
        return
    codes: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
        (_BASE64, _base64),
        (_HEX, _hex),
        (_PERCENT, unquote),
        (_ENTITIES, html.unescape),
    )
    for pattern, reader in codes:
        for found in islice(pattern.finditer(text), _MOST):
            said = reader(found[0])
            if said and said.isprintable():
                yield found.start(), found.end(), said


def _base64(text: str) -> str:
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return _readable(base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True))
    except (binascii.Error, ValueError):
        return ""


def _hex(text: str) -> str:
    bare = _NOT_HEX.sub("", text)
    return _readable(bytes.fromhex(bare[: len(bare) // 2 * 2]))


def _readable(data: bytes) -> str:
    return " ".join(data.decode("utf-8", "ignore").split()) if data.isascii() else ""
