"""Agents: who acts, what is enforced on each, and the policy that each is bound to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, cast
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.receipts import policies_in
from bylaw.dashboard.visit import Visit

_ORDER: Final = {"none": 0, "logged": 1, "enforced": 2}
_MOST_PAGES: Final = 10  # of the API's list: of more agents the newest are looked through, and others named
_SHOWN: Final = 50
_DIGITS: Final = 9
_RECENT: Final = "200"
# How many names of policies a page of agents repeats at most; beyond, each agent's own page has them.
_MOST_NAMES: Final = 2_000


async def agents(visit: Visit) -> Response:
    """Show the agents, those on which nothing is enforced first; or the form that registers one."""
    if "new" in visit.request.query_params:
        return await _registering(visit)
    return await _listed(visit)


async def change_agents(visit: Visit) -> Response:
    """Register an agent, or bind one that is listed."""
    if visit.form.get("do") == "register":
        try:
            made = await visit.once("/v1/agents", _new(visit.form))
        except Refused as refused:
            return await _registering(visit, mendable(refused))
        return visit.go(address(made["id"]), said=f"{made['id']} is registered.")
    try:
        said = await _bound(visit, visit.form.get("agent_id", ""))
    except Refused as refused:
        return await _listed(visit, mendable(refused))
    return visit.go(_again(visit), said=said)


async def agent(visit: Visit) -> Response:
    """Show one agent: what governs it, what it did, and how it calls the server."""
    return await _one(visit)


async def change_agent(visit: Visit) -> Response:
    """Bind one agent, register it, or change what it is called."""
    ident = visit.request.path_params["agent_id"]
    try:
        match visit.form.get("do"):
            case "register":
                await visit.send("POST", "/v1/agents", {**_new(visit.form), "id": ident})
                said = f"{ident} is registered."
            case "change":
                change = {
                    "name": visit.form.get("name", ""),
                    "require_policy": "require_policy" in visit.form,
                }
                revision = visit.form.get("revision", "")
                await visit.send("PATCH", f"/v1/agents/{ident}", change, revision=revision)
                said = "The agent is changed."
            case _:
                said = await _bound(visit, ident)
    except Refused as refused:
        return await _one(visit, mendable(refused))
    return visit.go(address(ident), said=said)


def address(ident: object) -> str:
    """Return the address of an agent's page, whatever its id holds."""
    return f"/agents/{quote(str(ident), safe='')}"


async def _bound(visit: Visit, ident: str) -> str:
    """Bind an agent as the form says, and return what happened."""
    policy_id, revision = visit.form.get("policy_id", ""), visit.form.get("revision", "")
    if not policy_id:
        await visit.send("DELETE", f"/v1/bindings/{ident}", revision=revision)
        return f"No policy is bound to {ident} any more."
    bound = await visit.send("PUT", f"/v1/bindings/{ident}", {"policy_id": policy_id}, revision=revision)
    if not bound["policy_in_force"]:
        return f"{ident} is bound, but the policy is not in force yet: it governs nothing."
    return f"{ident} is bound: the policy governs it from now on."


async def _listed(visit: Visit, refused: Refused | None = None) -> Response:
    query = visit.request.query_params
    asked = {name: query.get(name, "") for name in ("q", "enforcement")}
    everyone, is_more = await _every(visit, asked["q"])
    found = sorted(
        (each for each in everyone if _is_wanted(each, asked, visit.workspace)),
        key=lambda each: (_ORDER[str(each["enforcement"])], str(each["id"])),
    )
    said = query.get("first", "")
    first = int(said) if said.isdecimal() and len(said) < _DIGITS else 0
    listed = found[first : first + _SHOWN]
    policies = await _bindable(visit)
    return visit.show(
        "agents/list.html",
        refused=refused,
        agents=listed,
        address=address,
        total=len(found),
        everyone=len(everyone),
        is_more=is_more,
        first=first,
        following=first + _SHOWN if first + _SHOWN < len(found) else 0,
        counts=Counter(str(each["enforcement"]) for each in everyone),
        recent=_by_agent(await _decisions(visit, None, _RECENT)),
        policies=policies,
        names=dict(policies),
        has_choices=len(policies) * len(listed) <= _MOST_NAMES,
        asked=asked,
    )


