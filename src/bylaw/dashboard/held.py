"""Sessions of other organisations that a browser holds: each was proven by a sign-in of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from bylaw.dashboard.asking import Item, part

_MOST: Final = 5  # so that a cookie holds them
_SHOWN: Final = 40  # characters of a name
_PART, _NEXT = "!", "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A session, and the organisation to which it belongs."""

    session: str
    tenant_id: str
    name: str


def held_of(made: Item) -> Held:
    """Return a session as it came from the API, with who it is for."""
    tenant = part(part(made, "who"), "tenant")
    return Held(session=str(made["session"]), tenant_id=str(tenant["id"]), name=str(tenant["name"]))


def read_held(cookie: str) -> Sequence[Held]:
    """Return the sessions that a cookie holds; what has not their form is left out."""
    found = [[unquote(each) for each in one.split(_PART)] for one in cookie.split(_NEXT)]
    return [Held(session=each[0], tenant_id=each[1], name=each[2]) for each in found if len(each) == 3]


def written_held(held: Sequence[Held]) -> str:
    """Return the cookie that holds these sessions, the latest few of them."""
    return _NEXT.join(
        _PART.join(quote(each, safe="") for each in (one.session, one.tenant_id, one.name[:_SHOWN]))
        for one in held[:_MOST]
    )
