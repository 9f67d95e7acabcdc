"""Errors on the wire: one table of statuses, a stable `code`, and the dress in which a family shows them.

Every failed request is a `ProblemBody` first, whether a noun raised it, the framework did, or nobody expected
it. The native API sends it as it is (RFC 9457 problem details); another family makes its own answer of it.
There is never a stack trace in it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

import msgspec

from bylaw.api.incoming import Incoming
from bylaw.core.errors import (
    BylawError,
    ChooseTenant,
    Conflict,
    Corrupt,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    RateLimited,
    RuleSyntax,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[Mapping[type[BylawError], int]] = {
    InvalidInput: 422,
    RuleSyntax: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    ChooseTenant: 409,
    PreconditionFailed: 412,
    TooLarge: 413,
    RateLimited: 429,
    DeadlineExceeded: 504,
    Unavailable: 503,
    Corrupt: 500,
    BylawError: 500,
}


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with one field: where, a stable code, and what to do."""

    path: str
    code: str
    message: str


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation to choose."""

    id: str
    name: str


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every failed request is answered with (RFC 9457).

    `code` is stable and for programs, `detail` is for people. `reason`, `needs`, `current`, `limit`,
    `tenants` and `ticket` are the data of some codes; `errors` names every field of an unusable body.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    reason: str = ""
    needs: str = ""
    current: str = ""
    limit: int | None = None
    tenants: tuple[Choice, ...] = ()
    ticket: str = ""
    errors: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A finished answer: status, headers in wire form, and body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = field(default=((b"content-type", b"application/json"),))


# How a family shows a failure: the whole answer but for the headers that every failure has.
Dress = Callable[[ProblemBody], Answer]
Headers = tuple[tuple[bytes, bytes], ...]

_encoder = msgspec.json.Encoder()


class Failures:
    """Answers failed requests, each in the dress of the family to which its path belongs.

    `dresses` are by the beginning of the path, of which the longest that fits is taken; other paths are
    native. The stable code is also in `X-Error-Code`.
    """

    def __init__(self, dresses: Mapping[str, Dress] | None = None) -> None:
        every = {} if dresses is None else dresses
        self._dresses = sorted(every.items(), key=lambda each: len(each[0]), reverse=True)

    def of(self, error: BylawError, incoming: Incoming) -> Answer:
        """Return the answer that `error` is."""
        return self._dressed(body_of(error, incoming.id), incoming, _headers(error))

    def of_status(
        self, status: int, detail: str, incoming: Incoming, *, allow: Collection[str] = ()
    ) -> Answer:
        """Return the answer of an HTTP status that no noun raises; `allow` are the methods of a 405."""
        headers = ((b"allow", ", ".join(sorted(allow)).encode()),) if allow else ()
        return self._dressed(body_of_status(status, detail, incoming.id), incoming, headers)

    def unexpected(self, incoming: Incoming) -> Answer:
        """Return the answer to something that nobody expected: it says where to look, and nothing else."""
        detail = f"Something went wrong here; the log has it under {incoming.id}."
        return self.of_status(500, detail, incoming)

    def _dressed(self, body: ProblemBody, incoming: Incoming, headers: Headers) -> Answer:
        fitting = (dress for prefix, dress in self._dresses if incoming.path.startswith(prefix))
        made = next(fitting, details)(body)
        code = (b"x-error-code", body.code.encode())
        return replace(made, headers=(*made.headers, code, *headers))


def details(body: ProblemBody) -> Answer:
    """Return a problem as RFC 9457 has it: the native dress."""
    headers = ((b"content-type", MEDIA_TYPE.encode()),)
    return Answer(status=body.status, body=_encoder.encode(body), headers=headers)


def body_of(error: BylawError, request_id: str) -> ProblemBody:
    """Return the problem that `error` is."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if isinstance(error, InvalidInput) and any(each.code == "malformed_json" for each in error.problems):
        status = 400
    return ProblemBody(
        type=f"urn:bylaw:problem:{error.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.message,
        code=error.code,
        request_id=request_id,
        reason=error.reason if isinstance(error, Conflict) else "",
        needs=error.needs if isinstance(error, Forbidden) else "",
        current=error.current if isinstance(error, PreconditionFailed) else "",
        limit=error.limit if isinstance(error, TooLarge) else None,
        tenants=tuple(Choice(id=ident, name=name) for ident, name in error.tenants)
        if isinstance(error, ChooseTenant)
        else (),
        ticket=error.ticket if isinstance(error, ChooseTenant) else "",
        errors=_errors(error),
    )


def body_of_status(status: int, detail: str, request_id: str, *, code: str = "") -> ProblemBody:
    """Return the problem of a status that no noun raises; its code is made of it unless one is given."""
    code = code or HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    return ProblemBody(
        type=f"urn:bylaw:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
    )


def _headers(error: BylawError) -> Headers:
    if isinstance(error, Unauthenticated):
        return ((b"www-authenticate", b'Bearer realm="bylaw"'),)
    if isinstance(error, RateLimited):
        return ((b"retry-after", str(error.retry_after_s).encode()),)
    if isinstance(error, Unavailable):
        return ((b"retry-after", b"1"),)
    return ()


def _errors(error: BylawError) -> tuple[FieldProblem, ...]:
    if isinstance(error, InvalidInput):
        return tuple(
            FieldProblem(path=each.path, code=each.code, message=each.message) for each in error.problems
        )
    if isinstance(error, RuleSyntax):
        message = f"{error.message} (line {error.line}, column {error.column})\n{error.caret}"
        return (FieldProblem(path="expr", code=error.code, message=f"{message}\n{error.hint}".rstrip()),)
    return ()
