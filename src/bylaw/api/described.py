"""A route as data: what it asks for and what it answers. The documentation and the tests are made from it."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from bylaw.api.problems import ProblemBody

Access = Literal["anonymous", "any key", "scope", "operator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One route.

    `scope` is what `access` asks for, or empty. `takes` is the type of its body, `gives` that of its answer
    with `status`; None is no JSON. `media_type` names an answer that is not JSON. `may_fail` are the statuses
    of its failures, each answered with a `fails_with`. `is_kept`: its answer is repeated under an
    Idempotency-Key.
    """

    method: str
    path: str
    access: Access
    scope: str = ""
    takes: type[msgspec.Struct] | None = None
    takes_nothing_too: bool = False
    gives: object | None = None
    status: int = 200
    media_type: str = "application/json"
    may_fail: frozenset[int] = frozenset()
    family: str = "native"
    fails_with: type[msgspec.Struct] = ProblemBody
    tag: str = ""
    name: str = ""
    summary: str = ""
    description: str = ""
    is_kept: bool = True


def failures(
    method: str, path: str, access: Access, *, takes: object | None, conditional: bool = False
) -> frozenset[int]:
    """Return the statuses with which such a route can fail, besides the 500, 503 and 504 of every route."""
    found = {500, 503, 504}
    if access != "anonymous":
        found |= {401, 403, 404, 429}
    if "{" in path:
        found.add(404)
    if takes is not None:
        found |= {400, 413, 415, 422}
    if method != "GET":
        found |= {400, 409, 413, 415, 422}
    if conditional:
        found.add(412)
    return frozenset(found | {422})
