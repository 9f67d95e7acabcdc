"""Protobuf text format, read without a schema and strictly.

A message is a dict from field name to the list of its values, in order: text format does not say which
fields repeat. A string literal stays `bytes`, because only the schema knows whether the field is text.

Source: protobuf.dev/reference/protobuf/textformat-spec.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

Message = dict[str, list[object]]


class Word(str):
    """A bare identifier used as a value: an enum name."""

    __slots__ = ()


class Malformed(ValueError):
    """The text is not text format; the message names line and column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One lexical element: what it is, how it is written, where it begins."""

    kind: str
    text: str
    at: int


_TOKENS = re.compile(
    r"""
      (?P<space>   (?: [ \t\r\n\v\f]+ | \#[^\n]* )+ )
    | (?P<string>  "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
    | (?P<float>   (?: (?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)? | \d+[eE][-+]?\d+ )[fF]? | \d+[fF] )
    | (?P<hex>     0[xX][0-9A-Fa-f]+ )
    | (?P<octal>   0[0-7]+ )
    | (?P<decimal> 0|[1-9][0-9]* )
    | (?P<word>    [A-Za-z_][A-Za-z0-9_]* )
    | (?P<mark>    [-{}<>:,;\[\]/.] )
    """,
    re.VERBOSE,
)
_ESCAPES = re.compile(
    rb"""\\(?: (?P<simple>[abfnrtv?\\'"]) | x(?P<hex>[0-9A-Fa-f]{1,2}) | (?P<octal>[0-7]{1,3})
        | u(?P<short>[0-9A-Fa-f]{4}) | U(?P<long>[0-9A-Fa-f]{8}) | (?P<bad>.|$) )""",
    re.VERBOSE | re.DOTALL,
)
_SIMPLE = dict(zip(b"abfnrtv?\\'\"", b"\a\b\f\n\r\t\v?\\'\"", strict=True))
_CLOSES = {"{": "}", "<": ">"}


def parse(text: str) -> Message:
    """Return the message that `text` writes."""
    return _Reader(text).message(end=None)


def unquote(literal: str) -> bytes:
    """Return the bytes of one quoted literal."""

    def byte(match: re.Match[bytes]) -> bytes:
        kind, body = match.lastgroup, match[match.lastgroup or 0]
        if kind == "simple":
            return bytes([_SIMPLE[body[0]]])
        if kind in ("hex", "octal"):
            value = int(body, 16 if kind == "hex" else 8)
            if value > 255:
                raise Malformed(f"escape {match[0]!r} is over one byte")
            return bytes([value])
        if kind in ("short", "long"):
            return chr(int(body, 16)).encode("utf-8")
        raise Malformed(f"unknown escape {match[0]!r} in {literal}")

    return _ESCAPES.sub(byte, literal[1:-1].encode("utf-8"))


class _Reader:
    def __init__(self, text: str) -> None:
        self.source = text
        self.tokens = self._scan()
        self.next = next(self.tokens)

    def _scan(self) -> Iterator[Token]:
        at, before = 0, "space"
        while at < len(self.source):
            match = _TOKENS.match(self.source, at)
            if match is None:
                raise self.malformed(at, "no token begins here")
            kind = str(match.lastgroup)
            glued = {before, kind} <= {"float", "hex", "octal", "decimal", "word"}
            if glued:
                raise self.malformed(at, "a number and a word need a space between")
            if kind != "space":
                yield Token(kind=kind, text=match[0], at=at)
            at, before = match.end(), kind
        yield Token(kind="end", text="", at=at)

    def malformed(self, at: int, why: str) -> Malformed:
        line = self.source.count("\n", 0, at) + 1
        column = at - self.source.rfind("\n", 0, at)
        return Malformed(f"{line}:{column}: {why}")

    def take(self) -> Token:
        token = self.next
        if token.kind != "end":
            self.next = next(self.tokens)
        return token

    def took(self, text: str) -> bool:
        if self.next.kind == "mark" and self.next.text == text:
            self.take()
            return True
        return False

    def need(self, text: str) -> None:
        if not self.took(text):
            raise self.malformed(self.next.at, f"expected {text!r}, found {self.next.text!r}")

    def message(self, *, end: str | None) -> Message:
        fields: Message = {}
        while not (self.took(end) if end else self.next.kind == "end"):
            if self.next.kind == "end":
                raise self.malformed(self.next.at, f"expected {end!r} before the end")
            name = self.field_name()
            colon = self.took(":")
            values = fields.setdefault(name, [])
            if self.took("["):
                values.extend(self.values(colon=colon))
            else:
                values.append(self.value(colon=colon))
            _ = self.took(",") or self.took(";")
        return fields

    def field_name(self) -> str:
        if self.took("["):
            parts = []
            while not self.took("]"):
                token = self.take()
                if token.kind != "word" and token.text not in (".", "/"):
                    raise self.malformed(token.at, f"{token.text!r} in an extension name or type address")
                parts.append(token.text)
            return f"[{''.join(parts)}]"
        token = self.take()
        if token.kind != "word":
            raise self.malformed(token.at, f"expected a field name, found {token.text!r}")
        return token.text

    def values(self, *, colon: bool) -> Iterator[object]:
        if self.took("]"):
            return
        while True:
            yield self.value(colon=colon)
            if self.took("]"):
                return
            self.need(",")

    def value(self, *, colon: bool) -> object:
        for opening, closing in _CLOSES.items():
            if self.took(opening):
                return self.message(end=closing)
        if not colon:
            raise self.malformed(self.next.at, "a scalar needs ':' before it")
        if self.next.kind == "string":
            return self.string()
        negative = self.took("-")
        token = self.take()
        if token.kind == "word":
            return self.word(token, negative=negative)
        if token.kind == "float":
            number: int | float = float(token.text.rstrip("fF"))
        elif token.kind in ("hex", "octal", "decimal"):
            number = int(token.text, {"hex": 16, "octal": 8, "decimal": 10}[token.kind])
        else:
            raise self.malformed(token.at, f"expected a value, found {token.text!r}")
        return -number if negative else number

    def string(self) -> bytes:
        parts = []
        while self.next.kind == "string":
            token = self.take()
            try:
                parts.append(unquote(token.text))
            except Malformed as error:
                raise self.malformed(token.at, str(error)) from None
        return b"".join(parts)

    def word(self, token: Token, *, negative: bool) -> object:
        if token.text.lower() in ("inf", "infinity", "nan"):
            number = float(token.text)
            return -number if negative else number
        if negative:
            raise self.malformed(token.at, f"'-' before {token.text!r}")
        if token.text in ("true", "false"):
            return token.text == "true"
        return Word(token.text)
