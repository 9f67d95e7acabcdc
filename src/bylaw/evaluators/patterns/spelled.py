"""Numbers and addresses that are spelled out: `four one one one`, `maria dot lopez at example dot com`.

They are never quoted, for nobody can tell where they end; they only leave open what would be ruled out.
There they are looked for in the plain form of a text (`injection.normal`), and what may be one is enough.
`SPELLED` is for masks, which lose a whole text for one: it is narrower.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

import re2

from bylaw.evaluators.patterns.shape import END, START, Shape
from bylaw.policies.model import PersonalData

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
_GAP: Final = r"[\W_]{1,3}"
_SAID_DOT: Final = rf"{_GAP}(?:dot|punkt|punto){_GAP}"
_SAID_AT: Final = r"(?:[\W_]{1,2}(?:at|arroba)[\W_]{1,2}| ?@ ?)"
_BRACED_AT: Final = r"[\W_]{0,2}[(\[{<] ?at ?[)\]}>][\W_]{0,2}"
_TOP: Final = (
    "(?:com|org|net|edu|gov|info|biz|io|dev|app|eu|uk|de|fr|es|pt|nl|pl|se|ch|ca|au|br|mx|cn|jp|ru|example)"
)
_LABEL: Final = r"[\w-]{1,63}"
_SAID_ADDRESS: Final = re.compile(
    rf"{START}{_LABEL}(?:"
    rf"(?:{_SAID_AT}|{_BRACED_AT})(?!(?:the|an?|this|that|our)\b){_LABEL}(?:(?:\.|{_SAID_DOT}){_LABEL}){{0,3}}"
    rf"{_SAID_DOT}{_TOP}{END}"
    rf"|{_SAID_DOT}{_LABEL}{_SAID_AT}{_LABEL}\.[a-z]{{2}}"
    rf"|{_BRACED_AT}{_LABEL}\.[a-z]{{2}}"
    ")",
    re.IGNORECASE,
)
_SAID_NUMBER: Final = re.compile(
    rf"{START}{_DIGIT}(?:{_GAP}(?:(?:double|triple) )?(?:{_DIGIT}|\d{{1,19}})){{3,40}}{END}", re.IGNORECASE
)


def _has(fewest: int) -> Callable[[str], bool]:
    """Return whether a text holds so many digits, in words or not."""
    return lambda text: len(_WORD.findall(text.lower())) + sum(map(str.isdigit, text)) >= fewest


# Without it, nothing is spelled out in a text.
SPELLING: Final = re.compile(
    rf"dot|punkt|punto|[(\[{{<] ?at ?[)\]}}>]|{_DIGIT}{_GAP}(?:{_DIGIT}|double|triple|\d)", re.IGNORECASE
)
SPELLED: Final[Mapping[PersonalData, Shape]] = {
    "email": Shape(_SAID_ADDRESS),
    "iban": Shape(_SAID_NUMBER, _has(12)),
    "card": Shape(_SAID_NUMBER, _has(12)),
    "phone": Shape(_SAID_NUMBER, _has(_FEWEST)),
}


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
