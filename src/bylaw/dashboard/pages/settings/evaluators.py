"""Evaluators: who judges rules in words here, how they do, and a rule tried on a text."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.visit import Visit

_HOME: Final = "/settings/evaluators"
# Where of a conversation a text may stand: what it is called, and the request that says so.
_SAID_BY: Final = {"agent": ("output", "agent_output"), "customer": ("input", "user_intent")}


async def evaluators(visit: Visit) -> Response:
    """Show who judges rules in words here."""
    return await _evaluators(visit)


async def try_rule(visit: Visit) -> Response:
    """Judge a rule over a text, and show the verdict."""
    form = visit.form
    phase, name = _SAID_BY.get(form.get("by", ""), _SAID_BY["agent"])
    context = {"phase": phase, name: form.get("text", "")}
    if visit.workspace:
        context["workspace_id"] = visit.workspace
    body: dict[str, object] = {"rule": form.get("rule", ""), "context": context}
    if form.get("evaluator"):
        body["evaluator"] = form["evaluator"]
    try:
        tried = await visit.send("POST", "/v1/evaluators/try", body)
    except Refused as refused:
        return await _evaluators(visit, refused=mendable(refused))
    return await _evaluators(visit, tried=tried)


async def _evaluators(visit: Visit, *, tried: Item | None = None, refused: Refused | None = None) -> Response:
    return visit.show(
        "settings/evaluators.html",
        refused=refused,
        found=await visit.get("/v1/evaluators"),
        form=visit.form,
        tried=tried,
    )


PAGES: Final[tuple[Page, ...]] = (shown(_HOME, evaluators), sent(_HOME, try_rule))
