"""What a text says to whoever undoes its codes: entities, percent signs, escapes, tags, other digits, base64.

A page shows `Gl&#111;bex` as "Globex", and a reader of JSON the text within a text. What only shows so is
never quoted, for it does not stand there; but nothing is ruled out before it is looked at as well.
"""

import base64
import binascii
import html
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

import re2

# What any code holds in ASCII: most texts hold none, and one search tells.
_ANY: Final = re2.compile(
    rb"&#?[0-9A-Za-z]{2,31};|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|<[!/A-Za-z]"
    rb"|[0-9A-Za-z+/_-]{8}"
)
_ESCAPE: Final = re.compile(r"(?<!\\)\\{1,16}(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
_TAG: Final = re.compile(r"<!--[^<>]{0,500}-->|</?[A-Za-z][^<>]{0,500}>")
# A word with a digit or a capital within, as base64 has them.
_BASE64: Final = re.compile(
    r"(?<![\w+/-])(?=[\w+/-]*?(?:[a-z0-9][A-Z]|[0-9][a-z]))[\w+/-]{8,4000}={0,2}(?![\w+/=])", re.ASCII
)
_APART: Final = "\n\0\n"
_TIMES: Final = 2
# One character may become eighteen: of a text that grows so, the beginning is enough.
_MOST: Final = 150_000
_PIECE: Final = 1_024


def uncoded(text: str) -> str:
    """Return what `text` says once codes are undone, with and without tags; nothing where it is the same."""
    if text.isascii() and _ANY.search(text.encode()) is None:
        return ""
    said = text
    for _ in range(_TIMES):
        said = html.unescape(unquote(_ESCAPE.sub(_escaped, said)))
    said = _BASE64.sub(_written, said)
    if not said.isascii():
        said = _one_form(said)
    bare = _TAG.sub("", said)
    if bare != said:
        return f"{said}{_APART}{bare}"
    return "" if said == text else said


def _one_form(text: str) -> str:
    """Return a text in one form of its characters, piece by piece: a thread that does it stops nobody."""
    parts, size = list[str](), 0
    for start in range(0, len(text), _PIECE):
        piece = unicodedata.normalize("NFKC", text[start : start + _PIECE])
        parts.append(piece if piece.isascii() else "".join(map(_plain, piece)))
        size += len(piece)
        if size > _MOST:
            break
    return "".join(parts)


def _escaped(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2], 16))


def _plain(character: str) -> str:
    """Return a character, a digit of any script as one of ours; halves of characters go."""
    if character.isascii():
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return "" if "\ud800" <= character <= "\udfff" else character


def _written(found: re.Match[str]) -> str:
    """Return what a word in base64 says, itself where that is no text."""
    bare = found[0].rstrip("=").replace("-", "+").replace("_", "/")
    try:
        said = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return found[0]
    return f"{found[0]} {said}" if said.isprintable() else found[0]
