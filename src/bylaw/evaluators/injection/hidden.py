"""Characters that a reader does not see and a model does: tags, overrides of direction, split words."""

import re
from collections.abc import Iterator
from typing import Final

# Tag characters outside the flags that are spelled with them (a black flag before).
_TAGS: Final = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0001-\U000e007f]{2,}")
_TURNED: Final = re.compile("[\u202d\u202e]")
_ZERO: Final = "[\u200b\u200c\u200d\u2060\u2061-\u2064\ufeff\u180e]"
_SPLIT: Final = re.compile(f"(?<=[A-Za-z]){_ZERO}+(?=[A-Za-z])")
_RUN: Final = re.compile(f"{_ZERO}{{8,}}|[\ufe00-\ufe0f]{{4,}}|[\U000e0100-\U000e01ef]{{4,}}")
_ENOUGH: Final = 3  # so many split words are no accident of typesetting


def hidden(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield where hidden characters stand, and whether they are a sign alone."""
    if text.isascii():
        return
    for pattern in (_TAGS, _RUN):
        yield from ((found.start(), found.end(), True) for found in pattern.finditer(text))
    yield from ((found.start(), found.end(), False) for found in _TURNED.finditer(text))
    split = [found.span() for found in _SPLIT.finditer(text)]
    if split:
        yield split[0][0], split[-1][1], len(split) >= _ENOUGH
