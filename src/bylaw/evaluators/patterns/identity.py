"""Numbers of people and firms, where a checksum or a rare shape tells them from other numbers."""

import re
from collections.abc import Callable
from typing import Final

from stdnum import verhoeff
from stdnum.br import cnpj, cpf
from stdnum.ch import ssn as ahv
from stdnum.cn import ric
from stdnum.es import nie, nif
from stdnum.eu import vat
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.in_ import pan
from stdnum.it import codicefiscale
from stdnum.us import ssn

from bylaw.evaluators.patterns.shape import END, START, Shape, first_quotes

_HYPHENS: Final = "[- \xa0\u2010-\u2013]"

SSN: Final = Shape(
    re.compile(rf"{START}(?<![-+.])\d{{3}}(?P<gap>{_HYPHENS})\d{{2}}(?P=gap)\d{{4}}{END}(?![-.]\d)"),
    lambda number: ssn.is_valid(re.sub(r"\D", "-", number)),
)
NINO: Final = Shape(
    re.compile(
        rf"{START}(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{{2}} ?\d{{2}}"
        rf" ?\d{{2}} ?[A-D]{END}"
    )
)


def _shape(pattern: str, is_valid: Callable[[str], bool]) -> Shape:
    return Shape(re.compile(rf"{START}(?<![-.+]){pattern}{END}(?![-.]\d)"), is_valid)


def _is_aadhaar(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    return digits[0] in "23456789" and verhoeff.is_valid(digits)


# Each with two check digits, a check letter, or groups that no other number has.
_NATIONAL: Final = (
    SSN,
    NINO,
    _shape(r"\d{8}-?[A-Z]", nif.is_valid),
    _shape(r"[XYZ]-?\d{7}-?[A-Z]", nie.is_valid),
    _shape(r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]", codicefiscale.is_valid),
    _shape(r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", nir.is_valid),
    _shape(r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf.is_valid),
    _shape(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", hetu.is_valid),
    _shape(r"756\.?\d{4}\.?\d{4}\.?\d{2}", ahv.is_valid),
    _shape(r"\d{6}(?:19|20)\d{9}[0-9X]", ric.is_valid),
    _shape(r"\d{4} \d{4} \d{4}", _is_aadhaar),
)
_TAX: Final = (
    SSN,
    _shape(r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", cnpj.is_valid),
    _shape(r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf.is_valid),
    _shape(r"[A-Z]{5}\d{4}[A-Z]", pan.is_valid),
    _shape(r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]", codicefiscale.is_valid),
)
_VAT: Final = _shape(
    r"(?:A[T]|BE|BG|CY|CZ|D[EK]|E[ELS]|F[IR]|H[RU]|I[ET]|L[TUV]|MT|NL|P[LT]|RO|S[EIK])[0-9A-Z]{8,12}",
    vat.is_valid,
)


def social_security_numbers(text: str) -> list[str]:
    """Return the social security numbers of the USA in `text`, written in their groups."""
    return first_quotes(SSN, text)


def national_ids(text: str) -> list[str]:
    """Return the numbers of persons in `text` whose shape or checksum shows what they are."""
    return [quote for shape in _NATIONAL for quote in first_quotes(shape, text)]


def tax_numbers(text: str) -> list[str]:
    """Return the tax numbers in `text` whose shape or checksum shows what they are."""
    return [quote for shape in (*_TAX, _VAT) for quote in first_quotes(shape, text)]


def vat_numbers(text: str) -> list[str]:
    """Return the value added tax numbers of the European Union in `text`."""
    return first_quotes(_VAT, text)
