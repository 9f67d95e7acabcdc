"""The string extension: positions count characters, from 0."""

from typing import Final

from bylaw.rules.budget import Budget
from bylaw.rules.library.function import Function, by_search, by_size, function, method
from bylaw.rules.library.text_format import format_text
from bylaw.rules.operators import no_overload
from bylaw.rules.verdict import Failure

# The characters with the Unicode property White_Space; Python's own strip() knows four more.
_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_ESCAPES: Final = tuple(
    (char, "\\" + letter) for char, letter in zip('\\\a\b\f\n\r\t\v"', '\\abfnrtv"', strict=True)
)  # the backslash first: the others bring new ones
_TRIMMED_AT_ONCE: Final = 4_096
_TRIMMED_PER_STEP: Final = 8
_REPLACED_PER_STEP: Final = 16


def _checked(position: int, length: int) -> int:
    if 0 <= position <= length:
        return position
    raise Failure("range", f"the position is not inside the text of {length}")


def _char_at(_: Budget, text: str, position: int) -> str:
    _checked(position, len(text))
    return text[position : position + 1]


def _index_of(_: Budget, text: str, part: str, start: int = 0) -> int:
    return text.find(part, _checked(start, len(text)))


def _last_index_of(_: Budget, text: str, part: str) -> int:
    return text.rfind(part)


def _last_index_until(_: Budget, text: str, part: str, last: int) -> int:
    """Return the greatest position up to `last` where `part` begins."""
    return text.rfind(part, 0, _checked(last, len(text)) + len(part))


def _replace(  # noqa: PLR0917 - the arguments of replace()
    budget: Budget, text: str, old: str, new: str, count: int = -1
) -> str:
    found = text.count(old)
    if count >= 0:
        found = min(found, count)
    budget.spend(found // _REPLACED_PER_STEP)
    budget.read(len(text) + found * len(new))
    return text.replace(old, new, max(count, -1))


def _split(budget: Budget, text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator:
        pieces = text.count(separator) + 1
        budget.spend(pieces if limit < 0 else min(pieces, limit))
        return text.split(separator, limit - 1 if limit > 0 else -1)
    budget.spend(len(text))
    if limit < 0 or limit >= len(text):
        return list(text)
    return [*text[: limit - 1], text[limit - 1 :]]


def _join(budget: Budget, items: list[object], separator: str = "") -> str:
    texts = [item for item in items if type(item) is str]
    if len(texts) != len(items):
        raise no_overload("join()", items)
    budget.read(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _substring(budget: Budget, text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else _checked(end, len(text))
    _checked(start, len(text))
    if start > stop:
        raise Failure("range", "the start is after the end")
    budget.read(stop - start)
    return text[start:stop]


def _trim(budget: Budget, text: str) -> str:
    start, end = 0, len(text)
    while start < end and (spaces := _spaces(budget, text[start : start + _TRIMMED_AT_ONCE])):
        start += spaces
    while start < end and (spaces := _spaces(budget, text[max(start, end - _TRIMMED_AT_ONCE) : end][::-1])):
        end -= spaces
    budget.read(end - start)
    return text[start:end]


def _spaces(budget: Budget, part: str) -> int:
    """Return how many spaces stand at the start of `part`: slow to find, so only a part is looked at."""
    budget.spend(len(part) // _TRIMMED_PER_STEP)
    return len(part) - len(part.lstrip(_SPACE))


def _reverse(_: Budget, text: str) -> str:
    return text[::-1]


def _lower_ascii(_: Budget, text: str) -> str:
    """Return `text` in lower case: of bytes, Python changes the ASCII letters only."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _upper_ascii(_: Budget, text: str) -> str:
    return text.encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def _quote(_: Budget, text: str) -> str:
    for char, escape in _ESCAPES:
        text = text.replace(char, escape)
    return f'"{text}"'


def _quoted(text: str) -> int:
    return by_size(text) * len(_ESCAPES)


FUNCTIONS: Final[tuple[Function, ...]] = (
    method("charAt", (str, int), str, _char_at, cost=None),
    method("indexOf", (str, str), int, _index_of, cost=by_search),
    method("indexOf", (str, str, int), int, _index_of, cost=by_search),
    method("lastIndexOf", (str, str), int, _last_index_of, cost=by_search),
    method("lastIndexOf", (str, str, int), int, _last_index_until, cost=by_search),
    method("lowerAscii", (str,), str, _lower_ascii, cost=by_search),
    method("upperAscii", (str,), str, _upper_ascii, cost=by_search),
    method("replace", (str, str, str), str, _replace, cost=by_search),
    method("replace", (str, str, str, int), str, _replace, cost=by_search),
    method("split", (str, str), list, _split, cost=by_search),
    method("split", (str, str, int), list, _split, cost=by_search),
    method("join", (list,), str, _join),
    method("join", (list, str), str, _join),
    method("substring", (str, int), str, _substring, cost=None),
    method("substring", (str, int, int), str, _substring, cost=None),
    method("trim", (str,), str, _trim, cost=None),
    method("reverse", (str,), str, _reverse),
    method("format", (str, list), str, format_text),
    function("strings.quote", (str,), str, _quote, cost=_quoted),
)
