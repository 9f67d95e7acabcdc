"""Regular expressions in linear time: RE2, called below its Python wrapper.

The wrapper builds a match object with spans in characters; a rule needs yes or no, which costs a seventh.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from re2 import _re2

from bylaw.rules.budget import MATCHED_PER_STEP, Budget
from bylaw.rules.limits import CEL
from bylaw.rules.verdict import Failure

MEMORY_BYTES: Final = 1 << 20
# Beyond so many instructions the automaton of RE2 does not fit its memory: each is followed, at more cost.
_AUTOMATON: Final = 500
_FOLLOWED: Final = 4
_ANYWHERE: Final = _re2.RE2.Anchor.UNANCHORED


@dataclass(frozen=True, slots=True)
class Pattern:
    """`matches(text)` says whether a text contains a match; its time is within length times `size`."""

    matches: Callable[[str], bool]
    size: int


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Pattern:
    """Return the compiled `pattern`; `size` shows what a short one can hide: instructions, by their cost.

    Raises: Failure when the pattern is not RE2, too long, or needs more memory than allowed.
    """
    if len(pattern) > CEL.pattern:
        raise Failure("invalid_argument", f"a pattern is at most {CEL.pattern} characters long")
    options = _re2.RE2.Options()
    options.never_capture = True
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    try:
        compiled = _re2.RE2(pattern.encode(), options)
    except UnicodeEncodeError:
        raise Failure("invalid_argument", "a pattern cannot hold half of a surrogate pair") from None
    if not compiled.ok():
        reason = compiled.error().decode("utf-8", "replace")
        raise Failure("invalid_argument", f"the pattern is not a regular expression of RE2: {reason}")
    match = compiled.Match
    anywhere = _ANYWHERE

    def matches(text: str) -> bool:
        data = text.encode()
        found: int = match(anywhere, data, 0, len(data))[0][0]
        return found >= 0  # (-1, -1) without a match

    size: int = compiled.ProgramSize()
    return Pattern(matches, size if size <= _AUTOMATON else size * _FOLLOWED)


def search(text: str, pattern: str, budget: Budget) -> bool:
    """Return whether `text` contains a match of `pattern`."""
    budget.read(len(pattern))
    compiled = compile_pattern(pattern)
    budget.spend(1 + len(text) * compiled.size // MATCHED_PER_STEP)
    try:
        return compiled.matches(text)
    except UnicodeEncodeError:
        raise Failure("invalid_argument", "the text holds half of a surrogate pair") from None
