"""Text to tokens."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from bylaw.rules.place import refusal
from bylaw.rules.strings import unescape
from bylaw.rules.values import INT_MAX, UINT_MAX

Kind = Literal["name", "quoted", "int", "uint", "double", "string", "bytes", "operator", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the source; `value` is the name, the constant or the operator itself."""

    kind: Kind
    value: str | int | float | bytes
    start: int
    end: int


# Every alternative is linear: no repeated group inside a repeated group.
_BLANK: Final = re.compile(r"(?:[ \t\n\f\r]|//[^\n]*)*")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED: Final = re.compile(r"`([A-Za-z0-9_.\-/ ]+)`")
_STRING: Final = re.compile(r"([rR][bB]?|[bB][rR]?)?('''|\"\"\"|'|\")")
_DOUBLE: Final = re.compile(r"[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+")
_INTEGER: Final = re.compile(r"(?:0x[0-9a-fA-F]+|[0-9]+)([uU]?)")
_OPERATOR: Final = re.compile(r"&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]{}]")

_HINTS: Final = {
    "=": "compare with ==",
    "&": "write && for and",
    "|": "write || for or",
    ";": "a rule is one expression",
    "^": "there is no operator ^",
    "\u201c": "use a straight quote",
    "\u201d": "use a straight quote",
    "\u2018": "use a straight quote",
    "\u2019": "use a straight quote",
}


def tokens(source: str) -> list[Token]:
    """Return the tokens of `source`, ended by one of kind `end`.

    Raises: RuleSyntax.
    """
    found: list[Token] = []
    at = _skip(source, 0)
    while at < len(source):
        token = _next(source, at)
        found.append(token)
        at = _skip(source, token.end)
    found.append(Token("end", "", len(source), len(source)))
    return found


def _skip(source: str, at: int) -> int:
    blank = _BLANK.match(source, at)
    return at if blank is None else blank.end()


def _next(source: str, at: int) -> Token:
    if (opening := _STRING.match(source, at)) is not None:
        return _string(source, opening)
    if (name := _NAME.match(source, at)) is not None:
        return Token("name", name[0], at, name.end())
    if (number := _DOUBLE.match(source, at)) is not None:
        return _checked_end(source, Token("double", float(number[0]), at, number.end()))
    if (number := _INTEGER.match(source, at)) is not None:
        return _integer(source, number)
    if (operator := _OPERATOR.match(source, at)) is not None:
        return Token("operator", operator[0], at, operator.end())
    if source[at] == "`":
        if (quoted := _QUOTED.match(source, at)) is not None:
            return Token("quoted", quoted[1], at, quoted.end())
        raise refusal(source, at, "this quoted field name is empty, not closed or holds an odd character")
    raise refusal(source, at, f"unexpected character {source[at]!r}", hint=_hint(source, at))


def _hint(source: str, at: int) -> str:
    """Return what was probably meant by the character that nothing begins with."""
    if source[at] == "=" and source[at + 1 : at + 2] in {"<", ">"}:
        return f"compare with {source[at + 1]}="
    if source[at] == "=" and source[max(0, at - 2) : at] in {"<=", ">=", "!="}:
        return f"compare with {source[at - 2 : at]}"
    return _HINTS.get(source[at], "")


def _integer(source: str, number: re.Match[str]) -> Token:
    unsigned = number[1] != ""
    digits = number[0].rstrip("uU")
    if len(digits.lstrip("0")) > 25:  # Python's own conversion is quadratic in the digits
        raise refusal(source, number.start(), "this number is beyond 64 bits")
    value = int(digits, 16) if digits.startswith("0x") else int(digits)
    # One more than the largest int may follow a minus sign; the parser looks at that.
    if value > (UINT_MAX if unsigned else INT_MAX + 1):
        raise refusal(source, number.start(), "this number is beyond 64 bits")
    kind: Kind = "uint" if unsigned else "int"
    return _checked_end(source, Token(kind, value, number.start(), number.end()))


def _checked_end(source: str, token: Token) -> Token:
    if _NAME.match(source, token.end) is not None:
        raise refusal(source, token.end, "a number is followed directly by a letter")
    return token


def _string(source: str, opening: re.Match[str]) -> Token:
    prefix, quote = (opening[1] or "").lower(), opening[2]
    start, raw, triple = opening.end(), "r" in prefix, len(quote) == 3
    end = _closing(source, start, quote, raw=raw)
    body = source[start : max(end, 0)]
    if end < 0 or (not triple and ("\n" in body or "\r" in body)):
        raise refusal(source, opening.start(), "this string is not closed on its line")
    kind: Kind = "bytes" if "b" in prefix else "string"
    value = unescape(source, start, end, raw=raw, as_bytes=kind == "bytes")
    return Token(kind, value, opening.start(), end + len(quote))


def _closing(source: str, at: int, quote: str, *, raw: bool) -> int:
    """Return where the closing `quote` begins, or -1."""
    while True:
        end = source.find(quote, at)
        if raw or end < 0:
            return end
        escape = source.find("\\", at, end)
        if escape < 0:
            return end
        at = escape + 2
