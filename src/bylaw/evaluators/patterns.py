"""What can be recognised for certain in a text: personal data by shape and checksum, and secrets by prefix.

A shape says where in a text something stands. A finder gives the first `MOST_QUOTES` quotes, exactly as they
stand there: one is enough to show that a rule is broken, and a text may hold a hundred thousand.

What has the shape is there (`SHAPES`); where nothing is even like it (`LOOSE`), there is none. In between
nothing can be said: `4111 1111 1111 1111` is a card number, `card4111/1111/1111/1111` may be one. A date and
a time are neither. Characters that nobody sees are read over: a soft hyphen hides nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from bylaw.policies.model import PersonalData

Span = tuple[int, int]

MOST_QUOTES: Final = 20
# How many numbers are checked before a text that is full of look-alikes is left undecided.
MOST_TRIED: Final = 5_000
_SHORTEST_IBAN: Final = 15
# A text is searched in stretches, so that others get their turn; no match is longer than `_LONGEST`.
_STRETCH: Final = 4_096
_LONGEST: Final = 700
# What checking a look-alike costs, in characters read.
_CHECKING: Final = 128

DASHES: Final = r"\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
_SPACES: Final = r" \t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_GAP: Final = f"[{_SPACES}{DASHES}]"
_WIDE_GAP: Final = rf"[\s.{DASHES}]{{1,3}}"
# No letter and no digit stands before, or after: an underscore is neither.
START: Final = r"(?<![^\W_])"
END: Final = r"(?![^\W_])"

_DOMAIN: Final = r"(?:[\w-]{1,63}\.){1,8}(?:[^\W\d_]{2,24}|xn--[\w-]{2,59})"
_EMAIL: Final = re.compile(rf'(?:(?<![\w.%+-])[\w.%+-]{{1,64}}+|"[^"\r\n]{{1,64}}")@{_DOMAIN}{END}')
_AT: Final = "(?:[@\uff20\ufe6b]|%40|&#0{0,5}64;)"
_LIKE_EMAIL: Final = re.compile(
    rf"(?=[@\uff20\ufe6b%&])(?:(?:(?<=[\w.%+-])|(?<=[\w.%+-][\"'])){_AT}[\w\[\"']"
    rf"|(?:(?<=\w)|(?<=\w\s)){_AT}\s?[\w-]{{1,63}}\.\w)"
)

_CARD: Final = re.compile(
    rf"(?=\d){START}(?<!\+)(?<!\d\.)(?:(?:\d{_GAP}?){{12,18}}\d"
    rf"|\d{{4}}(?:{_WIDE_GAP}\d{{4}}){{2}}{_WIDE_GAP}\d{{1,4}}(?:{_WIDE_GAP}\d{{3}})?"
    rf"|\d{{4}}{_WIDE_GAP}\d{{6}}{_WIDE_GAP}\d{{4,5}}){END}"
)
_LIKE_CARD: Final = re.compile(
    r"(?=\d)(?<!\d)(?<!\d\.)(?:\d{13,19}(?!\d)"
    r"|\d{4}(?P<gap>[\W_]{1,3})\d{4}(?P=gap)\d{4}(?P=gap)\d{4}(?!\d)"
    rf"|{START}\d(?:[\W_]{{0,3}}\d){{12,18}}{END})"
)
# A point of time, and a number with decimals, are no part of a card number.
_OTHERWISE: Final = re.compile(
    r"(?:19|20)\d\d(?P<sign>[-/. ])[01]?\d(?P=sign)[0-3]?\d(?!\d)|\d:\d|^\d+[.,]\d+$"
)

_IBAN: Final = re.compile(
    rf"{START}[A-Za-z]{{2}}[0-9]{{2}}(?:{_GAP}?[A-Za-z0-9]{{4}}){{2,7}}(?:{_GAP}?[A-Za-z0-9]{{1,3}})?{END}"
)
# How long the account numbers of each country are (the registry of ISO 13616).
_IBANS_OF: Final = {
    code: length
    for length, codes in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for code in codes.split()
}
_LIKE_IBAN: Final = re.compile(r"[A-Za-z]{2}[\W_]{0,3}[0-9](?:[\W_]{0,3}[0-9A-Za-z]){12,31}")

_PHONE: Final = re.compile(
    rf"{START}(?<!\+)\+[1-9]\d{{0,2}}(?:{_GAP}|\.)?(?:\(\d{{1,4}}\)(?:{_GAP}|\.)?)?"
    rf"\d(?:(?:{_GAP}|\.)?\d){{5,12}}{END}"
)
_LIKE_PHONE: Final = re.compile(
    rf"(?<![\d)])(?<![\d)]\s)\+[\W_]{{0,3}}[1-9](?:[\W_]{{0,3}}\d){{6,14}}|(?<![\w.,:])00{_GAP}?[1-9](?:[\W_]{{0,3}}\d){{6,14}}"
)
_MAYBE_PHONE: Final = re.compile(r"\d(?:\D{0,3}\d){5}")

_BREAK: Final = re.compile(r"[\W_]+")
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
# What every one of the secrets begins with: where it is not, none is.
_SECRET_BEGINS: Final = re.compile("-----BEGIN |AKIA|gh[pousr]_|xox[abprs]-|sk-|eyJ")
_SECRET: Final = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}\b|\bsk-[A-Za-z0-9_-]{20,}\b"
    r"|(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,2000}\.[\w-]{10,}"
)


@dataclass(frozen=True, slots=True)
class Visible:
    """A text without the characters that nobody sees; `hidden` is before which character each stood."""

    text: str
    hidden: tuple[int, ...] = ()

    def span(self, start: int, end: int) -> Span:
        """Return where in the text as it was sent a span of `text` stands."""
        return start + bisect_right(self.hidden, start), end + bisect_right(self.hidden, end - 1)


def plain(text: str) -> str:
    """Return `text` without the characters that nobody sees."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def visible(text: str) -> Visible:
    """Return the same, and where they stood."""
    seen = plain(text)
    if len(seen) == len(text):
        return Visible(text)
    places = (found.start() for found in _INVISIBLE.finditer(text))
    hidden = tuple(place - rank for rank, place in enumerate(places))
    return Visible(seen, hidden)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a kind of data looks like, and the checksum that tells it from what only looks like it.

    `needs` is a character without which it cannot be there. `dropped` groups at its end may belong to what
    follows: `4111 1111 1111 1111 12/27`.
    """

    pattern: re.Pattern[str]
    checks: Callable[[str], bool] | None = None
    dropped: int = 0
    needs: str = ""

    def search(self, text: str) -> Iterator[Span | int]:
        """Yield where it stands in `text`, in order; and in between how many characters' work it took.

        A number may stand beside another one: what fails the checksum is tried again without its last
        groups, and from its next group on.
        """
        if self.needs not in text:
            return
        seen = visible(text)
        position, size = 0, len(seen.text)
        for begin in range(0, size, _STRETCH):
            stop = min(begin + _STRETCH, size)
            while (found := self.pattern.search(seen.text, position, stop + _LONGEST)) is not None:
                start = found.start()
                if start >= stop:
                    break
                position = start + 2
                for end in self._ends(found):
                    if self.checks is None or self.checks(seen.text[start:end]):
                        position = end
                        yield seen.span(start, end)
                        break
                    yield _CHECKING
            position = max(position, stop)
            yield stop - begin

    def _ends(self, found: re.Match[str]) -> Iterator[int]:
        """Yield where it may end, the longest first."""
        yield found.end()
        if self.dropped:
            breaks = [each.start() for each in _BREAK.finditer(found[0])]
            for end in breaks[: -self.dropped - 1 : -1]:
                yield found.start() + end


def _is_card(number: str) -> bool:
    """Return whether it has a right check digit and begins as card numbers of its length do."""
    digits = re.sub(r"\D", "", number)
    if not 13 <= len(digits) <= 19 or digits[0] == "0" or (digits[0] == "1" and len(digits) != 15):
        return False
    if digits[0] == "2" and not ("2200" <= digits[:4] <= "2204" or "2221" <= digits[:4] <= "2720"):
        return False
    return _luhn(digits) and _OTHERWISE.search(number) is None


def _is_iban(number: str) -> bool:
    """Return whether the remainder by 97 is 1, of what is mostly digits as every account number is."""
    iban = _BREAK.sub("", number)
    digits = sum(map(str.isdigit, iban))
    return len(iban) >= _SHORTEST_IBAN and 2 * digits >= len(iban) and _mod97(iban)


def _begins_iban(text: str) -> bool:
    """Return whether the text begins with an account number as long as those of its country."""
    iban = re.sub("[^0-9A-Za-z]", "", text)
    length = _IBANS_OF.get(iban[:2].upper(), 0)
    return length > 0 and len(iban) >= length and iban[2:4].isdigit() and _is_iban(iban[:length])


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(digits)) > 1


def _mod97(iban: str) -> bool:
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


# In the order in which a text is searched: what one finds is not looked at by those after it.
SHAPES: Final[Mapping[PersonalData, Shape]] = {
    "email": Shape(_EMAIL, needs="@"),
    "iban": Shape(_IBAN, _is_iban, 6),
    "card": Shape(_CARD, _is_card, 6),
    "phone": Shape(_PHONE, needs="+"),
}
# What may be such data, written otherwise: where none of `SHAPES` is, this leaves open whether there is any.
LOOSE: Final[Mapping[PersonalData, Shape]] = {
    "email": Shape(_LIKE_EMAIL),
    "iban": Shape(_LIKE_IBAN, _begins_iban),
    "card": Shape(_LIKE_CARD, _is_card, 6),
    "phone": Shape(_LIKE_PHONE),
}


def emails(text: str) -> list[str]:
    """Return the e-mail addresses in `text`."""
    return _quotes("email", text)


def cards(text: str) -> list[str]:
    """Return the payment card numbers in `text`: 13 to 19 digits with a right Luhn check digit."""
    return _quotes("card", text)


def ibans(text: str) -> list[str]:
    """Return the bank account numbers in `text`: IBANs whose remainder by 97 is 1 (ISO 13616)."""
    return _quotes("iban", text)


def phones(text: str) -> list[str]:
    """Return the phone numbers in `text` that are written with a country code."""
    return _quotes("phone", text)


def secrets(text: str) -> list[str]:
    """Return the keys and tokens in `text` that say by their prefix what they are."""
    return quote(_SECRET, text) if _SECRET_BEGINS.search(plain(text)) else []


def personal_data(text: str) -> list[str]:
    """Return every e-mail address, card, bank account and phone number in `text`."""
    return list(chain.from_iterable(_quotes(kind, text) for kind in SHAPES))


def quote(pattern: re.Pattern[str], text: str) -> list[str]:
    """Return the first places of `text` that match `pattern`, which reads over what nobody sees."""
    seen = visible(text)
    found = islice(pattern.finditer(seen.text), MOST_QUOTES)
    return [text[slice(*seen.span(*each.span()))] for each in found]


def _quotes(kind: PersonalData, text: str) -> list[str]:
    tried = islice(SHAPES[kind].search(text), MOST_TRIED)
    spans = (each for each in tried if not isinstance(each, int))
    return [text[slice(*span)] for span in islice(spans, MOST_QUOTES)]


def _never(_text: str) -> bool:
    return False


def _nothing_like_a_phone(text: str) -> bool:
    return _MAYBE_PHONE.search(text) is None


def _nothing_like(kind: PersonalData) -> Callable[[str], bool]:
    """Return whether a text is searched to its end and has nothing that is even like it."""

    def shows_absence(text: str) -> bool:
        return all(_is_empty(shape, text) for shape in (SHAPES[kind], LOOSE[kind]))

    return shows_absence


def _is_empty(shape: Shape, text: str) -> bool:
    tried = list(islice(shape.search(text), MOST_TRIED))
    return len(tried) < MOST_TRIED and all(isinstance(each, int) for each in tried)


@dataclass(frozen=True, slots=True)
class Finder:
    """How a kind of data is found, and whether finding nothing in a text shows that there is nothing."""

    find: Callable[[str], list[str]]
    shows_absence: Callable[[str], bool]


_EMAILS: Final = Finder(emails, _nothing_like("email"))
_CARDS: Final = Finder(cards, _nothing_like("card"))
_IBANS: Final = Finder(ibans, _nothing_like("iban"))
_PHONES: Final = Finder(phones, _nothing_like_a_phone)
_SECRETS: Final = Finder(secrets, _never)

# What a rule may call them, in the singular.
FINDERS: Final[Mapping[str, Finder]] = {
    **dict.fromkeys(("email", "e-mail", "email address", "e-mail address"), _EMAILS),
    **dict.fromkeys(("card number", "credit card number", "payment card number"), _CARDS),
    "iban": _IBANS,
    **dict.fromkeys(("phone number", "telephone number"), _PHONES),
    "personal data": Finder(personal_data, _never),
    **dict.fromkeys(("api key", "private key", "secret", "credential"), _SECRETS),
}
