"""Every route against every kind of caller: a new route without an example or an id fails here."""

import json
import re
from dataclasses import dataclass, field
from time import time

import msgspec
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute

from bylaw import settings
from bylaw.api.contracts import FAMILIES, described
from bylaw.api.problems import ProblemBody, body_of_status
from bylaw.app import build
from tests.api.conftest import World, belongings, populate
from tests.api.oidc.issuer import Issuer, issuing
from tests.gateway.scripted import scripted

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = described()
FAMILY = {family.name: family for family in FAMILIES}
IDS = [f"{route.method} {route.path}" for route in ROUTES]
GUARDED = [route for route in ROUTES if route.access != "anonymous"]
WRITING = [route for route in ROUTES if route.takes is not None]
every = pytest.mark.parametrize("route", ROUTES, ids=IDS)
guarded = pytest.mark.parametrize("route", GUARDED, ids=[f"{r.method} {r.path}" for r in GUARDED])
writing = pytest.mark.parametrize("route", WRITING, ids=[f"{r.method} {r.path}" for r in WRITING])


@dataclass
class IssuedWorld(World):
    """A server whose people may come from an OpenID provider."""

    issuer: Issuer = field(default_factory=Issuer)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("server")
    async with scripted() as provider, issuing() as issuer:
        given = issuer.given(time) | {"public_url": "https://bylaw.test"}
        async with build(settings.build(data=data, **given)) as app:
            made = IssuedWorld(app=app, endpoint=provider.url, issuer=issuer)
            await populate(made)
            yield made


async def test_every_route_that_is_served_is_one_of_these(world):
    edge = world.app.asgi
    # MCP has routes of its own kind: tests/compat/agentcert/test_mcp.py tries them.
    served = {(method, path) for method, path in edge._hot if not path.startswith("/mcp")}
    for route in edge._app._api.routes:
        assert isinstance(route, APIRoute), f"{route} is not described, so nothing here tries it"
        assert len(route.methods) == 1, f"{route.path} hides a method"
        served |= {(method, route.path_format) for method in route.methods}
    assert served == {(route.method, route.path) for route in ROUTES}


# A route whose body may name something that lies elsewhere, with each field that does; what only filters a
# list finds nothing there.
NAMING = [
    (route, field)
    for route in WRITING
    if "{" not in route.path and route.access != "operator" and route.path != "/systemevent"
    for field in ("workspace_id", "repo_id", "policy_id")
    if field in route.takes.__struct_fields__
]


@pytest.mark.parametrize("caller", ["stranger", "neighbour"])
@pytest.mark.parametrize(("route", "field"), NAMING, ids=[f"{r.path} {field}" for r, field in NAMING])
async def test_nobody_reaches_another_place_through_a_body(world, caller, route, field):
    body = {**example_of(route), name_of(route, field): world.ids[field]}
    if field == "repo_id":
        body["workspace_id"] = world.ids["workspace_id"]
    if "id" in body:
        body["id"] = f"{caller}-{field}"
    found = await world.send(caller, route.method, route.path, json=body)
    fails(found, route, found.status_code)
    assert found.status_code in {403, 404}, found.text


def path_of(route, ids):
    path = route.path + QUERIES.get(route.path, "")
    return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)


def body_of(route, ids, *, fresh=""):
    """The documented example, with ids that exist where it names others, and new ones for new things."""
    if route.takes is None:
        return None
    body = example_of(route)
    for name in ("workspace_id", "user_id", "policy_id", "agent_id", "receipt_id"):
        for written in {name, name_of(route, name)} & set(body):
            body[written] = ids[name]
    for name in {"token", "ticket", "state", "code"} & set(body):
        body[name] = ids.get(name, "nobody's")
    for written in {"repo_id", name_of(route, "repo_id")}:
        if body.get(written) is not None:
            body[written] = ids["repo_id"]
    if fresh and "id" in body:
        body["id"] = fresh
    if fresh and "email" in body:
        body["email"] = f"{fresh}@example.com"
    return body


