"""A running server, as commands reach it: one request at a time, errors as Bylaw's own."""

import urllib.error
import urllib.request
from typing import Final

import msgspec
from typing_extensions import override

from bylaw.core.errors import (
    BylawError,
    Conflict,
    Forbidden,
    InvalidInput,
    Problem,
    Unauthenticated,
    Unavailable,
)

TIMEOUT_S: Final = 60
MAX_ANSWER_BYTES: Final = 64 << 20


class _Field(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    code: str
    message: str


class _Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a problem document; anything may be missing when it is not one of ours."""

    detail: str = ""
    code: str = ""
    reason: str = ""
    needs: str = ""
    errors: tuple[_Field, ...] = ()


class Remote:
    """A server at `url`, spoken to with `key`, or with none where anybody may ask."""

    def __init__(self, url: str, key: str = "") -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidInput(f"{url!r} is not the address of a server: it begins with http:// or https://.")
        self._url = url.rstrip("/")
        self._headers = {"content-type": "application/json"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        self._opener = urllib.request.build_opener(_NoRedirects)

    def with_key(self, key: str) -> "Remote":
        """Return the same server, spoken to with another key."""
        return Remote(self._url, key)

    def request(self, method: str, path: str, body: object = None) -> bytes:
        """Return the body of a successful answer.

        Raises: the error that the server names; Unavailable when there is none to be reached.
        """
        data = None if body is None else msgspec.json.encode(body)
        asked = urllib.request.Request(  # noqa: S310 - the scheme is checked above
            self._url + path, data=data, headers=self._headers, method=method
        )
        try:
            with self._opener.open(asked, timeout=TIMEOUT_S) as answer:
                found: bytes = answer.read(MAX_ANSWER_BYTES)
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code, error.read(MAX_ANSWER_BYTES)) from None
        except OSError as error:
            why = getattr(error, "reason", error)
            raise Unavailable(f"No server answers at {self._url}: {why}.") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a key is sent to nobody but the server that was named."""

    @override
    def redirect_request(self, *args: object) -> None:
        return None


def _refusal(status: int, body: bytes) -> BylawError:
    """Return the error of ours that a refusal stands for."""
    try:
        said = msgspec.json.decode(body, type=_Refusal)
    except msgspec.MsgspecError:
        said = _Refusal()
    detail = said.detail or f"The server answered with status {status}."
    match said.code:
        case "invalid_input" | "rule_syntax":
            fields = (Problem(path=each.path, code=each.code, message=each.message) for each in said.errors)
            return InvalidInput(detail, *fields)
        case "unauthenticated":
            return Unauthenticated(detail)
        case "forbidden":
            return Forbidden(detail, needs=said.needs)
        case "conflict":
            return Conflict(detail, reason=said.reason)
        case _:
            return Unavailable(detail)
