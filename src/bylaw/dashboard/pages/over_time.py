"""What happened day by day: how far back, the charts of it, and the page of how decisions came out.

That page is also where the overview has its chart from, once it stands: counting takes time in proportion to
the decisions.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from starlette.responses import Response

from bylaw.dashboard import charts
from bylaw.dashboard.asking import Item, items
from bylaw.dashboard.charts import Series
from bylaw.dashboard.page import Page, shown
from bylaw.dashboard.visit import Visit

DAYS: Final = ("7", "30", "90")
# The strictest at the bottom, where small numbers can be compared.
_OUTCOMES: Final = {"block": "Blocked", "review": "Held for a person", "flag": "Flagged", "allow": "Allowed"}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


async def outcomes(visit: Visit) -> Response:
    """Show how decisions came out, day by day."""
    days = chosen_days(visit)
    found = await visit.get("/v1/statistics/outcomes", window=f"{days}d", bucket="1d")
    points = items(found, "series")
    series = [Series(name=name, kind=kind, numbers=numbers(points, kind)) for kind, name in _OUTCOMES.items()]
    return visit.show("overview/outcomes.html", days=days, all_days=DAYS, told=drawn(points, series))


def chosen_days(visit: Visit) -> str:
    """Return how many days are wanted."""
    asked = visit.request.query_params.get("days", DAYS[1])
    return asked if asked in DAYS else DAYS[1]


def drawn(points: Sequence[Item], series: Sequence[Series]) -> Mapping[str, object]:
    """Return what a template draws: the series, a column for each point, for wide and narrow windows."""
    labels = [_day(each) for each in points]
    return {
        "points": points,
        "series": series,
        "wide": charts.bars(labels, series, charts.WIDE),
        "narrow": charts.bars(labels, series, charts.NARROW),
    }


def numbers(points: Sequence[Item], name: str) -> Sequence[int]:
    """Return one number of each point."""
    return [cast("int", each[name]) for each in points]


def _day(point: Item) -> str:
    """Return the day of a point as it stands under its column: 7 Mar."""
    _, month, day = str(point["at"])[:10].split("-")
    return f"{int(day)} {_MONTHS[int(month) - 1]}"


PAGES: Final[tuple[Page, ...]] = (shown("/outcomes", outcomes),)
