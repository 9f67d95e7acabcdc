"""Data that a model is shown apart from what it is asked."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from bylaw.providers.model import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """Two lines with a marker that nobody can guess; what stands between them is data."""

    marker: str

    def bare(self, text: str) -> str:
        """Return a text without the marker, so that nothing in it can end the data."""
        return text.replace(self.marker, "")

    def around(self, data: Iterable[Object]) -> str:
        """Return data between the two lines, one JSON object a line."""
        line = f"=== {self.marker} ==="
        return "\n".join([line, *(json.dumps(each, ensure_ascii=False) for each in data), line])
