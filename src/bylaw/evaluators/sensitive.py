"""How sensitive the data in a text or in plain data is, by what the finders of `patterns` recognise in it.

Secrets, card numbers, bank accounts and numbers of persons are high; e-mail addresses and phone numbers
medium, and high when there are `MANY`. Low means that nothing was recognised, never that there is nothing:
names and addresses in words are not looked for.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

import re2

from bylaw.evaluators.patterns import cards, emails, ibans, phones, secrets
from bylaw.evaluators.patterns.identity import national_ids
from bylaw.evaluators.patterns.secrets import HINT

Level = Literal["low", "medium", "high"]
DataKind = Literal["secret", "card", "iban", "national_id", "email", "phone"]

MANY: Final = 5
_APART: Final = "\n|\n"  # what no number reaches across
MOST_READ: Final = 200_000  # characters of all texts together
MOST_TEXTS: Final = 10_000

_FINDERS: Final[Mapping[DataKind, Callable[[str], list[str]]]] = {
    "secret": secrets,
    "card": cards,
    "iban": ibans,
    "national_id": national_ids,
    "email": emails,
    "phone": phones,
}
# What any of them holds in ASCII: most texts hold none, and one search tells.
_ANY: Final = re2.compile(
    (
        rf"[@+]|[A-Za-z]{{2}}[ -]?[0-9]{{2}}|[0-9](?:[^0-9]{{0,3}}[0-9]){{6}}|{HINT}"
        r"|(?i:passw|pwd|secret|token|api.?key)"
    ).encode()
)
_HIGH: Final[frozenset[DataKind]] = frozenset({"secret", "card", "iban", "national_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """How sensitive data are, and the kinds that were found, in a fixed order."""

    level: Level
    kinds: tuple[DataKind, ...]


def sensitive_data(value: object) -> Sensitivity:
    """Return how sensitive the texts in `value` are: a text, or lists and objects of them, keys included."""
    text = _APART.join(_within(islice(texts(value), MOST_TEXTS)))
    if text.isascii() and _ANY.search(text.encode()) is None:
        return Sensitivity(level="low", kinds=())
    found = {kind: set(find(text)) for kind, find in _FINDERS.items()}
    kinds = tuple(kind for kind, quotes in found.items() if quotes)
    if _HIGH.intersection(kinds) or len(found["email"] | found["phone"]) >= MANY:
        return Sensitivity(level="high", kinds=kinds)
    return Sensitivity(level="medium" if kinds else "low", kinds=kinds)


def texts(value: object) -> Iterator[str]:
    """Yield every text in plain data in order, without recursion, so that no nesting is too deep."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            waiting += reversed([*each.keys(), *each.values()])
        elif isinstance(each, (list, tuple)):
            waiting += reversed(each)


def _within(texts: Iterator[str]) -> Iterator[str]:
    room = MOST_READ
    for text in texts:
        yield text[:room]
        room -= len(text)
        if room <= 0:
            return
