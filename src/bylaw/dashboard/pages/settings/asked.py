"""What several screens of the settings ask for, and how they answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items
from bylaw.dashboard.visit import Visit

_MOST: Final = "500"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that is asked about before it is done: what will happen, and where to go back to."""

    heading: str
    effects: Sequence[str]
    button: str
    back: str
    is_destructive: bool = True


def asked_about(visit: Visit, deed: Deed, refused: Refused | None = None) -> Response:
    """Ask whether something shall be done; `refused` is why it could not be."""
    return visit.show("settings/confirm.html", refused=refused, deed=deed)


def shown_once(visit: Visit, heading: str, secret: str, *, effects: Sequence[str], back: str) -> Response:
    """Show a secret, once: no page is kept by a browser, and asked for anew this one is not there."""
    return visit.show("settings/shown_once.html", heading=heading, secret=secret, effects=effects, back=back)


async def listed(visit: Visit, path: str, **query: str | None) -> Sequence[Item]:
    """Return the first items of a list, as many as the API answers at once; none where it refuses."""
    return items(await visit.find(path, limit=_MOST, **query), "data")


def places(visit: Visit, scope: str) -> Sequence[Item]:
    """Return the workspaces in which the person holds a scope."""
    return [each for each in items(visit.who, "workspaces") if visit.may(scope, str(each["id"]))]