# What a route needs in its query.
QUERIES = {
    "/policy": "?orgId={tenant_id}",
    "/api/workspaces/{workspace_id}/policy-entries/search": "?q=refund",
    "/v1/policies/{policy_id}/diff": "?old=1&new=1",
    "/v2/stats/policies": "?scope=org&window=24h",
    "/v2/stats/policies/tokens": "?scope=org&window=24h",
    "/v2/stats/policies/breakdown/rules": "?window=24h",
    "/v2/stats/policies/breakdown/users": "?window=24h",
    "/v1/log/checkpoints": "?log={log}",
    "/v1/log/checkpoints.txt": "?log={log}&above=1&limit=2",
    "/v1/log/consistency": "?log={log}&old_size=1&size=2",
}


def names_a_tenant(route):
    """Whether a route of a tenant's own says which tenant that is."""
    return "{tenant_id}" in route.path + QUERIES.get(route.path, "")


def name_of(route, field):
    """The name under which a field of the body goes over the wire."""
    names = {each.name: each.encode_name for each in msgspec.structs.fields(route.takes)}
    return names.get(field, field)


def example_of(route):
    return json.loads(json.dumps(FAMILY[route.family].examples.whole[route.takes.__name__]))


def fails(found, route, status, code=None):
    """Return the body of a failure, which is as the route's family shows what is natively `status`."""
    dress = FAMILY[route.family].dress
    assert found.status_code == dress(body_of_status(status, "", "")).status, found.text
    assert found.status_code in route.may_fail | {413, 415}
    assert found.headers["x-request-id"]
    assert code is None or found.headers["x-error-code"] == code
    body = found.json()
    if route.fails_with is ProblemBody:
        assert found.headers["content-type"] == "application/problem+json"
        assert (body["status"], body["request_id"]) == (status, found.headers["x-request-id"])
        assert body["code"] == found.headers["x-error-code"]
    else:
        assert found.headers["content-type"].startswith("application/json")
        msgspec.json.decode(found.content, type=route.fails_with)
    return body


async def send(world, caller, route, **options):
    if route.takes is not None and "content" not in options:
        options["json"] = body_of(route, world.ids)
    return await world.send(caller, route.method, path_of(route, world.ids), **options)


@guarded
async def test_nobody_gets_in_without_a_key(world, route):
    found = await send(world, None, route)
    fails(found, route, 401, "unauthenticated")
    assert "Authorization: Bearer" in found.text


@guarded
async def test_nobody_gets_in_with_a_key_that_is_none(world, route):
    found = await send(world, "sf_live_v1_nothing-that-was-ever-made", route)
    fails(found, route, 401, "unauthenticated")
    assert found.headers["www-authenticate"].startswith("Bearer")


