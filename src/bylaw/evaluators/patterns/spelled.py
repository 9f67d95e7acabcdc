"""Numbers and addresses that are spelled out: `four one one one`, `maria dot lopez at example dot com`.

They are never quoted, for nobody can tell where they end; they only leave open what would be ruled out.
They are looked for in the plain form of a text (`injection.normal`).
"""

import re
from typing import Final

import re2

_DIGIT: Final = (
    "(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|null|eins|zwei|drei|vier|fuenf"
    "|sechs|sieben|acht|neun)"
)
_NUMBERS: Final = re2.compile(
    rf"\b(?:(?:(?:double|triple) )?(?:{_DIGIT}|[0-9]+)[^a-z0-9]{{1,3}}){{4,}}(?:{_DIGIT}|[0-9])".encode()
)
_WORD: Final = re.compile(rf"\b{_DIGIT}\b")
_FEWEST: Final = 7
_AT: Final = r"(?:[^a-z0-9]at[^a-z0-9]| ?@ ?|[^a-z0-9]arroba[^a-z0-9])"
_DOT: Final = r"(?:[^a-z0-9](?:dot|punkt|punto|point)[^a-z0-9])"
_ADDRESS: Final = re2.compile(
    rf"[a-z0-9][)\]}}>]?[^a-z0-9]{{0,2}}{_AT}[^a-z0-9]{{0,2}}[a-z0-9-]+(?:[^a-z0-9]{{0,2}}{_DOT}[^a-z0-9]{{0,2}}|[.])[a-z0-9-]*[a-z]{{2}}".encode()
)


def spells_number(plain: bytes) -> bool:
    """Return whether digits are written as words in a plain form, enough of them for somebody's number."""
    for found in _NUMBERS.finditer(plain):
        said = found[0].decode()
        words = _WORD.findall(said)
        if words and len(words) + sum(map(str.isdigit, said)) >= _FEWEST:
            return True
    return False


def spells_address(plain: bytes) -> bool:
    """Return whether an e-mail address may be written in words in a plain form."""
    return _ADDRESS.search(plain) is not None
