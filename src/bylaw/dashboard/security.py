"""What keeps pages to those who opened them: cookies, marks of forms, and what browsers may load."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bylaw.core.ids import Ids

_SALT: Final = 16
_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """The cookies of the dashboard; `is_secure` where it is reached over https alone."""

    is_secure: bool

    def read(self, request: Request, name: str) -> str:
        """Return what a cookie holds, empty for none."""
        return request.cookies.get(self._named(name), "")

    def write(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Have the browser keep `value`, for as long as it runs unless `seconds` are named."""
        response.set_cookie(
            self._named(name),
            value,
            max_age=seconds,
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def forget(self, response: Response, name: str) -> None:
        """Have the browser forget a cookie."""
        self.write(response, name, "", seconds=0)

    def _named(self, name: str) -> str:
        return f"__Host-bylaw-{name}" if self.is_secure else f"bylaw-{name}"


def mark(session: str, ids: Ids) -> str:
    """Return a mark for the forms of a page, which is another one each time and fits this session alone."""
    salt = ids.secret(_SALT)
    return salt + _sealed(session, salt)


def fits(session: str, said: str) -> bool:
    """Return whether a mark was made for this session."""
    return hmac.compare_digest(_sealed(session, said[:_SALT]).encode(), said[_SALT:].encode())


def word(mark: str, path: str, body: object) -> str:
    """Return a word that is the same when one form of one page asks for the same again."""
    asked = msgspec.json.encode([mark, path, body], order="deterministic")
    return hashlib.blake2b(asked, digest_size=16).hexdigest()


def is_from_here(request: Request) -> bool:
    """Return whether a request that changes something was sent by one of our own pages, as browsers tell."""
    if request.method in _SAFE:
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")


def policy(nonce: str) -> str:
    """Return the Content-Security-Policy of a page whose scripts carry `nonce`."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types htmx",
        )
    )


def _sealed(session: str, salt: str) -> str:
    return hashlib.blake2b(salt.encode(), key=session.encode()[:64], digest_size=16).hexdigest()
