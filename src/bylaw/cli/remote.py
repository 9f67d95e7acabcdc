"""A running server, as commands reach it: one request at a time, errors as Bylaw's own."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Protocol, TypeVar
from urllib.parse import urlencode

import click
import msgspec
from typing_extensions import override

from bylaw.cli.options import SharingCommand, server_option
from bylaw.core.errors import (
    BylawError,
    Conflict,
    Corrupt,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    Problem,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

TIMEOUT_S: Final = 60
MAX_ANSWER_BYTES: Final = 64 << 20


class _Part(Protocol):
    @property
    def next_cursor(self) -> str | None: ...


T = TypeVar("T")
P = TypeVar("P", bound=_Part)


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
    current: str = ""
    limit: int = 0
    retry_after_s: int = 0
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
        self._opener = urllib.request.build_opener(NoRedirects)

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
                said = _said(error.code, error.read(MAX_ANSWER_BYTES), error.headers.get("retry-after", ""))
                raise _ERRORS.get(said.code, _unavailable)(said) from None
        except OSError as error:
            reason = getattr(error, "reason", error)
            why = getattr(reason, "strerror", None) or reason
            message = (
                f"No server answers at {self._url}: {why}. Start one, or name another: --server, BYLAW_URL."
            )
            raise Unavailable(message) from None

    def send(self, method: str, path: str, body: object, kind: type[T]) -> T:
        """Return a successful answer to `body`, read as `kind`. Raises: as `request`."""
        return msgspec.json.decode(self.request(method, path, body), type=kind)

    def get(self, path: str, kind: type[T], /, **query: object) -> T:
        """Return what is at `path`, read as `kind`; what is None in `query` is left out.

        Raises: as `request`.
        """
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return msgspec.json.decode(self.request("GET", f"{path}?{asked}" if asked else path), type=kind)

    def pages(self, path: str, kind: type[P], /, **query: object) -> Iterator[P]:
        """Yield the pages of a list, one after another. Raises: as `request`."""
        page = self.get(path, kind, **query)
        yield page
        while page.next_cursor is not None:
            page = self.get(path, kind, **query, cursor=page.next_cursor)
            yield page


def keyed(server: str, key: str | None, *, instead: str = "") -> Remote:
    """Return the server at that address, spoken to with `key`; `instead` is what would do without one.

    Raises: UsageError when there is no key.
    """
    if key is None:
        raise click.UsageError(f"Give --key or BYLAW_API_KEY{instead}.")
    return Remote(server, key)


REACH: Final[Mapping[str, click.Option]] = MappingProxyType(
    {
        "server": server_option(),
        "key": click.Option(
            ["--key"],
            envvar="BYLAW_API_KEY",
            help="API key; better in BYLAW_API_KEY than on the command line.",
        ),
    }
)


class RemoteCommand(SharingCommand):
    """A command that also takes the options of `REACH`, and passes on the server that they name."""

    shared = REACH
    read = staticmethod(keyed)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a key is sent to nobody but the server that was named."""

    @override
    def redirect_request(self, *args: object) -> None:
        return None


def _said(status: int, body: bytes, retry_after: str) -> _Refusal:
    """Return what a refusal says; one that is no problem document says its status."""
    try:
        said = msgspec.json.decode(body, type=_Refusal)
    except msgspec.MsgspecError:
        said = _Refusal()
    return msgspec.structs.replace(
        said,
        detail=said.detail or f"The server answered with status {status}.",
        code=said.code or _CODES.get(status, ""),
        retry_after_s=int(retry_after) if retry_after.isdecimal() else 0,
    )


def _invalid(said: _Refusal) -> InvalidInput:
    fields = (Problem(path=each.path, code=each.code, message=each.message) for each in said.errors)
    return InvalidInput(said.detail, *fields)


def _unavailable(said: _Refusal) -> BylawError:
    return Unavailable(said.detail)


# What a refusal is that names no code of ours, as one by a proxy on the way.
_CODES: Final[Mapping[int, str]] = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    413: "too_large",
    429: "rate_limited",
}
_ERRORS: Final[Mapping[str, Callable[[_Refusal], BylawError]]] = {
    "invalid_input": _invalid,
    "rule_syntax": _invalid,
    "unauthenticated": lambda said: Unauthenticated(said.detail),
    "forbidden": lambda said: Forbidden(said.detail, needs=said.needs),
    "not_found": lambda said: NotFound.told(said.detail),
    "conflict": lambda said: Conflict(said.detail, reason=said.reason),
    "precondition_failed": lambda said: PreconditionFailed(said.detail, current=said.current),
    "too_large": lambda said: TooLarge(said.detail, limit=said.limit, unit=""),
    "rate_limited": lambda said: RateLimited(said.detail, retry_after_s=said.retry_after_s),
    "deadline_exceeded": lambda said: DeadlineExceeded(said.detail),
    "corrupt": lambda said: Corrupt(said.detail, place=""),
}
