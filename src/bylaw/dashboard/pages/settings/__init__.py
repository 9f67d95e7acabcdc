"""The settings: people, places, keys, and what the server does by itself; a module for each screen."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.page import Page, shown
from bylaw.dashboard.pages.settings import (
    account,
    connections,
    evaluators,
    events,
    jobs,
    keys,
    packs,
    people,
    signing_keys,
    webhooks,
    workspaces,
)
from bylaw.dashboard.visit import Visit


async def settings(visit: Visit) -> Response:
    """Lead to the first screen that the person may use."""
    return visit.go("/settings/people" if visit.may("workspaces:write") else "/settings/account")


PAGES: Final[tuple[Page, ...]] = (
    shown("/settings", settings),
    *account.PAGES,
    *people.PAGES,
    *workspaces.PAGES,
    *keys.PAGES,
    *evaluators.PAGES,
    *webhooks.PAGES,
    *packs.PAGES,
    *connections.PAGES,
    *events.PAGES,
    *jobs.PAGES,
    *signing_keys.PAGES,
)
