"""What can be recognised for certain in a text: personal data by shape and checksum.

A shape says where in a text something stands. A finder gives the first `MOST_QUOTES` quotes, exactly as they
stand there: one is enough to show that a rule is broken, and a text may hold a hundred thousand.

What has the shape is there (`SHAPES`); where nothing is even like it (`LOOSE`), there is none. In between
nothing can be said: `4111 1111 1111 1111` is a card number, `card4111/1111/1111/1111` may be one. A date and
a time are neither.
"""

import re
from collections.abc import Mapping
from itertools import chain, islice
from typing import Final

from phonenumbers import NumberParseException, is_valid_number, parse

from bylaw.evaluators.patterns.shape import (
    BREAK,
    END,
    GAP,
    START,
    WIDE_GAP,
    Shape,
    first_quotes,
    visible,
)
from bylaw.policies.model import PersonalData

_SHORTEST_IBAN: Final = 15
_DOMAIN: Final = r"(?:[\w-]{1,63}\.){1,8}(?:[^\W\d_]{2,24}|xn--[\w-]{2,59})"
_EMAIL: Final = re.compile(rf'(?:(?<![\w.%+-])[\w.%+-]{{1,64}}+|"[^"\r\n]{{1,64}}")@{_DOMAIN}{END}')
_AT: Final = "(?:[@\uff20\ufe6b]|%40|&#0{0,5}64;)"
_LIKE_EMAIL: Final = re.compile(
    rf"(?=[@\uff20\ufe6b%&])(?:(?:(?<=[\w.%+-])|(?<=[\w.%+-][\"'])){_AT}[\w\[\"']"
    rf"|(?:(?<=\w)|(?<=\w\s)){_AT}\s?[\w-]{{1,63}}\.\w)"
)

_CARD: Final = re.compile(
    rf"(?=\d){START}(?<!\+)(?<!\d\.)(?:(?:\d{GAP}?){{12,18}}\d"
    rf"|\d{{4}}(?:{WIDE_GAP}\d{{4}}){{2}}{WIDE_GAP}\d{{1,4}}(?:{WIDE_GAP}\d{{3}})?"
    rf"|\d{{4}}{WIDE_GAP}\d{{6}}{WIDE_GAP}\d{{4,5}}){END}"
)
_LIKE_CARD: Final = re.compile(
    r"(?=\d)(?<!\d)(?<!\d\.)(?:\d{13,19}(?!\d)"
    r"|\d{4}(?P<gap>[\W_]{1,3})\d{4}(?P=gap)\d{4}(?P=gap)\d{4}(?!\d)"
    rf"|{START}\d(?:[\W_]{{0,3}}\d){{12,18}}{END})"
)
# Each digit doubled, and its own digits added up: the same modulo 10 as the digit of the check.
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")
# A point of time, and a number with decimals, are no part of a card number.
_OTHERWISE: Final = re.compile(
    r"(?:19|20)\d\d(?P<sign>[-/. ])[01]?\d(?P=sign)[0-3]?\d(?!\d)|\d:\d|^\d+[.,]\d+$"
)

_IBAN: Final = re.compile(
    rf"{START}[A-Za-z]{{2}}[0-9]{{2}}(?:{GAP}?[A-Za-z0-9]{{4}}){{2,7}}(?:{GAP}?[A-Za-z0-9]{{1,3}})?{END}"
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

# In North America numbers are grouped alike everywhere, so they are known without a country code.
_PHONE: Final = re.compile(
    rf"(?:\(\d{{3}}\) ?|{START}(?<![+.,/-])[2-9]\d{{2}}[-. ])\d{{3}}[-. ]\d{{4}}{END}(?![.-]?\d)"
    rf"|{START}(?<!\+)\+[1-9]\d{{0,2}}(?:{GAP}|\.)?(?:\(\d{{1,4}}\)(?:{GAP}|\.)?)?"
    rf"\d(?:(?:{GAP}|\.)?\d){{5,12}}{END}"
)
_LIKE_PHONE: Final = re.compile(
    rf"(?<![\d)])(?<![\d)]\s)\+[\W_]{{0,3}}[1-9](?:[\W_]{{0,3}}\d){{6,14}}"
    rf"|(?<![\w.,:])00{GAP}?[1-9](?:[\W_]{{0,3}}\d){{6,14}}"
)
_CALLED: Final = re.compile(
    r"\b(?:tel(?:ephone)?|phone|call|mobile|cell|fax|whatsapp|ring|dial|sms)\b[^\d\n+]{0,20}"
    r"(\(?0[\d ()./-]{6,18}\d)(?![\d/]|[.:-]\d)",
    re.IGNORECASE,
)
# How many are looked up, and in whose numbering plans.
_MOST_CALLED: Final = 10
_PLANS: Final = ("GB", "DE", "FR", "NL", "AT", "CH", "IT", "AU")
MAYBE_PHONE: Final = re.compile(r"\d(?:\D{0,3}\d){5}")


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
    iban = BREAK.sub("", number)
    digits = sum(map(str.isdigit, iban))
    return len(iban) >= _SHORTEST_IBAN and 2 * digits >= len(iban) and _mod97(iban)


def _begins_iban(text: str) -> bool:
    """Return whether the text begins with an account number as long as those of its country."""
    iban = re.sub("[^0-9A-Za-z]", "", text)
    length = _IBANS_OF.get(iban[:2].upper(), 0)
    return length > 0 and len(iban) >= length and iban[2:4].isdigit() and _is_iban(iban[:length])


def _luhn(digits: str) -> bool:
    total = sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))
    return total % 10 == 0 and len(set(digits)) > 1


def _mod97(iban: str) -> bool:
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


# In the order in which a text is searched: what one finds is not looked at by those after it.
SHAPES: Final[Mapping[PersonalData, Shape]] = {
    "email": Shape(_EMAIL, needs="@"),
    "iban": Shape(_IBAN, _is_iban, 6),
    "card": Shape(_CARD, _is_card, 6),
    "phone": Shape(_PHONE),
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
    return first_quotes(SHAPES["email"], text)


def cards(text: str) -> list[str]:
    """Return the payment card numbers in `text`: 13 to 19 digits with a right Luhn check digit."""
    return first_quotes(SHAPES["card"], text)


def ibans(text: str) -> list[str]:
    """Return the bank account numbers in `text`: IBANs whose remainder by 97 is 1 (ISO 13616)."""
    return first_quotes(SHAPES["iban"], text)


def phones(text: str) -> list[str]:
    """Return the phone numbers in `text`: with a country code, as North America groups them, or so called."""
    return first_quotes(SHAPES["phone"], text) + _called_numbers(text)


def _called_numbers(text: str) -> list[str]:
    """Return the numbers after a word such as "call" that begin with 0 and that a numbering plan has."""
    seen = visible(text)
    found = islice(_CALLED.finditer(seen.text), _MOST_CALLED)
    spans = (
        seen.span(*each.span(1)) for each in found if any(_is_dialled(each[1], region) for region in _PLANS)
    )
    return [text[slice(*span)] for span in spans]


def _is_dialled(number: str, region: str) -> bool:
    try:
        return is_valid_number(parse(number, region))
    except NumberParseException:
        return False


def personal_data(text: str) -> list[str]:
    """Return every e-mail address, card, bank account and phone number in `text`."""
    return list(chain.from_iterable(first_quotes(shape, text) for shape in SHAPES.values()))
