"""Sessions: signing in with a password or a key, what a session may, and how it ends."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from bylaw import settings
from bylaw.api.tracing import Untraced
from bylaw.app.server import join
from bylaw.core.clock import HOUR_MS, MINUTE_MS, ManualClock
from bylaw.core.ids import Ids
from bylaw.stores import open_stores
from bylaw.tenancy.passwords import Passwords
from bylaw.tenancy.sessions import MOST
from tests import postgres
from tests.api.conftest import World
from tests.contracts.values import workspace as workspace_of

PASSWORD = "nine green lanterns"
ADA = "ada@example.com"
WRONG = "The e-mail address and the password do not belong together here."


async def set_up(world, organisation="Acme", email=ADA, password=PASSWORD):
    """An organisation with its owner, who is signed in."""
    new = {"organisation": organisation, "name": "Ada", "email": email, "password": password}
    return await world.make("/v1/setup", new, "operator")


async def sign_in(world, email=ADA, password=PASSWORD, **more):
    return await world.send(None, "POST", "/v1/sign-in", json={"email": email, "password": password, **more})


async def who(world, session):
    found = await world.send(session, "GET", "/v1/session")
    return found.json() if found.status_code == 200 else found.status_code


async def colleague(world, owner, email="kim@example.com", **given):
    """A person of the owner's organisation, and the session in which they chose their password."""
    user = await world.make("/v1/users", {"email": email, "name": "Kim", **given}, owner)
    invited = await world.make(f"/v1/users/{user['id']}/invitation", {}, owner)
    chosen = {"token": invited["token"], "password": "seven loud harbours"}
    return user, (await world.make("/v1/password", chosen, None))["session"]


@asynccontextmanager
async def server_at(clock, tmp_path, **given):
    """A server whose time stands still until it is told."""
    async with AsyncExitStack() as stack:
        ids, chosen = Ids(clock), settings.build(data=tmp_path / "data", follow_ms=60_000, **given)
        stores = await open_stores(chosen, clock, ids, stack)
        app = await stack.enter_async_context(join(chosen, stores, clock=clock, ids=ids, tracer=Untraced()))
        yield World(app=app, keys={"operator": app.admin_key or ""})


async def test_the_first_start_asks_for_an_organisation_and_a_further_one_may_follow(server):
    assert (await server.send(None, "GET", "/v1/setup")).json() == {"is_needed": True}
    made = await set_up(server)
    assert made["session"].startswith("bylaw_session_")
    assert made["who"]["tenant"]["name"] == "Acme"
    assert made["who"]["user"] | {"id": ""} == {"id": "", "email": ADA, "name": "Ada"}
    assert "admin" in made["who"]["scopes"]
    assert made["who"]["has_password"]
    assert (await server.send(None, "GET", "/v1/setup")).json() == {"is_needed": False}
    other = await set_up(server, "Further", "eve@example.com")
    assert other["who"]["tenant"]["id"] != made["who"]["tenant"]["id"]


async def test_somebody_signs_in_works_and_signs_out(server):
    await set_up(server)
    made = (await sign_in(server, "ADA@example.com")).json()
    session = made["session"]
    assert await who(server, session) == made["who"]
    workspace = await server.make("/v1/workspaces", {"id": "w", "name": "Shop"}, session)
    assert [each["id"] for each in (await who(server, session))["workspaces"]] == [workspace["id"]]
    assert (await server.send(session, "DELETE", "/v1/session")).status_code == 204
    assert await who(server, session) == 401


async def test_that_there_are_more_workspaces_than_are_listed_is_said(server):
    session = (await set_up(server))["session"]
    tenant = (await who(server, session))["tenant"]["id"]
    assert not (await who(server, session))["has_more_workspaces"]
    async with server.app.stores.control.begin(tenant) as unit:
        for _ in range(501):
            await unit.tenancy.workspaces.add(workspace_of(tenant))
    told = await who(server, session)
    assert (len(told["workspaces"]), told["has_more_workspaces"]) == (500, True)