async def _one(visit: Visit, refused: Refused | None = None) -> Response:
    ident = visit.request.path_params["agent_id"]
    is_typed = refused is not None and visit.form.get("do") != "bind"
    asked = await visit.ask("GET", f"/v1/agents/{ident}")
    found = cast("Item", asked.data)
    governing: Item = {"data": None}
    if visit.may("policy:read"):
        place = {name: str(found[name]) for name in ("workspace_id", "repo_id") if found[name]}
        governing = await visit.get("/v1/effective-policies", agent_id=ident, limit="50", **place)
    decisions = await _decisions(visit, ident, "10")
    return visit.show(
        "agents/one.html",
        refused=refused,
        form=visit.form if is_typed else {},
        requires="require_policy" in visit.form if is_typed else found["require_policy"],
        agent=found,
        revision=asked.etag,
        governing=governing,
        names=await policies_in(visit, decisions),
        decisions=decisions,
        policies=await _bindable(visit),
        call=_call(visit, ident),
        here=address(ident),
    )


async def _registering(visit: Visit, refused: Refused | None = None) -> Response:
    return visit.show(
        "agents/new.html",
        refused=refused,
        detail="" if refused is None or refused.errors else refused.detail,
        form=visit.form,
        workspaces=[(each["id"], each["name"]) for each in items(visit.who, "workspaces")],
        policies=await _bindable(visit),
    )


async def _every(visit: Visit, named: str) -> tuple[Sequence[Item], bool]:
    """Return the agents that the person may see up to a limit, with the one that is `named`; and if more are.

    The list is ordered by what is enforced, which the API tells of the agents that it lists alone.
    """
    every: dict[object, Item] = {}
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        found = await visit.get("/v1/agents", limit="500", cursor=cursor)
        every |= {each["id"]: each for each in items(found, "data")}
        if not found["next_cursor"]:
            return tuple(every.values()), False
        cursor = str(found["next_cursor"])
    if named and named not in every:
        found = await visit.find(f"/v1/agents/{named}")
        every |= {named: found} if found else {}
    return tuple(every.values()), True


async def _bindable(visit: Visit) -> list[tuple[str, str]]:
    """Return the policies that may be bound, by id with a name; none for whoever may not read them."""
    if not visit.may("policy:read"):
        return []
    found = await visit.get("/v1/policies", reach="bound", limit="500")
    return [(str(each["id"]), _named(each)) for each in items(found, "data")]


def _named(policy: Item) -> str:
    return f"{policy['name']}" if policy["is_in_force"] else f"{policy['name']} (not in force)"


async def _decisions(visit: Visit, ident: str | None, limit: str) -> Sequence[Item]:
    """Return the latest decisions, of one agent if it is named; none for whoever may not read them."""
    if not visit.may("receipts:read"):
        return ()
    found = await visit.get("/v1/receipts", kind="decision", agent_id=ident, limit=limit)
    return items(found, "data")


def _by_agent(decisions: Sequence[Item]) -> Mapping[str, Item]:
    """Return what the latest decisions came to, by agent: when the last was, and how many of each outcome."""
    outcomes: dict[str, Counter[str]] = {}
    latest: dict[str, str] = {}
    for each in decisions:
        ident = str(each["agent_id"])
        latest.setdefault(ident, str(each["issued_at"]))
        outcomes.setdefault(ident, Counter())[str(each["outcome"])] += 1
        outcomes[ident]["ungoverned"] += each["posture"] == "ungoverned"
    return {ident: {"at": latest[ident], "outcomes": outcomes[ident]} for ident in latest}


def _is_wanted(found: Item, asked: Mapping[str, str], workspace: str) -> bool:
    words = f"{found['id']} {found['name']}".casefold()
    return (
        asked["q"].casefold() in words
        and asked["enforcement"] in {"", found["enforcement"]}
        and (not workspace or found["workspace_id"] in {None, workspace})
    )


def _new(form: Mapping[str, str]) -> dict[str, object]:
    """Return what the form asks to register."""
    new: dict[str, object] = {
        "id": form.get("id", "").strip(),
        "name": form.get("name", "").strip(),
        "require_policy": "require_policy" in form,
    }
    return new | {name: form[name] for name in ("workspace_id", "policy_id") if form.get(name)}


def _call(visit: Visit, ident: str) -> str:
    """Return a line for a shell that asks about an action of the agent."""
    asked = {
        "agent_id": ident,
        "phase": "tool_call",
        "tool_call": {"name": "pay_invoice", "arguments": {"amount": 120}},
    }
    body = msgspec.json.encode(asked).decode().replace("'", "'\\''")
    return (
        f"curl {visit.address}/v1/decisions \\\n"
        '  -H "Authorization: Bearer $BYLAW_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{body}'"
    )


def _again(visit: Visit) -> str:
    """Return the address of the list as it was."""
    query = visit.request.url.query
    return f"/agents?{query}" if query else "/agents"


PAGES: Final[tuple[Page, ...]] = (
    shown("/agents", agents),
    sent("/agents", change_agents),
    shown("/agents/{agent_id:path}", agent),
    sent("/agents/{agent_id:path}", change_agent),
)
