"""Regular expressions in linear time: RE2, called below its Python wrapper.

The wrapper builds a match object with spans in characters; a rule mostly needs yes or no, which costs a
seventh, and otherwise the texts of a match, which are cut from the bytes.
"""

from collections.abc import Callable, Iterator, Sequence
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


@dataclass(frozen=True, slots=True)
class Finding:
    """A match in `data`: spans in bytes, of the match and of its groups; (-1, -1) for one without a part."""

    data: bytes
    spans: Sequence[tuple[int, int]]

    @property
    def start(self) -> int:
        """Where the match begins."""
        return self.spans[0][0]

    @property
    def end(self) -> int:
        """Where the match ends."""
        return self.spans[0][1]

    @property
    def groups(self) -> int:
        """How many groups the pattern has."""
        return len(self.spans) - 1

    def part(self, group: int) -> str:
        """Return what `group` holds; of group 0, the match."""
        start, end = self.spans[group]
        return self.text(start, end) if start >= 0 else ""

    def text(self, start: int, end: int | None) -> str:
        """Return a part of the text that was searched."""
        return self.data[start:end].decode()


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Pattern:
    """Return the compiled `pattern`; `size` shows what a short one can hide: instructions, by their cost.

    Raises: Failure when the pattern is not RE2, too long, or needs more memory than allowed.
    """
    compiled = _compiled(pattern, captures=False)
    match = compiled.Match
    anywhere = _ANYWHERE

    def matches(text: str) -> bool:
        data = text.encode()
        found: int = match(anywhere, data, 0, len(data))[0][0]
        return found >= 0  # (-1, -1) without a match

    return Pattern(matches, _size(compiled))


@lru_cache(maxsize=512)
def compile_groups(pattern: str) -> _re2.RE2:
    """Return the compiled `pattern`, which can say where its groups are. Raises: as `compile_pattern`."""
    return _compiled(pattern, captures=True)


def _compiled(pattern: str, *, captures: bool) -> _re2.RE2:
    if len(pattern) > CEL.pattern:
        raise Failure("invalid_argument", f"a pattern is at most {CEL.pattern} characters long")
    options = _re2.RE2.Options()
    options.never_capture = not captures
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    try:
        compiled = _re2.RE2(pattern.encode(), options)
    except UnicodeEncodeError:
        raise Failure("invalid_argument", "a pattern cannot hold half of a surrogate pair") from None
    if not compiled.ok():
        reason = compiled.error().decode("utf-8", "replace")
        raise Failure("invalid_argument", f"the pattern is not a regular expression of RE2: {reason}")
    return compiled


def _size(compiled: _re2.RE2) -> int:
    size: int = compiled.ProgramSize()
    return size if size <= _AUTOMATON else size * _FOLLOWED


def search(text: str, pattern: str, budget: Budget) -> bool:
    """Return whether `text` contains a match of `pattern`."""
    budget.read(len(pattern))
    compiled = compile_pattern(pattern)
    budget.spend(1 + len(text) * compiled.size // MATCHED_PER_STEP)
    try:
        return compiled.matches(text)
    except UnicodeEncodeError:
        raise Failure("invalid_argument", "the text holds half of a surrogate pair") from None


def findings(text: str, pattern: str, budget: Budget, *, groups: int | None = None) -> Iterator[Finding]:
    """Yield the matches of `pattern` in `text` from the left, none inside another.

    An empty match right after another does not count. Each search is charged as if it read all that is left,
    and the copy of the text as one more.
    Raises: Failure, also when the pattern has more than `groups` groups.
    """
    budget.read(len(pattern))
    compiled = compile_groups(pattern)
    if groups is not None and compiled.NumberOfCapturingGroups() > groups:
        raise Failure("invalid_argument", f"the pattern may have {groups} group: write the others as (?:...)")
    size = _size(compiled)
    budget.spend(len(text) * size // MATCHED_PER_STEP)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise Failure("invalid_argument", "the text holds half of a surrogate pair") from None
    length = len(data)
    at, before = 0, -1
    while at <= length:
        budget.spend(2 + (length - at) * size // MATCHED_PER_STEP)
        found = Finding(data, compiled.Match(_ANYWHERE, data, at, length))
        if found.start < 0:
            return
        if found.end > found.start or found.start != before:
            yield found
        before = found.end
        at = found.end if found.end > at else _next(data, at)


def _next(data: bytes, at: int) -> int:
    """Return where the character after the one at `at` begins."""
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at