async def test_what_a_session_does_is_done_by_its_person_and_told_without_secrets(server):
    made = await set_up(server)
    session, user = made["session"], made["who"]["user"]["id"]
    await server.send(session, "DELETE", "/v1/session")
    session = (await sign_in(server)).json()["session"]
    found = await server.send(session, "GET", "/v1/events")
    told = [(each["noun"], each["change"], each["author"]) for each in found.json()["data"]]
    assert told[:4] == [
        ("session", "created", f"user:{user}"),
        ("session", "deleted", f"user:{user}"),
        ("session", "created", f"user:{user}"),
        ("password", "created", "system:bylaw"),
    ]
    for secret in (session, PASSWORD, "argon2", "sha256"):
        assert secret not in found.text


async def test_a_wrong_password_and_an_unknown_address_are_answered_alike(server, monkeypatch):
    await set_up(server)
    await set_up(server, "Further", "eve@example.com")
    compared = []
    fits = Passwords.fits

    async def counted(self, password, known):
        compared.append(known)
        return await fits(self, password, known)

    monkeypatch.setattr(Passwords, "fits", counted)
    tenant = (await sign_in(server)).json()["who"]["tenant"]["id"]
    answers, hashes = set(), []
    for email in (ADA, "eve@example.com", "nobody@example.com"):
        for more in ({}, {"tenant_id": tenant}):
            compared.clear()
            found = await sign_in(server, email, "a wrong password", **more)
            answers.add((found.status_code, found.json()["detail"]))
            hashes.append(len(compared))
    assert answers == {(401, WRONG)}
    assert hashes == [2, 1] * 3


async def test_one_password_in_several_organisations_asks_which_one(server):
    first = (await set_up(server))["who"]["tenant"]
    second = (await set_up(server, "Further"))["who"]["tenant"]
    await set_up(server, "Elsewhere", password="another green lantern")
    found = await sign_in(server)
    assert (found.status_code, found.json()["code"]) == (409, "choose_tenant")
    assert found.json()["tenants"] == [first, second]
    chosen = await sign_in(server, tenant_id=second["id"])
    assert chosen.json()["who"]["tenant"] == second
    assert (await sign_in(server, password="another green lantern")).status_code == 201


async def test_failures_take_from_the_pace_of_the_address_and_lock_nobody_out(tmp_path):
    clock = ManualClock()
    async with server_at(clock, tmp_path) as server:
        await set_up(server)
        assert [(await sign_in(server)).status_code for _ in range(12)] == [201] * 12
        tried = [(await sign_in(server, password="x")).status_code for _ in range(12)]
        assert tried == [401] * 10 + [429] * 2
        refused = await sign_in(server)
        assert refused.status_code == 429
        assert 60 <= int(refused.headers["retry-after"]) <= 91
        assert (await sign_in(server, "eve@example.com")).status_code == 401
        clock.advance(91_000)
        assert (await sign_in(server)).status_code == 201


async def test_signing_in_elsewhere_gives_no_more_guesses(tmp_path):
    async with server_at(ManualClock(), tmp_path) as server:
        acme = (await set_up(server))["who"]["tenant"]["id"]
        await set_up(server, "Eve's", "ADA@example.com", "a password of Eve")
        tried = []
        for _ in range(3):
            guesses = [await sign_in(server, password="x", tenant_id=acme) for _ in range(5)]
            tried += [each.status_code for each in guesses]
            await sign_in(server, password="a password of Eve")
        assert tried == [401] * 10 + [429] * 5


async def test_the_sessions_of_a_key_share_its_pace(inhabited):
    slow = {"name": "slow", "scopes": ["policy:read"], "rate_per_minute": 5}
    key = (await inhabited.make("/v1/keys", slow))["key"]
    sessions = [(await inhabited.make("/v1/sessions", {}, key))["session"] for _ in range(3)]
    found = [await inhabited.send(each, "GET", "/v1/policies") for each in (*sessions, key)]
    assert [each.status_code for each in found] == [200, 200, 429, 429]


