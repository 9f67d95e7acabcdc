"""Spelling: how a name finds its fact however it is written, and a phrase its place in a text."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from bylaw.rules.budget import COMPARED_PER_STEP, Budget

MISSING: Final = object()

_HISSING: Final = ("s", "x", "z", "ch", "sh")  # after these a plural ends in -es
_NEVER_BEFORE_E: Final = ("ss", "us", "is", "x", "ch", "sh")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Path:
    """A key, or a dotted path of keys, that is found in facts in any of its spellings.

    `text` is as it was written, `canonical` in snake_case and singular.
    """

    __slots__ = ("_keys", "_whole", "canonical", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.canonical = _singulars(snake(text))[0]
        self._whole = _spellings(text)
        self._keys = tuple(_spellings(key) for key in text.split(".")) if "." in text else ()

    def find(self, facts: Mapping[str, object]) -> object:
        """Return the fact, or MISSING. The path goes before the whole text as one key.

        Facts of a request are spelled in snake_case and reached by path, so no key of `metadata` that is
        spelled otherwise hides one of them.
        """
        found: object = facts if self._keys else MISSING
        for spellings in self._keys:
            found = _look_up(found, spellings) if isinstance(found, dict) else MISSING
        return _look_up(facts, self._whole) if found is MISSING else found

    def without_prefix(self) -> "Path":
        """Return the path without its first word: `orderValue` for `minOrderValue`."""
        rest = self.text[3:].removeprefix("_")
        return Path(rest[:1].lower() + rest[1:])


def fold(text: str) -> str:
    """Return `text` as phrases are looked for: case folded, any white space as one space."""
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(folded.casefold().split())


def phrase_in(text: str, phrase: str, budget: Budget) -> bool:
    """Return whether folded `text` has the folded `phrase` at word boundaries. Raises: Failure (`budget`)."""
    budget.spend(len(text) // COMPARED_PER_STEP)
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        if not (start and _is_word(text[start - 1])) and not (end < len(text) and _is_word(text[end])):
            return True
        budget.spend(1)
        start = text.find(phrase, start + 1)
    return False


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _look_up(facts: Mapping[str, object], spellings: tuple[str, ...]) -> object:
    for key in spellings:
        if key in facts:
            return facts[key]
    return MISSING


def snake(key: str) -> str:
    """Return `key` in snake_case: `not_in` for `notIn`."""
    return _HUMP.sub("_", key).lower()


def _spellings(key: str) -> tuple[str, ...]:
    """Return the ways to write `key`, its own in snake_case first."""
    own = snake(key)
    forms = (own, *_singulars(own), *_plurals(own))
    return tuple(dict.fromkeys((own, key, *forms, *map(_camel, forms))))


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _singulars(key: str) -> tuple[str, ...]:
    """Return what `key` may be the plural of, the likeliest first; itself when it is none."""
    if key.endswith("ies") and len(key) > 4:
        return key[:-3] + "y", key[:-1]
    if key.endswith("es") and key[:-2].endswith(_HISSING):
        shorter, longer = key[:-2], key[:-1]
        return (shorter, longer) if shorter.endswith(_NEVER_BEFORE_E) else (longer, shorter)
    plural = key.endswith("s") and not key.endswith(("ss", "us", "is")) and len(key) > 2
    return (key[:-1],) if plural else (key,)


def _plurals(key: str) -> tuple[str, ...]:
    """Return the plurals of `key`; itself when it may be one."""
    if key.endswith("y") and key[-2:-1] not in "aeiou":
        return (key[:-1] + "ies",)
    if key.endswith(_HISSING):
        return (key + "es",) if _singulars(key) == (key,) else (key,)
    return (key + "s",)
