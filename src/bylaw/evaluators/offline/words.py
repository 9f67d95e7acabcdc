"""Looking for a phrase in a text, also inflected or disguised.

1. As it is written, in any case, with any white space, dashes or underscores between its words, and with its
   last word inflected (`-s`, `-es`, `'s`, `-ed`, `-ing`): it is there.
2. With digits, signs or look-alikes of other alphabets for some of its letters (`Gl0bex`): it is there too,
   when enough letters are left to know it by.
3. With signs or spaces between its letters (`l.a.w s.u.i.t`), with letters drawn out (`laaaawsuit`), with
   accents it does not have, as the beginning of a longer word of its family (`urgently`), or in the singular
   where it is a plural: that is neither found nor ruled out.

All of it is one search of RE2 over the plain form of a text (`injection.normal`), in linear time.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import re2

from bylaw.evaluators.injection.normal import DOUBLES, normal
from bylaw.evaluators.offline.reading import Found, Seen
from bylaw.evaluators.patterns import DASHES, END, MOST_QUOTES, START, plain, quote

# Most words of a phrase that is looked for: a text that repeats its beginning makes a long one slow to find.
MOST_WORDS: Final = 30
# How often a phrase may seem to stand in a window before the rest of it is left open.
_MOST_HITS: Final = 300
_OTHER: Final = "\x7f"
_BETWEEN: Final = rf"[\s_{DASHES}]+"
# What is written for a letter: digits and signs that look like it.
_LEET: Final = dict(
    zip("abegilostz01", ("4@", "8", "3", "69", "1!|l", "1|i", "0", "5$", "7+", "2", "o", "il"), strict=True)
)
_DERIVED: Final = ("ly", "able", "er", "ers", "ness", "ment", "less", "ful")
_SHORT: Final = 4


class _Pattern(Protocol):
    def search(self, text: bytes, pos: int = 0, /) -> "re.Match[bytes] | None":
        """Return the first place from `pos` on."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    """How one phrase is recognised: `loose` finds it, `literal` and `disguised` say how sure that is."""

    loose: _Pattern | None
    literal: re.Pattern[str]
    disguised: re.Pattern[str]


def find_words(phrase: str, seen: Seen, *, is_wanted: bool = False) -> Found:
    """Return where the phrase stands in a text, and whether it is ruled out elsewhere.

    What is wanted has to stand there as it is written: a disguise is no service.
    """
    known = _phrase(phrase)
    if known.loose is None:
        quotes = quote(known.literal, seen.text)
        return Found(quotes=tuple(quotes), shows_absence=not quotes and not _reads_alike(phrase, seen.text))
    quotes, is_open, at = [], False, 0
    for _ in range(_MOST_HITS):
        found = known.loose.search(seen.data, at)
        if found is None or len(quotes) == MOST_QUOTES:
            break
        start, end = found.span(1)
        at = end
        first, last = seen.plain.span(start - 1, end - 1)
        said, form = seen.text[first:last], seen.plain.text[start - 1 : end - 1]
        sure = _literal(known, said) or ("" if is_wanted else _disguised(known, said, form))
        if sure:
            quotes.append(sure)
        else:
            is_open = True
    else:
        is_open = True
    return Found(quotes=tuple(quotes), shows_absence=not is_open)


def _literal(phrase: _Phrase, said: str) -> str:
    """Return what of a hit is the phrase as it is written, or with characters in it that nobody sees."""
    bare = plain(said).replace("\u2019", "'")
    found = phrase.literal.search(bare)
    if found is None:
        return ""
    return said[slice(*found.span())] if len(bare) == len(said) else said


def _disguised(phrase: _Phrase, said: str, form: str) -> str:
    """Return a hit that is the phrase with other signs for some letters; an accent makes another word."""
    accented = any(unicodedata.combining(each) for each in unicodedata.normalize("NFD", said))
    return "" if accented or phrase.disguised.match(form) is None else said


@lru_cache(maxsize=4_096)
def _phrase(text: str) -> _Phrase:
    words = text.replace("\u2019", "'").split()
    literal = _BETWEEN.join([*map(re.escape, words[:-1]), _inflected(words[-1])])
    begin, end = START if _is_cased(text[0]) else "", END if _is_cased(text[-1]) else ""
    form = normal(text).text
    is_plain = _OTHER not in form and any(map(str.isalnum, form))
    parts = form.split()
    last = _forms(parts[-1]) if parts else ()
    whole = r"[\s_-]+".join(
        [*map(_disguise, parts[:-1]), "(?:" + "|".join(map(_disguise, last)) + ")"] if parts else []
    )
    enough = sum(map(str.isalpha, form)) >= _SHORT
    return _Phrase(
        loose=_loose(tuple(parts)) if is_plain else None,
        literal=re.compile(begin + literal + end, re.IGNORECASE),
        disguised=re.compile(whole + "(?![a-z0-9])" if enough and text.isascii() else "(?!)"),
    )


def _is_cased(character: str) -> bool:
    """Return whether words of its script are set apart: those of Chinese or Thai run on."""
    return not character.isalpha() or character.lower() != character.upper()


def _forms(word: str) -> tuple[str, ...]:
    """Return a word and its inflections; one without three letters has none."""
    if len(word) < 3 or not word[-1].isalpha():
        return (word,)
    stem = word.removesuffix("e")
    forms = [word, *(word + end for end in ("s", "es", "'s", "s'", "ed", "d", "ing")), stem + "ing"]
    if word.endswith("y"):
        forms += [word[:-1] + "ies", word[:-1] + "ied"]
    if word[-1] not in "aeiouwxy" and word[-2] in "aeiou":
        forms += [word + word[-1] + "ed", word + word[-1] + "ing"]
    return tuple(sorted(set(forms), key=len, reverse=True))


def _inflected(word: str) -> str:
    return "(?:" + "|".join(map(re.escape, _forms(word))) + ")"


def _letter(character: str) -> str:
    also = _LEET.get(character, "")
    return f"[{re.escape(character)}{re.escape(also)}]" if also else re.escape(character)


def _disguise(word: str) -> str:
    """Return a pattern of a word with other signs for some letters, half of its signs letters at least."""
    letters = "".join(map(_letter, word))
    return rf"(?=[^a-z]*[a-z]){letters}" if any(map(str.isalpha, word)) else letters


def _loose(parts: tuple[str, ...]) -> _Pattern:
    *begin, last = parts
    ends = "|".join(
        _spread(form, len(last))
        for form in (*_forms(last), *(last + end for end in _ends_of(last)), *_singulars(last))
    )
    gap = r"[\s_]*[^a-z0-9]{0,4}[\s_]*"
    whole = gap.join([*(_spread(part, len(part)) for part in begin), f"(?:{ends})"])
    options = re2.Options()
    options.log_errors = False
    compiled: _Pattern = re2.compile(f"[^a-z0-9]({whole})[^a-z0-9]".encode(), options)
    return compiled


def _ends_of(word: str) -> tuple[str, ...]:
    return _DERIVED if len(word) >= _SHORT and word[-1].isalpha() else ()


def _singulars(word: str) -> tuple[str, ...]:
    """Return what a word is the plural of, if it is one; never so short that it is in everything."""
    ends = (("ies", "y"), ("es", ""), ("s", "")) if len(word) > _SHORT and not word.endswith("ss") else ()
    return tuple(word.removesuffix(end) + single for end, single in ends if word.endswith(end))


def _spread(word: str, length: int) -> str:
    """Return a pattern of a word whose letters may stand apart; marks inside of it may be left out."""
    is_long = length >= _SHORT
    between = r"[^a-z0-9]{0,6}" if is_long else r"[._*|/~-]?"
    return between.join(
        (_drawn_out(each) if is_long and each.isalpha() else _letter(each))
        if each.isalnum()
        else f"(?:{re.escape(each)})?"
        if each == "'"
        else re.escape(each)
        for each in word
    )


def _drawn_out(letter: str) -> str:
    """Return a pattern of a letter, also three times or more: twice makes another word."""
    return rf"{_letter(letter)}(?:{letter}{{2,}})?"


def _reads_alike(phrase: str, text: str) -> bool:
    """Return whether a phrase of another script stands in the text once look-alikes have one form."""
    return _folded(phrase) in _folded(text)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", plain(text).casefold()).translate(DOUBLES)
