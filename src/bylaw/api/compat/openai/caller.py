"""Who calls models: an application, whose key is of one repo."""

from typing import Final

from bylaw.core.errors import Forbidden
from bylaw.core.ids import RepoId
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Principal

SCOPE: Final = "gateway:use"


def place_of(caller: Principal) -> tuple[Place, RepoId]:
    """Return where an application's key is, and its repo. Raises: Forbidden for another kind of key."""
    places = caller.places(SCOPE)
    place = places[0] if len(places) == 1 else None
    if place is None or place.repo_id is None:
        message = f"This needs the key of an application: one with the scope {SCOPE} in one repo."
        raise Forbidden(message, needs=SCOPE)
    return place, place.repo_id


def repo_of(caller: Principal) -> RepoId:
    """Return the repo of an application's key. Raises: as `place_of`."""
    return place_of(caller)[1]
