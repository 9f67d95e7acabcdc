"""Learning: the conversations that there are, what was learnt from each, and the runs that look for rules."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.names import actor_names, people_of
from bylaw.dashboard.visit import Visit

_FILTERS: Final = ("text", "status", "cursor")


async def conversations(visit: Visit) -> Response:
    """Show the conversations, newest first."""
    asked = {name: visit.request.query_params.get(name, "") for name in _FILTERS}
    found = await visit.get(
        "/v1/conversations",
        limit="50",
        workspace_id=visit.workspace or None,
        **{name: value or None for name, value in asked.items()},
    )
    query = {name: value for name, value in asked.items() if value and name != "cursor"}
    return visit.show("learning/conversations.html", found=found, asked=asked, asked_query=query)


async def conversation(visit: Visit) -> Response:
    """Show one conversation with what was said, and what was learnt from it."""
    found = await visit.get(f"/v1/conversations/{visit.request.path_params['conversation_id']}")
    people = await people_of(visit, str(found["workspace_id"] or "") or None)
    return visit.show("learning/conversation.html", found=found, names=await actor_names(visit, people))


async def forget_page(visit: Visit) -> Response:
    """Ask whether a conversation is to be forgotten, and say what goes with it."""
    ident = visit.request.path_params["conversation_id"]
    found = await visit.get(f"/v1/conversations/{ident}")
    return visit.show("learning/forget.html", found=found)


async def forget(visit: Visit) -> Response:
    """Forget a conversation for good."""
    ident = visit.request.path_params["conversation_id"]
    try:
        await visit.send("DELETE", f"/v1/learning/conversations/{ident}")
    except Refused as refused:
        found = await visit.get(f"/v1/conversations/{ident}")
        return visit.show("learning/forget.html", refused=mendable(refused), found=found)
    return visit.go("/learning", said="The conversation is forgotten, and what was learnt from it alone.")


async def runs(visit: Visit) -> Response:
    """Show the runs, newest first."""
    return await _runs(visit)


async def start(visit: Visit) -> Response:
    """Start a run over the conversations of a workspace, and lead to it."""
    body = {"workspace_id": visit.form.get("workspace_id", ""), "dry_run": "dry_run" in visit.form}
    try:
        run = await visit.once("/v1/learning/runs", body)
    except Refused as refused:
        return await _runs(visit, mendable(refused))
    return visit.go(f"/learning/runs/{run['id']}")


async def run(visit: Visit) -> Response:
    """Show one run: how far it is, what it found, what it proposes, and what it holds back and why."""
    found = await visit.get(f"/v1/learning/runs/{visit.request.path_params['run_id']}")
    findings = items(found, "findings")
    people = await people_of(visit, str(found["workspace_id"]))
    return visit.show(
        "learning/run.html",
        found=found,
        names=await actor_names(visit, people),
        proposed=[each for each in findings if each["outcome"] == "proposed"],
        held_back=[each for each in findings if each["outcome"] != "proposed"],
    )


async def _runs(visit: Visit, refused: Refused | None = None) -> Response:
    cursor = visit.request.query_params.get("cursor")
    found = await visit.get(
        "/v1/learning/runs", limit="50", workspace_id=visit.workspace or None, cursor=cursor
    )
    return visit.show(
        "learning/runs.html",
        refused=refused,
        found=found,
        names=await actor_names(visit, await people_of(visit, visit.workspace or None)),
        form=visit.form,
    )


PAGES: Final[tuple[Page, ...]] = (
    shown("/learning", conversations),
    shown("/learning/conversations/{conversation_id:path}", conversation),
    shown("/learning/forget/{conversation_id:path}", forget_page),
    sent("/learning/forget/{conversation_id:path}", forget),
    shown("/learning/runs", runs),
    sent("/learning/runs", start),
    shown("/learning/runs/{run_id}", run),
)
