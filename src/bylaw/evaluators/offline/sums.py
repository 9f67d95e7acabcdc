"""What a call of a tool moves: the sums among its arguments, and what may be one under another name."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import re2

from bylaw.evaluators.offline.calls import leaves
from bylaw.evaluators.offline.grammar import listed
from bylaw.evaluators.offline.reading import is_read

# An argument of this name holds a sum; one of the others numbers something.
_MONEY: Final = re.compile(
    r"(?:^|_)(?:amounts?|sums?|totals?|values?|prices?|costs?|usd|eur|gbp|cents?|refunds?|payments?|credits?)"
    r"(?:$|_)"
)
_NUMBERED: Final = re.compile(
    r"(?:^|_)(?:ids?|numbers?|no|code|zip|phone|year|date|day|time|timestamp|port|page|limit|quantity)(?:$|_)"
    r"|^(?:order|ticket|case|invoice|account|customer|user|ref|reference|booking|sku|item|product)s?$"
)
# Words of a name that leave what is moved: any other says of what, or how it is counted.
_PLAIN: Final = re.compile(
    r"(?:amount|sum|total|value|price|cost|usd|eur|gbp|chf|cent|minor|pence|unit|in|the|to|of|money"
    r"|gross|net)s?"
)
_MINOR: Final = re.compile(r"(?:^|_)(?:cents?|minor|pence)(?:$|_)")
_SCALED: Final = re.compile(
    r"(?:^|_)(?:k|thousands?|millions?|micros?|millis?|nanos?|hundreds?|percent|percentage|pct|rate|ratio"
    r"|factor|bps|points?)(?:$|_)"
)
_CODES: Final = listed(
    "usd eur gbp chf jpy cny inr cad aud nzd sek nok dkk pln czk huf krw brl mxn zar sgd hkd try thb idr ils"
    " aed sar kwd btc eth"
)
_CURRENCY: Final = re.compile(r"(?:^|_)(?:currency|currencies|ccy)(?:$|_)")
# What says in what sums are counted, or how often.
_UNIT: Final = re.compile(
    r"(?:^|_)(?:units?|unit_of_measure|denomination|scale|exponent|decimals|multiplier|minor_units?)$"
)
_TIMES: Final = re.compile(
    r"(?:^|_)(?:quantity|qty|count|copies|shares|times|repeat|nights|months|installments|instalments|n)$"
)
_TRIED: Final = re.compile(r"(?:^|_)(?:dry_?run|simulated?|simulation|preview|sandbox|draft|test_?mode)$")
_GROUPED: Final = r"\d{1,3}(?:[.,'\u2019\u00a0\u202f ]\d{3})+(?!\d)|\d+"
_ANY: Final = re.compile(
    rf"(?:(?<!\w)|(?<=usd)|(?<=eur)|(?<=gbp)|(?<=chf))({_GROUPED})(?:[.,](\d+))?", re.IGNORECASE
)
_SIGNS: Final = {"$": "USD", "€": "EUR", "£": "GBP"}
_WRITTEN: Final = re.compile(
    r"(?P<before>[$€£]|[A-Z]{3})?\s*[+-]?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"\s*(?P<after>[$€£]|[A-Z]{3})?",
    re.IGNORECASE,
)
# As 1.200 is written, it is one and a bit, or more than a thousand.
_EITHER: Final = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_MARKED: Final = re2.compile(r"(?i)[$€£¥₹]|\b(?:usd|eur|gbp|chf|dollars?|euros?|pounds?|bucks|quid)\b")
# Numbers in words, with letters for digits, or shortened; a sign before what is no number.
_IN_WORDS: Final = re2.compile(
    r"(?i)hundred|thousand|million|billion|\bgrand\b|\bdozen"
    r"|\b(?:eleven|twelve|\w{3,5}teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
    r"|\p{Nd} ?[km]\b|\p{Nd}o{1,6}\b|\p{Nd}e\+?\p{Nd}|[$€£] ?\pL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """One sum among arguments: None when nobody can tell how much it is in the currency of the limit.

    `is_own` when the call moves it, as far as its name says; another may be what is paid for.
    """

    name: str
    amount: float | None
    written: str
    is_own: bool


def sums(arguments: Mapping[str, object], unit: str, stems: tuple[str, ...]) -> list[Sum]:
    """Return the sums among the arguments of an act whose words begin with `stems`."""
    return [
        Sum(
            name=name,
            amount=_in_unit(name, value, unit),
            written=str(value),
            is_own=all(_PLAIN.fullmatch(word) or word.startswith(stems) for word in name.split("_") if word),
        )
        for name, _, value in leaves(arguments)
        if _is_sum(name)
    ]


def _is_sum(name: str) -> bool:
    return _MONEY.search(name) is not None and _NUMBERED.search(name) is None


def _is_number_of(name: str, value: object) -> bool:
    """Return whether a value numbers something: what says more than one word is a text, whatever its name."""
    return _NUMBERED.search(name) is not None and not (isinstance(value, str) and re.search(r"[\s(]", value))


def _in_unit(name: str, value: object, unit: str) -> float | None:
    codes = set(name.split("_")) & {*_CODES}
    if _SCALED.search(name) or (unit and codes - {unit.lower()}):
        return None
    amount = _number(value, unit)
    return amount / 100 if amount is not None and _MINOR.search(name) else amount


def _number(value: object, unit: str) -> float | None:
    if isinstance(value, str):
        found = _WRITTEN.fullmatch(value.strip())
        if found is None or _EITHER.fullmatch(found["number"]):
            return None
        marks = {_SIGNS.get(mark, mark.upper()) for mark in (found["before"], found["after"]) if mark}
        return float(found["number"].replace(",", "")) if not unit or marks <= {unit} else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        amount = abs(float(value))
    except OverflowError:
        return math.inf
    return None if math.isnan(amount) else amount


def is_rescaled(arguments: Mapping[str, object], unit: str) -> bool:
    """Return whether something beside the sums says another currency, or in what they are counted."""
    return any(
        (bool(unit) and str(value).strip().upper() != unit)
        if _CURRENCY.search(name)
        else str(value).strip().upper() != unit
        for name, _, value in leaves(arguments)
        if _CURRENCY.search(name) or _UNIT.search(name)
    )


def is_tried(arguments: Mapping[str, object]) -> bool:
    """Return whether something says that nothing is moved yet."""
    return any(
        _TRIED.search(name) and value not in (False, "false", "") for name, _, value in leaves(arguments)
    )


def is_multiplied(arguments: Mapping[str, object]) -> bool:
    """Return whether something says that a sum is moved more than once."""
    return any(_TIMES.search(name) and str(value) not in {"0", "1"} for name, _, value in leaves(arguments))


def may_be_more(arguments: Mapping[str, object], bound: float, act: re.Pattern[str]) -> bool:
    """Return whether something that is no sum by its name may be more than the bound."""
    return any(
        _is_more(value, bound, act)
        for name, _, value in leaves(arguments)
        if not _MONEY.search(name) and not _is_number_of(name, value)
    )


def _is_more(value: object, bound: float, act: re.Pattern[str]) -> bool:
    if not isinstance(value, str):
        return (_number(value, "") or 0) > bound
    bare = value.strip()
    if _ANY.fullmatch(bare) or act.search(value) or _MARKED.search(value):
        return says_more(value, bound)
    return not is_read(value) or _IN_WORDS.search(value) is not None


def is_priced(text: str) -> bool:
    """Return whether a text has a sign or a word of a currency."""
    return _MARKED.search(text) is not None


def says_more(text: str, bound: float) -> bool:
    """Return whether a number in a text may be more than the bound: in words, any may."""
    return (
        not is_read(text)
        or _IN_WORDS.search(text) is not None
        or any(each > bound for each in _numbers(text))
    )


def _numbers(text: str) -> Iterator[float]:
    """Yield the numbers of a text, the larger one where a sign may set thousands apart."""
    for found in _ANY.finditer(text):
        whole = "".join(filter(str.isdecimal, found[1]))
        yield float(f"{whole}.{found[2] or 0}")
