"""Exact answers: the JSON text of an exchange, in which only what differs every time is replaced."""

import json
import re

import httpx

_VARIABLE = re.compile(
    r'"(?:(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z]+_[0-9A-Z]{26})'
    r'|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z))"'
)


def text_of(found: httpx.Response) -> str:
    """The text of an answer: ids as id-1, id-2 … in the order in which they appear, and moments as `time`."""
    seen: dict[str, str] = {}

    def named(match: re.Match[str]) -> str:
        if match["id"] is None:
            return '"time"'
        return f'"{seen.setdefault(match["id"], f"id-{len(seen) + 1}")}"'

    return _VARIABLE.sub(named, found.text)


def is_exactly(found: httpx.Response, status: int, text: str) -> None:
    """Fail unless the answer is `text`, which is JSON with any space, to the byte: keys in order."""
    assert found.status_code == status, found.text
    wanted = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    assert text_of(found) == wanted
