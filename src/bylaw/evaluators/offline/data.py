"""The kinds of data that a rule may name: personal data, secrets, links, and forms of writing."""

import re
from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.offline.reading import Found, Seen
from bylaw.evaluators.patterns import FINDERS, Finder

_DROPPED: Final = re.compile(
    r"^(?:(?:an?|any|the|all|other|real|full|complete|valid|raw|plain|plaintext|unmasked|unredacted"
    r"|actual) )+",
    re.IGNORECASE,
)
_OWNER: Final = re.compile(
    r"^(?:(?:an?|any|the|other|another) )*(?:customers?|users?|clients?|employees?|their|callers?"
    r"|patients?|people"
    r"|people's|somebody's|someone's|other people's|internal|private|personal)(?:'s|s'|')? ",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of data: how a sentence calls it, and how it is found."""

    said: str
    finder: Finder

    @property
    def is_complete(self) -> bool:
        """Whether finding none ever shows that there is none."""
        return self.finder.is_complete

    def find(self, seen: Seen) -> Found:
        """Return where it stands in a text, and whether it is ruled out elsewhere."""
        quotes = tuple(self.finder.find(seen.text))
        if quotes or not self.finder.shows_absence(seen.text):
            return Found(quotes=quotes, shows_absence=False)
        spells = self.finder.spells
        return Found(shows_absence=spells is None or not spells(seen.data))


def kind_of(words: str) -> tuple[Kind | None, bool]:
    """Return the kind of data that `words` name, and whether they say whose data it is."""
    bare = _DROPPED.sub("", words.strip().lower())
    found = _named(bare)
    if found is not None:
        return Kind(said=bare, finder=found), False
    owned = _OWNER.match(bare)
    found = _named(bare[owned.end() :]) if owned else None
    return (
        (None, False)
        if owned is None or found is None
        else (Kind(said=bare[owned.end() :], finder=found), True)
    )


def _named(name: str) -> Finder | None:
    return FINDERS.get(name) or FINDERS.get(name.removesuffix("s")) or FINDERS.get(name.removesuffix("es"))