async def test_a_session_ends_after_twelve_hours_and_after_one_without_use(tmp_path):
    clock = ManualClock()
    async with server_at(clock, tmp_path) as server:
        used = (await set_up(server))["session"]
        idle = (await sign_in(server)).json()["session"]
        clock.advance(HOUR_MS)
        assert isinstance(await who(server, used), dict)
        clock.advance(1)
        assert await who(server, idle) == 401
        assert isinstance(await who(server, used), dict)
        for _ in range(10):
            clock.advance(HOUR_MS)
            assert isinstance(await who(server, used), dict)
        clock.advance(HOUR_MS - 3)
        assert isinstance(await who(server, used), dict)
        clock.advance(2)
        assert await who(server, used) == 401
        # A day later nothing is left of either.
        clock.advance(25 * HOUR_MS)
        await server.app.upkeep.forgetting.forget()
        async with server.app.stores.control.system(writes=False) as system:
            assert not [key for key, _ in await system.keys() if key.is_session]


async def test_a_page_that_follows_by_itself_keeps_no_session(tmp_path):
    clock = ManualClock()
    async with server_at(clock, tmp_path) as server:
        sources = {"input#q": (await set_up(server))["session"]}
        sources["div#found"] = (await sign_in(server)).json()["session"]
        for _ in range(2):
            clock.advance(31 * MINUTE_MS)
            for source, session in sources.items():
                asked = {"cookie": f"bylaw-session={session}", "hx-request": "true", "hx-source": source}
                found = await server.send(None, "GET", "/receipts", headers=asked)
                led = found.headers.get("hx-redirect", "")
        assert led.startswith("/sign-in?")
        assert isinstance(await who(server, sources["input#q"]), dict)
        assert await who(server, sources["div#found"]) == 401


async def test_a_restart_ends_no_session_that_is_in_use(tmp_path):
    clock = ManualClock()
    async with server_at(clock, tmp_path) as server:
        session = (await set_up(server))["session"]
        clock.advance(50 * MINUTE_MS)
        await who(server, session)
    clock.advance(50 * MINUTE_MS)
    async with server_at(clock, tmp_path) as server:
        assert isinstance(await who(server, session), dict)


async def test_a_session_of_a_key_may_what_the_key_may_and_ends_with_it(inhabited):
    world = inhabited
    new = {"name": "narrow", "scopes": ["policy:read"], "workspace_id": "w1"}
    narrow = await world.make("/v1/keys", new)
    made = await world.make("/v1/sessions", {}, narrow["key"])
    session = made["session"]
    assert made["who"]["key"]["name"] == "narrow"
    assert (made["who"]["user"], made["who"]["scopes"]) == (None, [])
    assert made["who"]["workspaces"] == [{"id": "w1", "name": "w1", "scopes": ["policy:read"]}]
    assert (await world.send(session, "GET", "/v1/policies")).status_code == 200
    assert (await world.send(session, "GET", "/v1/receipts")).status_code == 403
    assert (await world.send(session, "GET", "/v1/workspaces/w2")).status_code == 404
    own = (await world.send(narrow["key"], "GET", "/v1/sessions")).json()["data"]
    assert [(each["id"], each["is_current"]) for each in own] == [(made_id(made, own), False)]
    await world.make(f"/v1/keys/{narrow['id']}/revoke", {})
    assert await who(world, session) == 401


def made_id(made, own):
    return next(each["id"] for each in own if each["expires_at"] == made["expires_at"])


