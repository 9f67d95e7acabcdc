"""The overview: what is enforced where, what came of it, and what needs somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, part
from bylaw.dashboard.charts import Series
from bylaw.dashboard.page import Page, shown
from bylaw.dashboard.pages.names import policy_names
from bylaw.dashboard.pages.over_time import DAYS, chosen_days, drawn, numbers
from bylaw.dashboard.visit import Visit

ACTIONS: Final = ("block", "review", "alert", "log")
_TOP: Final = 5
_LATEST: Final = 100  # decisions that are looked at for what no policy governs
_LOOSE: Final = 500  # agents that are looked at for what is enforced on them
_PENDING: Final = 50
_PLACES: Final = 20  # those with most in force are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A first step of somebody who is new here."""

    name: str
    why: str
    path: str
    is_done: bool


async def overview(visit: Visit) -> Response:
    """Show the start page."""
    days = chosen_days(visit)
    told = await _told(visit, days) if visit.may("receipts:read") else {}
    kept = await _kept(visit) if visit.may("policy:read") else {}
    agents, are_all = await _agents(visit) if visit.may("agents:read") else (None, True)
    return visit.show(
        "overview/overview.html",
        days=days,
        all_days=DAYS,
        told=told,
        kept=kept,
        agents=agents,
        loose=_loose(agents or (), told),
        are_all=are_all,
        troubles=await _troubles(visit),
        steps=_steps(visit, told, kept, agents),
    )


async def _told(visit: Visit, days: str) -> Mapping[str, object]:
    """Return what decisions left behind in some days: over time, by policy, and what nobody governed."""
    within = visit.workspace or None
    span = {"window": f"{days}d", "bucket": "1d", "workspace_id": within}
    found = await visit.get("/v1/statistics", **span)
    shares = await visit.get("/v1/statistics/breakdown", **span, limit=str(_TOP))
    latest = await visit.get("/v1/receipts", kind="decision", limit=str(_LATEST), workspace_id=within)
    points = items(found, "series")
    series = (
        Series(name="Blocked", kind="stopped", numbers=numbers(points, "blocks")),
        Series(
            name="Held or flagged",
            kind="passed",
            numbers=[
                of - stopped
                for of, stopped in zip(numbers(points, "violations"), numbers(points, "blocks"), strict=True)
            ],
        ),
    )
    decisions = items(latest, "data")
    return {
        "totals": part(shares, "totals"),
        **drawn(points, series),
        "top": await _named(visit, items(shares, "data")),
        "count": shares["count"],
        "decisions": len(decisions),
        "governed": {each["agent_id"] for each in decisions if each.get("posture") == "governed"},
        "undecided": sum(1 for each in decisions if _is_undecided(each)),
        "ungoverned": sum(1 for each in decisions if each.get("posture") == "ungoverned"),
    }


def _is_undecided(decision: Item) -> bool:
    """Return whether nobody could judge some rule that applied."""
    applied = items(part(part(decision, "receipt"), "claim"), "policies")
    return any(rule["status"] == "indeterminate" for policy in applied for rule in items(policy, "rules"))


async def _kept(visit: Visit) -> Mapping[str, object]:
    """Return what is in force where, what waits for review, and who judges rules in words."""
    within = visit.workspace or None
    places_ = items(await visit.get("/v1/statistics/policies"), "data")
    if within:
        places_ = [each for each in places_ if each["workspace_id"] in {None, within}]
    counted = [{**each, "all": sum(_number(each, action) for action in ACTIONS)} for each in places_]
    most = sorted(counted, key=lambda each: -_number(each, "all"))[:_PLACES]
    pending = await visit.get("/v1/policies", waits="true", limit=str(_PENDING), workspace_id=within)
    written = await visit.get("/v1/policies", limit="1", workspace_id=within)
    evaluators = await visit.get("/v1/evaluators")
    return {
        "places": [each for each in counted if each in most],
        "more_places": len(counted) - len(most),
        "pending": len(items(pending, "data")),
        "is_more": pending["next_cursor"] is not None,
        "is_written": bool(items(written, "data")),
        "evaluators": items(evaluators, "evaluators"),
    }


async def _agents(visit: Visit) -> tuple[Sequence[Item], bool]:
    """Return the newest agents, and whether these are all."""
    found = await visit.get("/v1/agents", limit=str(_LOOSE))
    here = [each for each in items(found, "data") if visit.workspace in {"", each["workspace_id"]}]
    return here, found["next_cursor"] is None


def _loose(agents: Sequence[Item], told: Mapping[str, object]) -> Sequence[Item]:
    """Return the agents that no policy governs where they are, nor governed in what they asked lately."""
    governed = cast("set[object]", told.get("governed", set()))
    return [each for each in agents if each["enforcement"] == "none" and each["id"] not in governed]


async def _troubles(visit: Visit) -> Sequence[Item]:
    """Return the checks of the server that do not hold."""
    try:
        found = await visit.get("/readyz")
    except Refused as refused:
        found = refused.problem
    return [each for each in items(found, "checks") if not each["ok"]]


async def _named(visit: Visit, shares: Sequence[Item]) -> Sequence[Item]:
    """Return what there was of each policy, with its name; that of a deleted one as it was violated last."""
    names = await policy_names(visit, (str(each["id"]) for each in shares))
    return [
        {
            **part(each, "totals"),
            "id": each["id"],
            "name": names.get(str(each["id"])) or await _last(visit, each),
        }
        for each in shares
    ]


async def _last(visit: Visit, share: Item) -> object:
    """Return how a policy was called when it was violated last."""
    for kind in ("violations", "alerts"):
        if part(share, "totals")[kind]:
            (*_, last) = items(await visit.get(f"/v1/{kind}", policy_id=str(share["id"]), limit="1"), "data")
            return part(last, "policy")["name"] or share["id"]
    return share["id"]


def _steps(
    visit: Visit, told: Mapping[str, object], kept: Mapping[str, object], agents: Sequence[Item] | None
) -> Sequence[Step]:
    """Return the first steps while one is left to do, for whoever may do them."""
    if not (visit.may("policy:write") and visit.may("agents:write") and told and kept):
        return ()
    steps = (
        Step(
            name="Write a policy",
            why="Say in plain words what agents may and may not do, and try it on an example.",
            path="/policies/new",
            is_done=bool(kept["is_written"]),
        ),
        Step(
            name="Connect an agent",
            why="Give it a name here, so that you see what is enforced on it.",
            path="/agents?new=",
            is_done=bool(agents),
        ),
        Step(
            name="See a decision",
            why="Have the agent ask before it acts. Each answer is listed with why and its proof.",
            path="/receipts",
            is_done=bool(told["decisions"]),
        ),
    )
    return () if all(each.is_done for each in steps) else steps


def _number(point: Item, name: str) -> int:
    return cast("int", point[name])


PAGES: Final[tuple[Page, ...]] = (shown("/", overview),)