# Whoever watches the server asks these, also while strangers are too fast.
WATCHED = {"/healthz", "/readyz", "/metrics"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slow(tmp_path_factory):
    """A server that answers each address without a key once."""
    async with build(settings.build(data=tmp_path_factory.mktemp("slow"), address_per_minute=1)) as app:
        yield World(app=app)


@pytest.mark.parametrize(
    ("index", "route"), list(enumerate(r for r in ROUTES if r.access == "anonymous")), ids=str
)
async def test_every_route_without_a_key_has_a_pace(slow, world, index, route):
    headers = {"x-forwarded-for": f"198.51.100.{index}"}
    path = path_of(route, world.ids)
    first, second = [await slow.send(None, route.method, path, headers=headers) for _ in range(2)]
    if route.path in WATCHED:
        assert (first.status_code, second.status_code) == (200, 200)
        return
    assert first.status_code != 429
    fails(second, route, 429, "rate_limited")
    assert int(second.headers["retry-after"]) >= 1
    assert 429 in route.may_fail


@pytest.mark.parametrize(
    "route", [r for r in GUARDED if r.access in {"scope", "operator"}], ids=lambda r: f"{r.method} {r.path}"
)
async def test_a_key_without_the_scope_is_told_which_is_missing(world, route):
    found = await send(world, "nobody", route)
    body = fails(found, route, 403, "forbidden")
    assert route.scope in found.text
    assert route.family != "native" or body["needs"] == route.scope


@guarded
async def test_another_tenant_finds_nothing(world, route):
    if route.access == "operator":
        fails(await send(world, "stranger", route), route, 403)
        return
    if names_a_tenant(route) or route.scope == APPLICATION:
        fails(await send(world, "stranger", route), route, 403, "forbidden")
    elif "{" in route.path:
        fails(await send(world, "stranger", route), route, 404, "not_found")
    elif route.method == "GET":
        found = await send(world, "stranger", route)
        assert found.status_code == 200
        told = found.text.replace("\\", "")
        of_all = {"number", "kid", "log", "model"}  # anybody may know the log and its key, and a name
        assert all(f'"{ident}"' not in told for name, ident in world.ids.items() if name not in of_all)


@guarded
async def test_a_key_of_another_workspace_cannot_reach_this_one(world, route):
    if route.access == "operator" or "{" not in route.path:
        return
    if names_a_tenant(route) and route.method == "GET":
        return  # it is theirs too
    found = await send(world, "neighbour", route)
    assert found.status_code in {403, 404}, found.text
    fails(found, route, found.status_code)


@writing
async def test_a_body_that_is_not_json_is_refused(world, route):
    options = {"content": b'{"name": ', "headers": {"content-type": "application/json"}}
    caller = "operator" if route.access == "operator" else "admin"
    body = fails(await send(world, caller, route, **options), route, 400, "invalid_input")
    assert route.family != "native" or body["errors"][0]["code"] == "malformed_json"


@pytest.mark.parametrize(
    "route", [r for r in WRITING if r.family == "native"], ids=lambda r: f"{r.method} {r.path}"
)
async def test_an_unknown_field_is_named(world, route):
    caller = "operator" if route.access == "operator" else "admin"
    options = {"content": b'{"no_such_field": 1}', "headers": {"content-type": "application/json"}}
    body = fails(await send(world, caller, route, **options), route, 422)
    assert "no_such_field" in [each["path"] for each in body["errors"]]


@writing
async def test_a_body_that_is_no_object_is_refused(world, route):
    caller = "operator" if route.access == "operator" else "admin"
    options = {"content": b"[]", "headers": {"content-type": "application/json"}}
    fails(await send(world, caller, route, **options), route, 422)


@every
async def test_another_content_type_is_refused(world, route):
    options = {"content": b"a=b", "headers": {"content-type": "application/x-www-form-urlencoded"}}
    fails(await send(world, "operator", route, **options), route, 415)


@every
async def test_an_oversized_body_is_refused(world, route):
    options = {"content": b" " * (1 << 20) + b"{}", "headers": {"content-type": "application/json"}}
    found = await send(world, "operator", route, **options)
    body = fails(found, route, 413, "too_large")
    assert route.family != "native" or body["limit"] == 1 << 20
    assert found.headers["connection"] == "close"


@every
async def test_the_documented_example_is_answered_as_documented(world, route, request):
    ids = world.ids
    if route.method != "GET":  # what it changes, or takes away, is its own
        ids = ids | await belongings(world, re.findall(r"\{(\w+)\}", route.path))
    fresh = f"fresh-{abs(hash(request.node.name))}"
    if (
        route.path.endswith(("/workspaces/{workspace_id}", "/workspace/{workspace_id}"))
        and route.method == "DELETE"
    ):
        ids["workspace_id"] = (await world.make("/v1/workspaces", {"name": "empty"}))["id"]
    caller = CALLERS.get(route.access) or CALLERS.get(route.scope) or CALLERS.get(route.tag) or "admin"
    if (route.method, route.path) in OF_A_PERSON:
        caller, ids["token"] = await _person(world, f"{fresh}@example.com")
    if route.path in BEFORE:
        await BEFORE[route.path](world, ids)
    found = await world.send(caller, route.method, path_of(route, ids), json=body_of(route, ids, fresh=fresh))
    assert found.status_code == route.status, found.text
    if route.status == 204:
        assert found.content == b""
    else:
        assert found.headers["content-type"].split(";")[0] == route.media_type
    assert found.headers["x-request-id"]


async def _pending(world, ids):
    rules = [{"expr": "true"}]
    body = {"name": "proposed", "rules": rules, "status": "pending_review", "workspace_id": "w1"}
    ids["policy_id"] = ids["entry_id"] = (await world.make("/v1/policies", body))["id"]


async def _archived(world, ids):
    for ident in {ids["policy_id"], ids["entry_id"]} - set(world.ids.values()):
        await world.make(f"/v1/policies/{ident}/archive", {})


# What only the key of an application may ask for: that of an administrator is of another kind.
APPLICATION = "gateway:use"
# Who carries out an example, by what its route asks for; everything else an administrator does.
CALLERS = {"operator": "operator", APPLICATION: "application", "approvals": "approver"}


async def _person(world, email):
    """Return the session of somebody who has a password, and an invitation to choose another."""
    new = {"organisation": "Theirs", "name": "Ada", "email": email, "password": "nine green lanterns"}
    made = await world.make("/v1/setup", new, "operator")
    user_id = made["who"]["user"]["id"]
    return made["session"], (await world.make(f"/v1/users/{user_id}/invitation", {}, made["session"]))[
        "token"
    ]


# What only somebody does who has a password.
OF_A_PERSON = {
    ("POST", "/v1/sign-in"),
    ("DELETE", "/v1/session"),
    ("POST", "/v1/password"),
    ("PUT", "/v1/password"),
}


async def _begun(world, ids):
    begun = await world.make("/conversation", {"repoId": world.ids["calm_repo_id"]})
    ids["conversation_id"] = begun["conversationId"]


async def _came_back(world, ids):
    begun = await world.make("/v1/sign-in/oidc", {}, None)
    _, query = world.issuer.signs_in(begun["address"])
    ids |= {"ticket": begun["ticket"], **query}
    await world.make("/v1/users", {"email": world.issuer.email, "name": "Ada"})


async def _of_writers(world, ids):
    """Have something wait that has hands of its own, and the person of the example be able to see to it."""
    role = f"/v1/users/{ids['user_id']}/workspaces/w1"
    await world.make(role, {"role": "WRITE"}, method="PUT")
    name = f"asks {ids['user_id']}"
    policy = {"name": name, "rules": [{"expr": "false"}], "workspace_id": "w1", "action": "review"}
    policy = await world.make("/v1/policies", policy)
    made = await world.make("/v1/decisions", {"workspace_id": "w1", "phase": "output", "agent_output": "x"})
    await world.make(f"/v1/policies/{policy['id']}/archive", {})
    ids["attention_id"] = next(each["id"] for each in made["obligations"] if each["kind"] == "attention")


# What has to be so before a route can do what it does.
BEFORE = {
    "/v1/attention/{attention_id}/assignee": _of_writers,
    "/v1/attention/{attention_id}/comments": _of_writers,
    "/v1/approvals/{approval_id}/assignee": _of_writers,
    "/v1/sign-in/oidc/code": _came_back,
    "/conversation/{conversation_id}": _begun,
    "/conversation/{conversation_id}/messages": _begun,
    "/conversation/{conversation_id}/prompt": _begun,
    "/v1/policies/{policy_id}/approve": _pending,
    "/v1/policies/{policy_id}/reject": _pending,
    "/v1/policies/{policy_id}/restore": _archived,
    "/api/policy-entries/{entry_id}/reject": _pending,
    "/api/policy-entries/{entry_id}/restore": _archived,
}
