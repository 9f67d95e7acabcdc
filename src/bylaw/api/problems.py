"""Errors on the wire: RFC 9457 problem details with a stable `code`, from one table.

Every error that leaves the native API is made here, whether a noun raised it, the framework did, or nobody
expected it. There is never a stack trace in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import msgspec

from bylaw.core.errors import (
    BylawError,
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


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every failed request is answered with (RFC 9457).

    `code` is stable and for programs, `detail` is for people. `reason`, `needs`, `current` and `limit` are
    the data of some codes; `errors` names every field of an unusable body.
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
    errors: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A finished answer: status, headers in wire form, and body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = field(default=((b"content-type", b"application/json"),))


_encoder = msgspec.json.Encoder()


def answer(error: BylawError, request_id: str) -> Answer:
    """Return the answer that `error` is."""
    return _problem(body_of(error, request_id), _headers(error))


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
        errors=_errors(error),
    )


def answer_status(status: int, detail: str, request_id: str, *, allow: str = "", code: str = "") -> Answer:
    """Return the problem of an HTTP status that no noun raises: 404, 405, 415, 428 or 500.

    `allow` lists the methods that a 405 offers; `code` is made from the status unless it is given.
    """
    code = code or HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    body = ProblemBody(
        type=f"urn:bylaw:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
    )
    return _problem(body, ((b"allow", allow.encode()),) if allow else ())


def unexpected(request_id: str) -> Answer:
    """Return the problem of something that nobody expected: it says where to look, and nothing else."""
    return answer_status(500, f"Something went wrong here; the log has it under {request_id}.", request_id)


def _problem(body: ProblemBody, headers: tuple[tuple[bytes, bytes], ...]) -> Answer:
    return Answer(
        status=body.status,
        body=_encoder.encode(body),
        headers=((b"content-type", MEDIA_TYPE.encode()), *headers),
    )


def _headers(error: BylawError) -> tuple[tuple[bytes, bytes], ...]:
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
