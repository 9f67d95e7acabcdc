"""The kinds of data that can be looked for, under the names by which rules call them."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.patterns import forms
from bylaw.evaluators.patterns.identity import (
    national_ids,
    social_security_numbers,
    tax_numbers,
    vat_numbers,
)
from bylaw.evaluators.patterns.personal import (
    LOOSE,
    MAYBE_PHONE,
    SHAPES,
    cards,
    emails,
    ibans,
    personal_data,
    phones,
)
from bylaw.evaluators.patterns.secrets import secrets, tokens
from bylaw.evaluators.patterns.shape import END, START, Shape, first_quotes, is_empty, plain
from bylaw.evaluators.patterns.spelled import spells_address, spells_number
from bylaw.policies.model import PersonalData

_DIGIT: Final = re.compile(r"\d")
_NUMBERED: Final = re.compile(r"\d(?:[\W_]{0,3}\d){5}")
# What a phone number is not: a date, a time, an amount with its thousands apart or its cents.
_NO_PHONE: Final = re.compile(
    r"(?<![\d.,:/-])(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.][0-3]?\d(?:[T ]\d\d:\d\d(?::\d\d)?)?"
    r"|[$\u20ac\u00a3] ?\d{1,3}(?:,\d{3})+(?:\.\d\d)?|[$\u20ac\u00a3] ?\d{1,9}(?:\.\d\d)?)(?![\d:/,-]|\.\d)"
)
_IP: Final = re.compile(
    rf"{START}(?<![.\d])(?:\d{{1,3}}\.){{3}}\d{{1,3}}{END}(?!\.\d)"
    rf"|(?<![\w:])(?:[0-9A-Fa-f]{{1,4}}:){{3,7}}[0-9A-Fa-f]{{1,4}}(?![\w:])"
)


@dataclass(frozen=True, slots=True)
class Finder:
    """How a kind of data is found, and whether finding nothing in a text shows that there is nothing.

    `spells` tells of the plain form of a text whether it may be spelled out there.
    """

    find: Callable[[str], list[str]]
    shows_absence: Callable[[str], bool]
    spells: Callable[[bytes], bool] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether finding nothing ever shows anything."""
        return self.shows_absence is not _never


def _never(_text: str) -> bool:
    return False


def _always(_text: str) -> bool:
    return True


def _nothing(_text: str) -> list[str]:
    return []


def _has_no_digits(text: str) -> bool:
    return _DIGIT.search(text) is None


def _has_no_number(text: str) -> bool:
    return _NUMBERED.search(plain(text)) is None


def _nothing_like_a_phone(text: str) -> bool:
    bare = _NO_PHONE.sub("\0\0\0\0", plain(text))
    return MAYBE_PHONE.search(bare) is None


def _nothing_like(kind: PersonalData) -> Callable[[str], bool]:
    """Return whether a text is searched to its end and has nothing that is even like it."""

    def shows_absence(text: str) -> bool:
        return all(is_empty(shape, text) for shape in (SHAPES[kind], LOOSE[kind]))

    return shows_absence


def _lacks(*signs: str) -> Callable[[str], bool]:
    pattern = forms.may_have(*signs)
    return lambda text: pattern.search(text) is None


def _marks(*signs: str) -> Finder:
    pattern = forms.may_have(*signs)
    return Finder(lambda text: [found[0] for found in [pattern.search(text)] if found], _always)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_ADDRESS_SHAPE: Final = Shape(_IP, _is_address)
_EMAILS: Final = Finder(emails, _nothing_like("email"), spells_address)
_CARDS: Final = Finder(cards, _nothing_like("card"), spells_number)
_IBANS: Final = Finder(ibans, _nothing_like("iban"), spells_number)
_PHONES: Final = Finder(phones, _nothing_like_a_phone, spells_number)
_SECRETS: Final = Finder(secrets, _never)
_NUMBERS_ONLY: Final = Finder(_nothing, _has_no_digits, spells_number)
_LINKS: Final = Finder(forms.links, lambda text: not forms.may_link(text))
_EMOJIS: Final = Finder(forms.emojis, lambda text: not forms.may_have_emojis(text))

