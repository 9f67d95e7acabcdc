"""Finding injections in a text that is data: a tool result, a page, an e-mail, a prompt of somebody else.

1. Hidden characters are looked for in the text as it came.
2. Signs are looked for in its normal form (`normal`), and again with digits read as letters, by ROT13,
   backwards, and in stretches of letters that stand apart.
3. What decodes from base64, hex, percent or entity codes is looked at in the same way.
4. A sign that is only spoken of is marked so: it is quoted or denied, or somebody else is said to do it.

A finding is a matter of wording: nothing found does not show that a text is harmless.
Limits: the first `MOST_READ` characters and `MOST_SIGNS` signs are looked at, and the `MOST_FINDINGS` that
say most are given.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

import re2

from bylaw.evaluators.injection.decode import decoded
from bylaw.evaluators.injection.hidden import hidden
from bylaw.evaluators.injection.mention import is_mention
from bylaw.evaluators.injection.normal import Normal, normal
from bylaw.evaluators.injection.signs import Kind, Sign, signs

MOST_READ: Final = 100_000
MOST_SIGNS: Final = 2_000
MOST_FINDINGS: Final = 50

Basis = Literal["pattern", "hidden", "decoded"]

LEET: Final = str.maketrans("013457@$!", "oieastasi")
_PLAIN: Final = "abcdefghijklmnopqrstuvwxyz"
ROT13: Final = str.maketrans(_PLAIN, _PLAIN[13:] + _PLAIN[:13])
_MIXED: Final = re2.compile(rb"[a-z][013457@$!]|[013457@$!][a-z]")
_APART: Final = re.compile(r"(?<![a-z0-9])(?:[a-z0-9][ ._*|/-]{1,3}){9,}[a-z0-9](?![a-z0-9])")
_MAYBE_APART: Final = re2.compile(rb"(?:[a-z0-9][ ._*|/-]{1,3}){9}[a-z0-9]")
_APART_MARKS: Final = re.compile(r"[ ._*|/-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sign of an injection, where it stands and on what it rests.

    `is_strong` shows an attempt alone; `is_mention` says that the text only speaks of it.
    Units: `start` and `end` count code points of the text.
    """

    kind: Kind
    basis: Basis
    start: int
    end: int
    is_strong: bool
    is_mention: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """What was found in one text; `is_cut` when not all of it was looked at."""

    findings: tuple[Finding, ...]
    is_cut: bool

    @property
    def is_attempt(self) -> bool:
        """Whether it shows: a strong sign that is no mention, or weak ones of two kinds."""
        meant = [finding for finding in self.findings if not finding.is_mention]
        return any(finding.is_strong for finding in meant) or len({finding.kind for finding in meant}) > 1


def injection(text: str) -> Injection:
    """Return the signs of an injection in `text`, in reading order."""
    part = text[:MOST_READ]
    found = [*islice(_all(part), MOST_SIGNS)]
    telling = sorted(
        {*found}, key=lambda finding: (finding.is_mention, not finding.is_strong, *_place(finding))
    )
    return Injection(
        findings=tuple(sorted(telling[:MOST_FINDINGS], key=_place)),
        is_cut=len(text) > MOST_READ or len(found) == MOST_SIGNS,
    )


def _place(finding: Finding) -> tuple[int, int, str, str]:
    return finding.start, finding.end, finding.kind, finding.basis


def _all(text: str) -> Iterator[Finding]:
    for start, end, is_strong in hidden(text):
        yield Finding(kind="hidden_text", basis="hidden", start=start, end=end, is_strong=is_strong)
    plain = normal(text)
    yield from _signs(plain)
    yield from _disguised(plain)
    for found in () if text.isascii() else signs().foreign.finditer(text):
        yield Finding(kind="override", basis="pattern", start=found.start(), end=found.end(), is_strong=True)
    for start, end, inner in decoded(text):
        if any(finding.is_strong for finding in _signs(normal(inner))):
            yield Finding(kind="encoded", basis="decoded", start=start, end=end, is_strong=True)


def _disguised(plain: Normal) -> Iterator[Finding]:
    """Yield the strong signs that show once a disguise of the letters is undone."""
    text, length, data = plain.text, len(plain.text), plain.text.encode()
    if _MIXED.search(data):
        yield from _strong(plain, text.translate(LEET))
    yield from _strong(plain, text.translate(ROT13))
    yield from _strong(plain, text[::-1], at=lambda start, end: (length - end, length - start))
    for found in _APART.finditer(text) if _MAYBE_APART.search(data) else ():
        if any(
            list(sign.find(_APART_MARKS.sub("", found[0]).encode(), squeezed=True))
            for sign in signs().known
            if sign.is_strong
        ):
            start, end = plain.span(found.start(), found.end())
            yield Finding(kind="override", basis="decoded", start=start, end=end, is_strong=True)


def _strong(
    plain: Normal, disguised: str, at: Callable[[int, int], tuple[int, int]] | None = None
) -> Iterator[Finding]:
    data = disguised.encode()
    for sign in _known(data):
        if sign.is_strong and sign.kind in {"override", "role", "prompt_exfiltration"}:
            for start, end in sign.find(data):
                first, last = plain.span(*((start, end) if at is None else at(start, end)))
                mention = is_mention(disguised, start, end)
                yield Finding(
                    kind=sign.kind, basis="decoded", start=first, end=last, is_strong=True, is_mention=mention
                )


def _known(data: bytes) -> tuple[Sign, ...]:
    """Return the signs to look for one by one: none where all of them together are not there."""
    every = signs()
    return () if every.spaced.search(data) is None else every.known


def _signs(plain: Normal) -> Iterator[Finding]:
    data = plain.text.encode()
    for sign in _known(data):
        for start, end in sign.find(data):
            first, last = plain.span(start, end)
            yield Finding(
                kind=sign.kind,
                basis="pattern",
                start=first,
                end=last,
                is_strong=sign.is_strong,
                is_mention=is_mention(plain.text, start, end),
            )
