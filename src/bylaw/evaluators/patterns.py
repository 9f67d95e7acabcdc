"""What can be recognised for certain in a text: personal data by shape and checksum, and secrets by prefix.

Each finder returns quotes exactly as they stand in the text, the first `MOST_QUOTES` of them: one is enough
to show that a rule is broken, and a text may hold a hundred thousand.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

MOST_QUOTES: Final = 20

_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])"
)
_CARD: Final = re.compile(r"(?<![\w.])(?:\d[ -]?){12,18}\d(?![\w.]\d|\w)")
_IBAN: Final = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_PHONE: Final = re.compile(
    r"(?<![\w+])\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,12}(?![\w])"
)
_MAYBE_PHONE: Final = re.compile(r"\d(?:\D{0,3}\d){5}")
_SECRET: Final = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}\b|\bsk-[A-Za-z0-9_-]{20,}\b"
    r"|(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,2000}\.[\w-]{10,}"
)


def emails(text: str) -> list[str]:
    """Return the e-mail addresses in `text`."""
    return quote(_EMAIL, text)


def cards(text: str) -> list[str]:
    """Return the payment card numbers in `text`: 13 to 19 digits with a right Luhn check digit."""
    return _first(found for found in _matches(_CARD, text) if _luhn(re.sub(r"\D", "", found)))


def ibans(text: str) -> list[str]:
    """Return the bank account numbers in `text`: IBANs whose remainder by 97 is 1 (ISO 13616)."""
    return _first(found for found in _matches(_IBAN, text) if _mod97(found.replace(" ", "")))


def phones(text: str) -> list[str]:
    """Return the phone numbers in `text` that are written with a country code."""
    return quote(_PHONE, text)


def secrets(text: str) -> list[str]:
    """Return the keys and tokens in `text` that say by their prefix what they are."""
    return quote(_SECRET, text)


def personal_data(text: str) -> list[str]:
    """Return every e-mail address, card, bank account and phone number in `text`."""
    return [*emails(text), *cards(text), *ibans(text), *phones(text)]


def quote(pattern: re.Pattern[str], text: str) -> list[str]:
    """Return the first places of `text` that match `pattern`."""
    return _first(_matches(pattern, text))


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    return (found[0] for found in pattern.finditer(text))


def _first(found: Iterator[str]) -> list[str]:
    return list(islice(found, MOST_QUOTES))


def _nothing_like_a_phone(text: str) -> bool:
    return _MAYBE_PHONE.search(text) is None


def _always(_text: str) -> bool:
    return True


def _never(_text: str) -> bool:
    return False


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(digits)) > 1


def _mod97(iban: str) -> bool:
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


@dataclass(frozen=True, slots=True)
class Finder:
    """How a kind of data is found, and whether finding nothing in a text shows that there is nothing."""

    find: Callable[[str], list[str]]
    shows_absence: Callable[[str], bool]


_EMAILS: Final = Finder(emails, _always)
_CARDS: Final = Finder(cards, _always)
_PHONES: Final = Finder(phones, _nothing_like_a_phone)
_SECRETS: Final = Finder(secrets, _never)

# What a rule may call them, in the singular.
FINDERS: Final[Mapping[str, Finder]] = {
    **dict.fromkeys(("email", "e-mail", "email address", "e-mail address"), _EMAILS),
    **dict.fromkeys(("card number", "credit card number", "payment card number"), _CARDS),
    "iban": Finder(ibans, _always),
    **dict.fromkeys(("phone number", "telephone number"), _PHONES),
    "personal data": Finder(personal_data, _never),
    **dict.fromkeys(("api key", "private key", "secret", "credential"), _SECRETS),
}
