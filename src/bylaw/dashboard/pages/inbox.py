"""The inbox: what waits for people, and what decisions told them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, mendable, part
from bylaw.dashboard.page import Answer, Page, sent, shown
from bylaw.dashboard.pages.inbox_hands import me, take
from bylaw.dashboard.visit import Visit

_WEEK: Final = "7d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One list of the inbox: where it comes from, who may read it, and which filters it knows.

    `always` is asked of the list too, and `first` the filters of whoever did not choose any.
    """

    name: str
    heading: str
    scope: str
    filters: Sequence[str]
    always: Mapping[str, str]
    first: Mapping[str, str]

    @property
    def path(self) -> str:
        """Its address."""
        return f"/inbox/{self.name}"


_WAITING: Final = "conversations:read"
_TOLD: Final = "receipts:read"
TABS: Final = (
    Tab(
        name="approvals",
        heading="Approvals",
        scope=_WAITING,
        filters=("status", "whose", "agent_id", "policy_id"),
        always={},
        first={"status": "waits"},
    ),
    Tab(
        name="attention",
        heading="Attention",
        scope=_WAITING,
        filters=("status", "whose", "type", "policy_id"),
        always={"other_than": "approval"},
        first={"status": "open"},
    ),
    Tab(
        name="violations",
        heading="Violations",
        scope=_TOLD,
        filters=("risk", "block", "agent_id", "policy_id"),
        always={},
        first={},
    ),
    Tab(
        name="alerts",
        heading="Alerts",
        scope=_TOLD,
        filters=("agent_id", "policy_id"),
        always={},
        first={},
    ),
)


async def inbox(visit: Visit) -> Response:
    """Lead to the first list that the person may read."""
    readable = (tab for tab in TABS if visit.may(tab.scope))
    return visit.go(next(readable, TABS[0]).path)


class Listed(Protocol):
    """Shows one list, with why something was `refused` there."""

    async def __call__(self, visit: Visit, refused: Refused | None = None, /) -> Response:
        """Return the page."""


def listed(tab: Tab) -> Listed:
    """Return what shows one list."""

    async def page(visit: Visit, refused: Refused | None = None) -> Response:
        given = visit.request.query_params
        asked = {name: given.get(name, tab.first.get(name, "")) for name in tab.filters}
        workspace = given.get("workspace", visit.workspace)
        found = await visit.get(
            f"/v1/{tab.name}",
            limit="50",
            cursor=given.get("cursor") or None,
            workspace_id=workspace or None,
            **tab.always,
            **_sent(asked, me(visit)),
        )
        query = {name: value for name, value in asked.items() if name in given or value}
        if "workspace" in given:
            query["workspace"] = workspace
        return visit.show(
            f"inbox/{tab.name}.html",
            refused=refused,
            me=me(visit),
            tab=tab,
            tabs=[each for each in TABS if visit.may(each.scope)],
            found=found,
            asked=asked,
            asked_query=query,
            is_narrowed=any(asked[name] != tab.first.get(name, "") for name in asked),
            inside=workspace,
            counts=await _counts(visit, workspace),
        )

    return page


def taken(tab: Tab) -> Answer:
    """Return what answers somebody who takes a thing out of a list."""

    async def answer(visit: Visit) -> Response:
        query = visit.request.query_params
        try:
            said = await take(visit, f"/v1/{tab.name}/{quote(visit.form.get('ident', ''), safe='')}")
        except Refused as refused:
            return await listed(tab)(visit, mendable(refused))
        return visit.go(tab.path, said=said, **query)

    return answer


def _sent(asked: Mapping[str, str], me: str) -> dict[str, str]:
    """Return filters as the API knows them: what still waits is not a status, and `mine` is a person."""
    sent = {name: value for name, value in asked.items() if value}
    match sent.pop("whose", ""):
        case "mine" if me:
            sent["assignee_id"] = me
        case "nobody":
            sent["is_assigned"] = "false"
        case _:
            pass
    if sent.get("status") == "waits":
        del sent["status"]
        sent["waits"] = "true"
    return sent


async def _counts(visit: Visit, workspace: str) -> Item:
    """Return how much is open in each list; of what nobody answers, how much there was in a week."""
    counts: dict[str, object] = {}
    within = workspace or None
    if visit.may(_WAITING):
        counts |= await visit.get("/v1/inbox", workspace_id=within)
    if visit.may(_TOLD):
        week = await visit.get(
            "/v1/statistics/breakdown", window=_WEEK, bucket="1d", limit="1", workspace_id=within
        )
        totals = part(week, "totals")
        counts |= {name: totals[name] for name in ("violations", "alerts")}
    return counts


PAGES: Final[tuple[Page, ...]] = (
    shown("/inbox", inbox),
    *(shown(tab.path, listed(tab)) for tab in TABS),
    *(sent(tab.path, taken(tab)) for tab in TABS if "whose" in tab.filters),
)