async def test_a_session_of_a_key_expires_with_it_and_follows_its_repo(tmp_path):
    clock = ManualClock()
    async with server_at(clock, tmp_path) as server:
        owner = (await set_up(server))["session"]
        for ident in ("a", "b"):
            await server.make("/v1/workspaces", {"id": ident, "name": ident}, owner)
        repo = await server.make("/v1/workspaces/a/repos", {"name": "code"}, owner)
        soon = "2026-01-01T00:30:00Z"
        new = {"name": "k", "scopes": ["policy:read"], "expires_at": soon}
        new |= {"workspace_id": "a", "repo_id": repo["id"]}
        made = await server.make("/v1/sessions", {}, (await server.make("/v1/keys", new, owner))["key"])
        assert made["expires_at"] == "2026-01-01T00:30:00.000Z"
        moved = await server.send(owner, "PATCH", f"/v1/repos/{repo['id']}", json={"workspace_id": "b"})
        assert moved.status_code == 200, moved.text
        assert [each["id"] for each in (await who(server, made["session"]))["workspaces"]] == ["b"]
        clock.advance(30 * MINUTE_MS)
        assert await who(server, made["session"]) == 401


async def test_neither_a_session_nor_a_key_of_the_gateway_opens_a_session(inhabited):
    session = (await inhabited.make("/v1/sessions", {}))["session"]
    for caller in (session, "application"):
        found = await inhabited.send(caller, "POST", "/v1/sessions")
        assert (found.status_code, found.json()["needs"]) == (403, "an API key")
    found = await inhabited.send("admin", "DELETE", "/v1/session")
    assert (found.status_code, found.json()["reason"]) == (409, "no_session")


async def test_sessions_are_not_among_the_keys(inhabited):
    session = (await inhabited.make("/v1/sessions", {}))["session"]
    ident = (await who(inhabited, session))["key"]["id"]
    for path in ("/v1/keys", "/api/api-keys"):
        found = await inhabited.send("admin", "GET", path)
        assert ident not in found.text, path
    assert (await inhabited.send("admin", "GET", f"/v1/keys/{ident}")).status_code == 404
    assert (await inhabited.send("admin", "POST", f"/v1/keys/{ident}/revoke")).status_code == 404


async def test_people_end_their_own_sessions_and_administrators_those_of_others(server):
    owner = (await set_up(server))["session"]
    kim, session = await colleague(server, owner)
    (own,) = (await server.send(session, "GET", "/v1/sessions")).json()["data"]
    assert (own["user_id"], own["is_current"]) == (kim["id"], True)
    theirs = (await who(server, owner))["key"]["id"]
    assert (await server.send(session, "DELETE", f"/v1/sessions/{theirs}")).status_code == 404
    ada = (await who(server, owner))["user"]["id"]
    assert (await server.send(session, "GET", f"/v1/sessions?user_id={ada}")).status_code == 403
    listed = (await server.send(owner, "GET", f"/v1/sessions?user_id={kim['id']}")).json()["data"]
    assert [each["id"] for each in listed] == [own["id"]]
    assert (await server.send(owner, "DELETE", f"/v1/sessions/{own['id']}")).status_code == 204
    assert await who(server, session) == 401


@pytest.mark.parametrize("how", ["removed", "demoted", "left a workspace"])
async def test_whoever_may_less_than_before_signs_in_again(server, how):
    owner = (await set_up(server))["session"]
    await server.make("/v1/workspaces", {"id": "w", "name": "Shop"}, owner)
    kim, session = await colleague(server, owner, org_role="WORKSPACES")
    path = f"/v1/users/{kim['id']}"
    await server.make(f"{path}/workspaces/w", {"role": "WRITE"}, owner, "PUT")
    assert isinstance(await who(server, session), dict)
    if how == "removed":
        await server.send(owner, "DELETE", path)
        await server.send(owner, "POST", f"{path}/restore")
    elif how == "demoted":
        await server.send(owner, "PATCH", path, json={"org_role": "USER"})
    else:
        await server.send(owner, "PUT", f"{path}/workspaces/w", json={"role": "READ"})
    assert await who(server, session) == 401
    assert (await sign_in(server, "kim@example.com", "seven loud harbours")).status_code == 201


