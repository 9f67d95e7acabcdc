"""Invitations and passwords: who may invite whom, one use each, and what ends with them."""

import asyncio

import pytest

from bylaw.core.clock import HOUR_MS, ManualClock
from tests.api.test_sessions import PASSWORD, colleague, server_at, set_up, sign_in, who

CHOSEN = "seven loud harbours"


async def invite(world, caller, user_id):
    return await world.send(caller, "POST", f"/v1/users/{user_id}/invitation")


async def choose(world, token, password=CHOSEN):
    return await world.send(None, "POST", "/v1/password", json={"token": token, "password": password})


async def newcomer(world, owner, **given):
    new = {"email": "kim@example.com", "name": "Kim"} | given
    return await world.make("/v1/users", new, owner)


async def test_an_invited_person_chooses_a_password_and_is_in(server):
    owner = (await set_up(server))["session"]
    user = await newcomer(server, owner)
    invited = (await invite(server, owner, user["id"])).json()
    assert (await sign_in(server, user["email"], CHOSEN)).status_code == 401
    made = (await choose(server, invited["token"])).json()
    assert (made["who"]["user"]["id"], made["who"]["scopes"]) == (user["id"], ["policy:read"])
    assert (await sign_in(server, user["email"], CHOSEN)).status_code == 201
    again = await choose(server, invited["token"])
    assert (again.status_code, again.json()["code"]) == (401, "unauthenticated")
    told = await server.send(owner, "GET", "/v1/events?noun=invitation")
    assert [(each["id"], each["change"]) for each in told.json()["data"]] == [(user["id"], "created")]
    assert invited["token"] not in told.text


async def test_an_invitation_lasts_three_days_and_gives_way_to_a_new_one(tmp_path):
    clock = ManualClock()
    async with server_at(clock, tmp_path) as server:
        owner = (await set_up(server))["session"]
        user = await newcomer(server, owner)
        first, second = [(await invite(server, owner, user["id"])).json() for _ in range(2)]
        assert second["expires_at"] == "2026-01-04T00:00:00.000Z"
        assert (await choose(server, first["token"])).status_code == 401
        clock.advance(72 * HOUR_MS)
        assert (await choose(server, second["token"])).status_code == 401
        owner = (await sign_in(server)).json()["session"]
        third = (await invite(server, owner, user["id"])).json()
        clock.advance(72 * HOUR_MS - 1)
        assert (await choose(server, third["token"])).status_code == 201


async def test_a_password_that_may_not_be_chosen_leaves_the_invitation_open(server):
    owner = (await set_up(server))["session"]
    user = await newcomer(server, owner)
    token = (await invite(server, owner, user["id"])).json()["token"]
    for password in ("short", "kim@example.com", "password1234"):
        found = await choose(server, token, password)
        assert (found.status_code, found.json()["errors"][0]["path"]) == (422, "password")
    assert (await choose(server, token)).status_code == 201


async def test_of_two_uses_of_one_invitation_one_wins(server):
    owner = (await set_up(server))["session"]
    user = await newcomer(server, owner)
    token = (await invite(server, owner, user["id"])).json()["token"]
    words = ["seven loud harbours", "eight calm rivers too"]
    found = await asyncio.gather(*(choose(server, token, each) for each in words))
    assert sorted(each.status_code for each in found) == [201, 401]
    fits = [(await sign_in(server, user["email"], each)).status_code for each in words]
    assert fits == [each.status_code for each in found]


async def test_nobody_invites_somebody_above_them_or_without_the_scope(server):
    made = await set_up(server)
    owner, ada = made["session"], made["who"]["user"]["id"]
    kim, session = await colleague(server, owner)
    lee, leading = await colleague(server, owner, "lee@example.com", org_role="WORKSPACES")
    assert (await invite(server, session, lee["id"])).status_code == 403
    assert (await invite(server, leading, ada)).status_code == 403
    assert (await invite(server, leading, kim["id"])).status_code == 201
    assert (await invite(server, owner, "nobody")).status_code == 404


@pytest.mark.parametrize("how", ["removed", "used"])
async def test_an_invitation_of_somebody_who_is_gone_does_not_open(server, how):
    owner = (await set_up(server))["session"]
    user = await newcomer(server, owner)
    token = (await invite(server, owner, user["id"])).json()["token"]
    if how == "removed":
        await server.send(owner, "DELETE", f"/v1/users/{user['id']}")
    else:
        await choose(server, token)
    assert (await choose(server, token)).status_code == 401


async def test_an_invitation_resets_a_password_and_ends_the_sessions_of_before(server):
    owner = (await set_up(server))["session"]
    kim, session = await colleague(server, owner)
    token = (await invite(server, owner, kim["id"])).json()["token"]
    assert isinstance(await who(server, session), dict)
    made = (await choose(server, token, "eight calm rivers too")).json()
    assert await who(server, session) == 401
    assert isinstance(await who(server, made["session"]), dict)
    assert (await sign_in(server, kim["email"], CHOSEN)).status_code == 401


async def test_people_change_their_own_password_and_stay_signed_in_here(server):
    here = (await set_up(server))["session"]
    there = (await sign_in(server)).json()["session"]
    wrong = await server.send(here, "PUT", "/v1/password", json={"old": "x", "new": CHOSEN})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "wrong_password")
    weak = await server.send(here, "PUT", "/v1/password", json={"old": PASSWORD, "new": "password1234"})
    assert weak.json()["errors"][0]["path"] == "new"
    done = await server.send(here, "PUT", "/v1/password", json={"old": PASSWORD, "new": CHOSEN})
    assert (done.status_code, done.content) == (204, b"")
    assert isinstance(await who(server, here), dict)
    assert await who(server, there) == 401
    assert (await sign_in(server)).status_code == 401
    assert (await sign_in(server, password=CHOSEN)).status_code == 201
    told = (await server.send(here, "GET", "/v1/events?noun=password")).json()["data"]
    assert [each["change"] for each in told] == ["updated", "created"]


async def test_a_stolen_session_cannot_guess_the_password_fast(server):
    session = (await set_up(server))["session"]
    body = {"old": "x", "new": CHOSEN}
    found = [(await server.send(session, "PUT", "/v1/password", json=body)).status_code for _ in range(12)]
    assert found == [422] * 10 + [429] * 2


async def test_a_key_changes_nobodys_password(server):
    owner = (await set_up(server))["session"]
    kim, _ = await colleague(server, owner)
    new = {"name": "Kim's", "scopes": ["admin"], "user_id": kim["id"]}
    key = (await server.make("/v1/keys", new, owner))["key"]
    body = {"old": CHOSEN, "new": "eight calm rivers too"}
    for caller in (key, "operator"):
        found = await server.send(caller, "PUT", "/v1/password", json=body)
        assert (found.status_code, found.json()["needs"]) == (403, "a session")
    session = (await server.make("/v1/sessions", {}, key))["session"]
    assert (await server.send(session, "PUT", "/v1/password", json=body)).status_code == 204