# What a rule may call them, in the singular.
FINDERS: Final[Mapping[str, Finder]] = {
    **dict.fromkeys(("email", "e-mail", "email address", "e-mail address", "mail address"), _EMAILS),
    **dict.fromkeys(
        (
            "card number",
            "credit card number",
            "debit card number",
            "payment card number",
            "credit card",
            "debit card",
        ),
        _CARDS,
    ),
    # A code or a date of a card has few digits.
    **dict.fromkeys(
        ("card detail", "credit card detail", "credit card information", "payment card detail"),
        Finder(cards, _has_no_digits, spells_number),
    ),
    **dict.fromkeys(("iban", "iban number"), _IBANS),
    "bank account number": Finder(ibans, _has_no_number, spells_number),
    **dict.fromkeys(
        ("phone number", "telephone number", "mobile number", "cell phone number"),
        _PHONES,
    ),
    **dict.fromkeys(
        ("social security number", "ssn", "us social security number"),
        Finder(social_security_numbers, _has_no_number, spells_number),
    ),
    **dict.fromkeys(
        (
            "national id",
            "national id number",
            "identity number",
            "national identification number",
            "government id",
        ),
        Finder(national_ids, _has_no_digits, spells_number),
    ),
    **dict.fromkeys(
        ("tax number", "tax id", "tax identification number", "tin"),
        Finder(tax_numbers, _has_no_digits, spells_number),
    ),
    **dict.fromkeys(("vat number", "vat id"), Finder(vat_numbers, _has_no_digits, spells_number)),
    **dict.fromkeys(
        (
            "passport number",
            "driver's license number",
            "driving licence number",
            "account number",
            "date of birth",
        ),
        _NUMBERS_ONLY,
    ),
    **dict.fromkeys(
        ("ip address",),
        Finder(lambda text: first_quotes(_ADDRESS_SHAPE, text), _has_no_digits, spells_number),
    ),
    **dict.fromkeys(
        ("personal data", "pii", "personally identifiable information", "personal identifiable information"),
        Finder(lambda text: personal_data(text) + national_ids(text), _never),
    ),
    **dict.fromkeys(
        (
            "api key",
            "api token",
            "access token",
            "private key",
            "secret",
            "credential",
            "password",
            "token",
            "secret key",
            "access key",
        ),
        _SECRETS,
    ),
    **dict.fromkeys(("jwt", "json web token"), Finder(tokens, _lacks("eyJ", "ey"))),
    **dict.fromkeys(("link", "url", "hyperlink", "web address", "web link", "web addresse"), _LINKS),
    **dict.fromkeys(("emoji", "emoticon"), _EMOJIS),
    **dict.fromkeys(
        ("exclamation mark", "exclamation point"),
        _marks("!", "\uff01", "\u203c", "\u2755", "\u2757", "\ufe57"),
    ),
    "question mark": _marks("?", "\uff1f", "\u061f", "\u2047", "\u2753", "\u2754", "\ufe56"),
    "semicolon": _marks(";", "\uff1b"),
    **dict.fromkeys(("em dash", "em-dash", "em dashe"), _marks("\u2014")),
    **dict.fromkeys(
        ("markdown", "markdown formatting"),
        Finder(forms.markdown, lambda text: not forms.may_have_markdown(text)),
    ),
    **dict.fromkeys(("html", "html tag"), Finder(forms.html_tags, _lacks("<", "&lt;"))),
    **dict.fromkeys(("code block", "code fence"), Finder(forms.code_blocks, _lacks("`", "~~~"))),
    **dict.fromkeys(
        ("bullet point", "bullet", "bullet list", "bulleted list"),
        Finder(forms.bullets, lambda text: not forms.may_have_bullets(text)),
    ),
    "hashtag": Finder(forms.hashtags, _lacks("#", "\uff03")),
    **dict.fromkeys(("heading", "markdown heading"), Finder(forms.headings, _lacks("#", "<h", "==", "--"))),
}
