"""Jobs: work that outlives requests, with what failed first; tried again or cancelled."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.visit import Visit

_HOME: Final = "/settings/jobs"
_DONE: Final[Mapping[str, str]] = {"retry": "It starts as soon as possible.", "cancel": "It is cancelled."}


async def jobs(visit: Visit) -> Response:
    """Show the jobs of the organisation."""
    query = visit.request.query_params
    status, cursor = query.get("status", ""), query.get("cursor")
    failed = await visit.get("/v1/jobs", limit="20", status="dead") if not status and not cursor else {}
    found = await visit.get("/v1/jobs", limit="50", status=status or None, cursor=cursor)
    return visit.show("settings/jobs.html", found=found, failed=items(failed, "data"), state=status)


async def job_page(visit: Visit) -> Response:
    """Show one job with what of it is done."""
    return await _job(visit)


async def change(visit: Visit) -> Response:
    """Have a job start again, or not be done."""
    verb = visit.form.get("do", "")
    try:
        await visit.send("POST", f"/v1/jobs/{visit.request.path_params['job_id']}/{verb}")
    except Refused as refused:
        return await _job(visit, mendable(refused))
    return visit.go(visit.request.url.path, said=_DONE.get(verb, ""))


async def _job(visit: Visit, refused: Refused | None = None) -> Response:
    job = await visit.get(f"/v1/jobs/{visit.request.path_params['job_id']}")
    return visit.show(
        "settings/job.html",
        refused=refused,
        job=job,
    )


PAGES: Final[tuple[Page, ...]] = (
    shown(_HOME, jobs),
    shown(f"{_HOME}/{{job_id}}", job_page),
    sent(f"{_HOME}/{{job_id}}", change),
)