async def test_who_may_everything_loses_nothing_with_a_workspace(server):
    made = await set_up(server)
    owner, path = made["session"], f"/v1/users/{made['who']['user']['id']}/workspaces/w"
    await server.make("/v1/workspaces", {"id": "w", "name": "Shop"}, owner)
    await server.make(path, {"role": "ADMIN"}, owner, "PUT")
    kim, _ = await colleague(server, owner)
    await server.make(f"/v1/users/{kim['id']}/workspaces/w", {"role": "ADMIN"}, owner, "PUT")
    kims = (await sign_in(server, "kim@example.com", "seven loud harbours")).json()["session"]
    assert (await server.send(kims, "DELETE", path)).status_code == 200
    assert isinstance(await who(server, owner), dict)


@pytest.mark.parametrize("separate", [False, True])
async def test_whoever_writes_is_told_to_approve_only_where_that_takes_no_second_person(server, separate):
    owner = (await set_up(server))["session"]
    await server.make("/v1/workspaces", {"id": "w", "name": "Shop", "separate_approvers": separate}, owner)
    kim, _ = await colleague(server, owner)
    await server.make(f"/v1/users/{kim['id']}/workspaces/w", {"role": "WRITE"}, owner, "PUT")
    (place,) = (await sign_in(server, "kim@example.com", "seven loud harbours")).json()["who"]["workspaces"]
    assert ("policy:approve" in place["scopes"]) is not separate


async def test_the_kept_answer_of_a_repeated_request_holds_no_session(server):
    key = {"idempotency-key": "once"}
    first, again = [await server.send("operator", "POST", "/v1/sessions", headers=key) for _ in range(2)]
    assert first.json()["session"].startswith("bylaw_session_")
    assert again.json() == first.json() | {"session": None}
    new = {"organisation": "Acme", "name": "Ada", "email": ADA, "password": PASSWORD}
    first, again = [
        await server.send("operator", "POST", "/v1/setup", headers=key | {"idempotency-key": "org"}, json=new)
        for _ in range(2)
    ]
    assert again.json() == first.json() | {"session": None}
    assert PASSWORD not in again.text


async def test_two_servers_agree_about_a_session_within_a_round(postgres_server, tmp_path):
    clock = ManualClock()
    with postgres.fresh_database(postgres_server) as url:
        given = {"database": postgres.plain(url), "admin_key": "sf_live_v1_" + "a" * 32}
        ones = server_at(clock, tmp_path / "one", key_file=str(tmp_path / "one.json"), **given)
        others = server_at(clock, tmp_path / "two", key_file=str(tmp_path / "two.json"), **given)
        async with ones as one, others as two:
            one.keys["operator"] = two.keys["operator"] = given["admin_key"]
            session = (await set_up(one))["session"]
            await two.app.upkeep.follower.catch_up()
            for _ in range(3):  # only one of them is used
                clock.advance(50 * MINUTE_MS)
                assert isinstance(await who(one, session), dict)
                await one.app.upkeep.write_notes()
                await two.app.upkeep.write_notes()
            assert isinstance(await who(two, session), dict)
            await one.send(session, "DELETE", "/v1/session")
            await two.app.upkeep.follower.catch_up()
            assert await who(two, session) == 401


async def test_many_sign_ins_at_once_are_refused_and_nothing_else_waits(server):
    await set_up(server)
    found = await asyncio.gather(*(sign_in(server, f"{n}@example.com", "x") for n in range(60)))
    statuses = [each.status_code for each in found]
    assert set(statuses) == {401, 429}
    refused = found[statuses.index(429)]
    assert int(refused.headers["retry-after"]) >= 1
    assert (await sign_in(server)).status_code == 201


async def test_of_one_key_only_so_many_sessions_go_on_at_once(server):
    opened = [(await server.make("/v1/sessions", {}, "operator"))["session"] for _ in range(MOST + 1)]
    answers = [await server.send(each, "GET", "/v1/session") for each in (opened[0], opened[1], opened[-1])]
    assert [each.status_code for each in answers] == [401, 200, 200]
