"""Changes worth trying: for each smallest cause of a violated rule, the nearest value that might satisfy it.

They are guesses from the shape of a comparison; only deciding again shows whether they help.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import Object, Request
from bylaw.decisions.request import read
from bylaw.policies.facts import ROOTS
from bylaw.rules import cel
from bylaw.rules.explain import Cause, Explanation

_PATH: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*")
_STEP: Final = re.compile(r"[A-Za-z_]\w*|\d+")
_ABSENT: Final = object()


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """A request with one field changed: at `path` (within the request), from `now` to `then`."""

    path: str
    now: object
    then: object
    request: Request


def edits(request: Request, explanation: Explanation) -> Iterator[Edit]:
    """Yield the request with one field changed, for each cause that names a field and what it would need."""
    for cause in explanation.causes:
        if _PATH.fullmatch(cause.path):
            edit = _edit(request, cause)
            if edit is not None:
                yield edit


def _edit(request: Request, cause: Cause) -> Edit | None:
    body: Object = msgspec.to_builtins(request)
    path = _within(body, _STEP.findall(cause.path))
    holder = _follow(body, path[:-1])
    now = _item(holder, path[-1])
    then = _needed(cause, now)
    if now is _ABSENT or then is _ABSENT:
        return None
    changed: Object = msgspec.to_builtins(request)
    target = _follow(changed, path[:-1])
    slot = int(path[-1]) if isinstance(target, list) else path[-1]
    target[slot] = then  # type: ignore[index]  # `now` stands there
    try:
        return Edit(path=".".join(path), now=now, then=then, request=read(changed))
    except InvalidInput:
        return None


def _within(body: Object, steps: list[str]) -> list[str]:
    """Return where a fact stands in the request: a field of its own, or else a key of `metadata`."""
    own = steps[0] in ROOTS and steps[0] in body
    return steps if own else ["metadata", *steps]


def _follow(value: object, steps: list[str]) -> object:
    for step in steps:
        value = _item(value, step)
    return value


def _item(value: object, step: str) -> object:
    if isinstance(value, dict):
        return value.get(step, _ABSENT)
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return _ABSENT


def _needed(cause: Cause, now: object) -> object:
    """Return the nearest value in the relation that the cause needs, or absent when none is known."""
    try:
        than = cel.evaluate(cause.than)
    except cel.CelError:
        return _ABSENT
    match cause.needs:
        case "==" | "<=" | ">=":
            return than
        case "<" | ">" if isinstance(than, int) and not isinstance(than, bool):
            return than - 1 if cause.needs == "<" else than + 1
        case "!=" if isinstance(than, bool):
            return not than
        case "in" if isinstance(than, list) and than:
            return than[0]
        case "contains" if isinstance(now, list):
            return [*now, than]
        case _:
            return _ABSENT
