"""The regex extension: what a pattern finds in a text, and other text in its place."""

from collections.abc import Iterator
from typing import Final

from bylaw.rules.budget import Budget
from bylaw.rules.library.function import Function, function
from bylaw.rules.regex import Finding, findings
from bylaw.rules.values import NOTHING, Optional
from bylaw.rules.verdict import Failure

_DIGITS: Final = "0123456789"


def _extract(budget: Budget, text: str, pattern: str) -> Optional:
    """Return the first match, or what its one group holds; nothing for no match and for an empty group."""
    for found in findings(text, pattern, budget, groups=1):
        part = found.part(found.groups)
        return Optional(part) if part or not found.groups else NOTHING
    return NOTHING


def _extract_all(budget: Budget, text: str, pattern: str) -> list[object]:
    """Return every match, or what its one group holds where that is not empty."""
    return [
        part
        for found in findings(text, pattern, budget, groups=1)
        if (part := found.part(found.groups)) or not found.groups
    ]


def _replace(  # noqa: PLR0917 - the arguments of regex.replace()
    budget: Budget, text: str, pattern: str, replacement: str, count: int = -1
) -> str:
    """Return `text` with `replacement` for the first `count` matches, for all when it is negative."""
    budget.read(len(replacement))
    inserted = _parsed(replacement)
    pieces: list[str] = []
    found: Finding | None = None
    done = 0
    for number, found in enumerate(findings(text, pattern, budget)):
        if number == count:
            break
        pieces += (found.text(done, found.start), *_filled(found, inserted, budget))
        done = found.end
    if found is None:
        return text
    pieces.append(found.text(done, None))
    budget.read(sum(map(len, pieces)))
    return "".join(pieces)


def _parsed(replacement: str) -> list[str | int]:
    r"""Return texts and numbers of groups: `\1` to `\9` stand for a group, `\0` for the match.

    Raises: Failure for a backslash before anything but a digit or a backslash.
    """
    parts: list[str | int] = []
    chars = iter(replacement)
    for char in chars:
        if char != "\\":
            parts.append(char)
            continue
        follower = next(chars, "")
        if follower != "\\" and (not follower or follower not in _DIGITS):
            raise Failure("invalid_argument", "in a replacement a digit or a backslash follows a backslash")
        parts.append(follower if follower == "\\" else int(follower))
    return parts


def _filled(found: Finding, inserted: list[str | int], budget: Budget) -> Iterator[str]:
    budget.spend(1 + len(inserted) // 8)
    for part in inserted:
        if isinstance(part, str):
            yield part
        elif part <= found.groups:
            yield found.part(part)
        else:
            raise Failure("invalid_argument", f"the pattern has no group {part}")


FUNCTIONS: Final[tuple[Function, ...]] = (
    function("regex.extract", (str, str), Optional, _extract, cost=None),
    function("regex.extractAll", (str, str), list, _extract_all, cost=None),
    function("regex.replace", (str, str, str), str, _replace, cost=None),
    function("regex.replace", (str, str, str, int), str, _replace, cost=None),
)
SEARCHES: Final = frozenset(each.name for each in FUNCTIONS)
