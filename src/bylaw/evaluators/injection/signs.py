"""The signs of an injection, from `signs.toml`, compiled once for all."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, Protocol, get_args

import re2

Kind = Literal[
    "override",
    "role",
    "prompt_exfiltration",
    "tool_smuggling",
    "hidden_text",
    "encoded",
    "data_exfiltration",
    "addressed",
    "concealment",
]

MEMORY_BYTES: Final = 1 << 26

_TABLE: Final = Path(__file__).with_name("signs.toml")
_BETWEEN: Final = r"[^a-z0-9]{1,4}"
_SQUEEZED: Final = r"[^a-z0-9]{0,3}"
# Spaces of a sign that separate words: not those of a set of characters, nor one that may be left out.
_SPACE: Final = re.compile(r"(?<!\[) (?![?<\]])")
_WORD: Final = re.compile(r"\{([a-z]+)\}")


class _Compiled(Protocol):
    """A compiled pattern of RE2."""

    def finditer(self, text: bytes, /) -> Iterator["_Found"]:
        """Yield where it stands."""

    def search(self, text: bytes, /) -> object:
        """Return the first place, or None."""


class _Found(Protocol):
    """A place where a pattern stands."""

    def span(self) -> tuple[int, int]:
        """Return where it begins and ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One kind of sign, strong or weak; `squeezed` is for text whose words run together."""

    kind: Kind
    is_strong: bool
    spaced: _Compiled
    squeezed: _Compiled

    def find(self, text: bytes, *, squeezed: bool = False) -> Iterator[tuple[int, int]]:
        """Yield where it stands in `text`."""
        pattern = self.squeezed if squeezed else self.spaced
        return (found.span() for found in pattern.finditer(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """Every sign: those over the normal form, and those of an override in other scripts.

    `spaced` is all of `known` at once: one search tells of most texts that they hold none.
    """

    known: tuple[Sign, ...]
    spaced: _Compiled
    foreign: re.Pattern[str]


@cache
def signs() -> Signs:
    """Return the signs of the table, compiled once."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    words: Mapping[str, str] = table["words"]
    rows: list[tuple[str, Kind, Sequence[str]]] = [
        (strength, kind, table[strength][kind])
        for strength in ("strong", "weak")
        for kind in get_args(Kind)
        if kind in table[strength]
    ]
    return Signs(
        known=tuple(
            Sign(
                kind=kind,
                is_strong=strength == "strong",
                spaced=_compiled(patterns, words, between=_BETWEEN, start=r"\b"),
                squeezed=_compiled(patterns, words, between=_SQUEEZED, start=""),
            )
            for strength, kind, patterns in rows
        ),
        spaced=_compiled(
            [each for _, _, patterns in rows for each in patterns], words, between=_BETWEEN, start=r"\b"
        ),
        foreign=re.compile("|".join(table["foreign"]["override"]), re.IGNORECASE),
    )


def _compiled(patterns: Sequence[str], words: Mapping[str, str], *, between: str, start: str) -> _Compiled:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    each = (_WORD.sub(lambda found: words[found[1]], pattern) for pattern in patterns)
    begun = (start + pattern if re.match(r"[a-z]|\(\?:[a-z]", pattern) else pattern for pattern in each)
    whole = "|".join(f"(?:{_SPACE.sub(between, pattern)})" for pattern in begun)
    compiled: _Compiled = re2.compile(whole.encode(), options)
    return compiled
