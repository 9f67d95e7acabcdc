"""Signing keys: what receipts and checkpoints are signed with, and a new one."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.settings.asked import Deed, asked_about
from bylaw.dashboard.visit import Visit

_HOME: Final = "/settings/signing-keys"
_ROTATION: Final = Deed(
    heading="Sign with a new key",
    effects=(
        "This server signs with a new key from now on.",
        "The key of before is retired: what it signed stays good, and verifies as before.",
        "Whoever verifies offline needs the new key beside the old ones.",
    ),
    button="Sign with a new key",
    back=_HOME,
)


async def signing_keys(visit: Visit) -> Response:
    """Show the keys that sign the logs, to whoever operates the server."""
    try:
        keys = items(await visit.get("/v1/log/keys"), "data")
    except Refused as refused:
        if refused.status != 403:
            raise
        return visit.show("settings/signing_keys.html", keys=None)
    return visit.show("settings/signing_keys.html", keys=keys)


async def rotate_page(visit: Visit) -> Response:
    """Ask whether the server shall sign with a new key."""
    return asked_about(visit, _ROTATION)


async def rotate(visit: Visit) -> Response:
    """Have the server sign with a new key."""
    try:
        await visit.send("POST", "/v1/log/keys/rotate")
    except Refused as refused:
        return asked_about(visit, _ROTATION, mendable(refused))
    return visit.go(_HOME, said="This server signs with a new key.")


PAGES: Final[tuple[Page, ...]] = (
    shown(_HOME, signing_keys),
    shown(f"{_HOME}/rotate", rotate_page),
    sent(f"{_HOME}/rotate", rotate),
)
