"""Words of English: what carries meaning, and what is left of a word without its endings."""

import re
from collections.abc import Iterator
from typing import Final

WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001 - people write this apostrophe


def listed(words: str) -> frozenset[str]:
    """Return the words that stand in `words`, one apart from the next by space."""
    return frozenset(words.split())


_LITTLE: Final = listed(
    """a an and any are as at be been before being but by can could did do does doing done for from get
    gets had has have having he her here him his how i if in into is it its itself just may me might
    more most must my need needs no nor not of off on once only or other our out over own per shall she
    should so some such than that the their them then there these they this those through to too under
    until up upon us very via was we were what when where which while who whom whose will with within
    without would you your never always please also about above after again against all both each few
    same during below between because down further unless except every don't can't mustn't shouldn't
    won't cannot isn't aren't doesn't"""
)
_ENDINGS: Final = (
    ("ization", "ize"),
    ("isation", "ize"),
    ("ations", "ate"),
    ("ation", "ate"),
    ("ments", ""),
    ("ment", ""),
    ("ness", ""),
    ("ities", "ity"),
    ("ying", "y"),
    ("ied", "y"),
    ("ies", "y"),
    ("ings", ""),
    ("ing", ""),
    ("ions", ""),
    ("ion", ""),
    ("ovals", "ov"),
    ("oval", "ov"),
    ("usal", "us"),
    ("ers", ""),
    ("er", ""),
    ("ors", ""),
    ("or", ""),
    ("ed", ""),
    ("ly", ""),
    ("es", ""),
    ("s", ""),
    ("e", ""),
)
_SHORTEST_STEM: Final = 3
_LONGEST_WORD: Final = 40


def stem(word: str) -> str:
    """Return what `approve`, `approval`, `approved` and `approving` have in common."""
    stemmed = word.casefold().removesuffix("'s").removesuffix("’s")[:_LONGEST_WORD]  # noqa: RUF001
    for _ in range(2):
        for ending, instead in _ENDINGS:
            if stemmed.endswith(ending) and len(stemmed) - len(ending) >= _SHORTEST_STEM:
                if ending == "s" and stemmed.endswith(("ss", "us", "is")):
                    continue
                stemmed = stemmed.removesuffix(ending) + instead
                break
    if len(stemmed) > _SHORTEST_STEM and stemmed[-1] == stemmed[-2]:
        stemmed = stemmed[:-1]
    return stemmed[:-1] + "i" if stemmed.endswith("y") and len(stemmed) > _SHORTEST_STEM else stemmed


def content_stems(text: str) -> Iterator[str]:
    """Yield the stems of the words of `text` that carry meaning, in order."""
    for found in WORD.finditer(text):
        word = found[0].casefold().replace("’", "'")  # noqa: RUF001
        if word not in _LITTLE and (len(word) > 1 or word.isdigit()):
            yield stem(word)
