"""What can be recognised for certain in a text: personal data by shape and checksum, and secrets by prefix.

A shape says where in a text something stands. A finder gives the first `MOST_QUOTES` quotes, exactly as they
stand there: one is enough to show that a rule is broken, and a text may hold a hundred thousand.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from bylaw.policies.model import PersonalData

MOST_QUOTES: Final = 20
# How many numbers are checked before a text that is full of look-alikes is left undecided.
MOST_TRIED: Final = 5_000
# How many groups at the end of a number may belong to what follows: `4111 1111 1111 1111 12/27`.
_MOST_DROPPED: Final = 3
_SHORTEST_IBAN: Final = 15

_EMAIL: Final = re.compile(r"(?<![\w.%+-])[\w.%+-]++@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?!\w)")
_CARD: Final = re.compile(r"(?<![\w.])(?:\d[ -]?){12,18}\d(?![\w.]\d|\w)")
_IBAN: Final = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_PHONE: Final = re.compile(
    r"(?<![\w+])\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,12}(?![\w])"
)
_BREAK: Final = re.compile("[ -]")
_MAYBE_PHONE: Final = re.compile(r"\d(?:\D{0,3}\d){5}")
_SECRET: Final = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}\b|\bsk-[A-Za-z0-9_-]{20,}\b"
    r"|(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,2000}\.[\w-]{10,}"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a kind of data looks like, and the checksum that tells it from what only looks like it."""

    pattern: re.Pattern[str]
    checks: Callable[[str], bool] | None = None

    def search(self, text: str) -> Iterator[tuple[int, int] | None]:
        """Yield where it stands in `text`, in order, and None for each look-alike: that took time as well.

        A number may stand beside another one: what fails the checksum is tried again without its last
        groups, and from its next group on.
        """
        if self.checks is None:
            for found in self.pattern.finditer(text):
                yield found.span()
            return
        position = 0
        while (match := self.pattern.search(text, position)) is not None:
            start = match.start()
            position = start + 2
            for end in _ends(match):
                if self.checks(text[start:end]):
                    position = end
                    yield start, end
                    break
                yield None


def _ends(found: re.Match[str]) -> Iterator[int]:
    """Yield where the number may end, the longest first."""
    yield found.end()
    breaks = [each.start() for each in _BREAK.finditer(found[0])]
    for dropped in breaks[: -_MOST_DROPPED - 1 : -1]:
        yield found.start() + dropped


def _is_card(number: str) -> bool:
    """Return whether it has a right check digit; none of 13 or of more than 15 digits begins with 1."""
    digits = re.sub(r"\D", "", number)
    if not 13 <= len(digits) <= 19 or (digits[0] == "1" and len(digits) != 15):
        return False
    return _luhn(digits)


def _is_iban(number: str) -> bool:
    iban = number.replace(" ", "")
    return len(iban) >= _SHORTEST_IBAN and _mod97(iban)


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
    "email": Shape(_EMAIL),
    "iban": Shape(_IBAN, _is_iban),
    "card": Shape(_CARD, _is_card),
    "phone": Shape(_PHONE),
}


def emails(text: str) -> list[str]:
    """Return the e-mail addresses in `text`."""
    return _quotes(SHAPES["email"], text)


def cards(text: str) -> list[str]:
    """Return the payment card numbers in `text`: 13 to 19 digits with a right Luhn check digit."""
    return _quotes(SHAPES["card"], text)


def ibans(text: str) -> list[str]:
    """Return the bank account numbers in `text`: IBANs whose remainder by 97 is 1 (ISO 13616)."""
    return _quotes(SHAPES["iban"], text)


def phones(text: str) -> list[str]:
    """Return the phone numbers in `text` that are written with a country code."""
    return _quotes(SHAPES["phone"], text)


def secrets(text: str) -> list[str]:
    """Return the keys and tokens in `text` that say by their prefix what they are."""
    return quote(_SECRET, text)


def personal_data(text: str) -> list[str]:
    """Return every e-mail address, card, bank account and phone number in `text`."""
    return list(chain.from_iterable(_quotes(shape, text) for shape in SHAPES.values()))


def quote(pattern: re.Pattern[str], text: str) -> list[str]:
    """Return the first places of `text` that match `pattern`."""
    return _quotes(Shape(pattern), text)


def _quotes(shape: Shape, text: str) -> list[str]:
    tried = islice(shape.search(text), MOST_TRIED)
    return [text[slice(*span)] for span in islice(filter(None, tried), MOST_QUOTES)]


def _always(_text: str) -> bool:
    return True


def _never(_text: str) -> bool:
    return False


def _nothing_like_a_phone(text: str) -> bool:
    return _MAYBE_PHONE.search(text) is None


def _searched_through(shape: Shape) -> Callable[[str], bool]:
    """Return whether a text is searched to its end."""
    return lambda text: sum(1 for _ in islice(shape.search(text), MOST_TRIED)) < MOST_TRIED


@dataclass(frozen=True, slots=True)
class Finder:
    """How a kind of data is found, and whether finding nothing in a text shows that there is nothing."""

    find: Callable[[str], list[str]]
    shows_absence: Callable[[str], bool]


_EMAILS: Final = Finder(emails, _always)
_CARDS: Final = Finder(cards, _searched_through(SHAPES["card"]))
_IBANS: Final = Finder(ibans, _searched_through(SHAPES["iban"]))
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
