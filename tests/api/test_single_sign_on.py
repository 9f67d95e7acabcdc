"""Single sign-on: who gets in by the word of the operator's OpenID provider, and who does not."""

import shutil

import pytest
import pytest_asyncio

from bylaw.core.clock import HOUR_MS, MINUTE_MS, ManualClock
from tests.api.oidc.issuer import LABEL, issuing
from tests.api.test_sessions import ADA, PASSWORD, server_at, set_up, sign_in, who

pytestmark = pytest.mark.asyncio(loop_scope="module")
BACK = "https://bylaw.test/sign-in/oidc/return"
KIM = "kim@example.com"


def at(clock, folder, empty_control, **given):
    """A server at `clock`, with the settings of an issuer."""
    (folder / "data").mkdir()
    shutil.copy(empty_control, folder / "data")
    return server_at(clock, folder, public_url="https://bylaw.test", **given)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory, empty_control):
    """A server that lets people in by an issuer, with the organisation Acme, whose owner is Ada."""
    clock = ManualClock()
    async with issuing() as issuer:
        given = issuer.given(lambda: clock.now_ms() / 1000)
        data = tmp_path_factory.mktemp("server")
        async with at(clock, data, empty_control, **given) as world:
            world.issuer, world.clock = issuer, clock
            tenant = (await set_up(world))["who"]["tenant"]["id"]
            key = {"name": "Ada's", "scopes": ["admin"]}
            world.keys["ada"] = (await world.make(f"/v1/tenants/{tenant}/keys", key, "operator"))["key"]
            yield world


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared):
    """That server an hour later, with an honest issuer, and Kim whom an admin added a moment ago."""
    shared.issuer.reset()
    shared.clock.advance(HOUR_MS)
    for each in (await shared.send("ada", "GET", "/v1/users")).json()["data"]:
        if each["email"] == KIM:
            await shared.send("ada", "DELETE", f"/v1/users/{each['id']}")
    kim = await shared.make("/v1/users", {"email": KIM, "name": "Kim"}, "ada")
    shared.ids["kim"], shared.issuer.email = kim["id"], KIM
    shared.issuer.subject = f"subject of {kim['id']}"
    return shared


async def begin(world):
    return await world.make("/v1/sign-in/oidc", {}, None)


async def back(world, **more):
    """What is answered to somebody who signs in at the issuer and comes back."""
    begun = await begin(world)
    to, query = world.issuer.signs_in(begun["address"])
    assert to == BACK
    body = {"ticket": begun["ticket"], **query, **more}
    return await world.send(None, "POST", "/v1/sign-in/oidc/code", json=body)


async def refused(world, status=401):
    found = await back(world)
    assert found.status_code == status, found.text
    assert "session" not in found.json()
    return found.json()["detail"]


async def test_the_ways_of_signing_in_are_told(world, server):
    ways = await world.send(None, "GET", "/v1/sign-in")
    assert ways.json() == {"takes_passwords": True, "single_sign_on": LABEL}
    assert (await server.send(None, "GET", "/v1/sign-in")).json() == {
        "takes_passwords": True,
        "single_sign_on": None,
    }
    for path, body in (("/v1/sign-in/oidc", {}), ("/v1/sign-in/oidc/code", {"ticket": "t"})):
        found = await server.send(None, "POST", path, json=body)
        assert (found.status_code, found.json()["reason"]) == (409, "no_single_sign_on")


async def test_a_person_whom_an_admin_added_is_let_in_as_by_a_password(world):
    made = (await back(world)).json()
    assert made["session"].startswith("bylaw_session_")
    assert made["who"]["user"] == {"id": world.ids["kim"], "email": KIM, "name": "Kim"}
    assert (made["who"]["key"]["name"], made["who"]["is_session"]) == (LABEL, True)
    assert not made["who"]["has_password"]
    assert await who(world, made["session"]) == made["who"]
    told = (await world.send("ada", "GET", "/v1/events")).json()["data"]
    assert [(each["noun"], each["change"]) for each in told[:2]] == [
        ("session", "created"),
        ("identity", "created"),
    ]
    assert (await back(world)).status_code == 201
    told = (await world.send("ada", "GET", "/v1/events")).json()["data"]
    assert [each["noun"] for each in told[:3]] == ["session", "session", "identity"]


async def test_who_came_as_somebody_is_signed_out_when_that_person_is_invited_anew(world):
    session = (await back(world)).json()["session"]
    await world.make(f"/v1/users/{world.ids['kim']}/invitation", {}, "ada")
    assert await who(world, session) == 401
    world.issuer.subject = "another subject"
    assert (await back(world)).status_code == 201


async def test_nobody_whom_no_admin_added_is_let_in(world):
    world.issuer.email = "eve@example.com"
    detail = await refused(world, 403)
    assert detail.startswith("eve@example.com is not known here. Ask an admin of your organisation")


async def test_whoever_gets_an_address_later_does_not_get_its_person(world):
    world.issuer.email = KIM.upper()
    assert (await back(world)).status_code == 201
    world.issuer.subject += " who came later"
    assert "to invite you anew" in await refused(world, 403)
    token = (await world.make(f"/v1/users/{world.ids['kim']}/invitation", {}, "ada"))["token"]
    made = await back(world)
    assert made.json()["who"]["user"]["id"] == world.ids["kim"]
    assert (
        await world.send(None, "POST", "/v1/password", json={"token": token, "password": PASSWORD})
    ).is_success


@pytest.mark.parametrize("address", ["\u212aim@example.com", "\u212aIM@EXAMPLE.COM"])
async def test_an_address_of_letters_that_look_alike_is_another_one(world, address):
    world.issuer.email = address  # with the sign for kelvin
    assert address.casefold() == KIM
    assert "is not known here" in await refused(world, 403)


async def test_a_person_stays_who_they_are_under_another_address(world):
    assert (await back(world)).status_code == 201
    world.issuer.email = "kim.later@example.com"
    assert (await back(world)).json()["who"]["user"]["id"] == world.ids["kim"]


async def test_a_person_who_was_removed_is_let_in_no_more_and_nor_in_place_of_another(world):
    made = (await back(world)).json()
    assert (await world.send("ada", "DELETE", f"/v1/users/{world.ids['kim']}")).is_success
    assert await who(world, made["session"]) == 401
    await refused(world, 403)
    anew = await world.make("/v1/users", {"email": KIM, "name": "Kim"}, "ada")
    assert (await back(world)).json()["who"]["user"]["id"] == anew["id"] != world.ids["kim"]


async def test_somebody_of_several_organisations_says_which_one(world):
    other = (await set_up(world, f"Org {world.clock.now_ms()}", KIM))["who"]
    found = await back(world)
    assert (found.status_code, found.json()["code"]) == (409, "choose_tenant")
    tenants = {each["id"] for each in found.json()["tenants"]}
    mine = (await who(world, world.keys["ada"]))["tenant"]["id"]
    assert {mine, other["tenant"]["id"]} <= tenants
    for tenant in (mine, other["tenant"]["id"]):
        body = {"ticket": found.json()["ticket"], "tenant_id": tenant}
        made = await world.send(None, "POST", "/v1/sign-in/oidc/code", json=body)
        assert made.json()["who"]["tenant"]["id"] == tenant
    body["tenant_id"] = "another"
    assert (await world.send(None, "POST", "/v1/sign-in/oidc/code", json=body)).status_code == 403
    world.clock.advance(11 * MINUTE_MS)
    assert (await world.send(None, "POST", "/v1/sign-in/oidc/code", json=body)).status_code == 401
    assert (await back(world, tenant_id=mine)).json()["who"]["user"]["id"] == world.ids["kim"]
    await world.send(made.json()["session"], "DELETE", f"/v1/users/{other['user']['id']}")
    world.issuer.email = f"done {world.clock.now_ms()}"


@pytest.mark.parametrize(
    ("claims", "why"),
    [({"aud": "another"}, "another application"), ({"email_verified": False}, "does not confirm")],
    ids=str,
)
async def test_a_token_that_does_not_fit_lets_nobody_in(world, claims, why):
    world.issuer.claims = claims
    assert why in await refused(world)
    world.issuer.claims = {}
    assert (await back(world)).status_code == 201


async def test_a_new_key_is_read_when_it_is_met_but_not_more_often_than_each_minute(world):
    issuer, path = world.issuer, "/jwks"
    assert (await back(world)).status_code == 201
    before = issuer.asked[path]
    for _ in range(3):
        assert (await back(world)).status_code == 201
    assert issuer.asked[path] == before
    issuer.kid = "unknown"
    assert "does not publish" in await refused(world)
    assert "does not publish" in await refused(world)
    assert issuer.asked[path] == before
    world.clock.advance(MINUTE_MS)
    issuer.rotate(kid="k2")
    assert (await back(world)).status_code == 201
    assert issuer.asked[path] == before + 1
    issuer.kid = ""  # one key alone needs no name
    world.clock.advance(MINUTE_MS)
    assert (await back(world)).status_code == 201


async def test_a_key_that_was_taken_back_signs_for_an_hour_at_most(world):
    assert (await back(world)).status_code == 201
    world.issuer.published = {}
    world.clock.advance(HOUR_MS)
    await refused(world)


async def test_nobody_is_signed_in_by_what_another_browser_began(world):
    mine, theirs = await begin(world), await begin(world)
    _, came = world.issuer.signs_in(theirs["address"])
    for sent in (
        {"ticket": mine["ticket"], **came},
        {"ticket": theirs["ticket"], **came, "state": "x"},
        {"ticket": theirs["ticket"], **came, "state": "ü"},
        {"ticket": "v1.none.none", **came},
        {"ticket": mine["ticket"][:-4], **came},
        {"ticket": mine["ticket"]},
        {"ticket": mine["ticket"], "code": came["code"]},
    ):
        found = await world.send(None, "POST", "/v1/sign-in/oidc/code", json=sent)
        assert (found.status_code, "began in another window" in found.text) == (401, True)
    sent = {"ticket": theirs["ticket"], **came}
    assert (await world.send(None, "POST", "/v1/sign-in/oidc/code", json=sent)).status_code == 201
    again = await world.send(None, "POST", "/v1/sign-in/oidc/code", json=sent)
    assert (again.status_code, "used already" in again.text) == (401, True)


async def test_a_sign_in_lasts_ten_minutes_and_a_code_is_of_its_own_sign_in(world):
    begun = await begin(world)
    _, came = world.issuer.signs_in(begun["address"])
    world.clock.advance(10 * MINUTE_MS)
    found = await world.send(None, "POST", "/v1/sign-in/oidc/code", json={"ticket": begun["ticket"], **came})
    assert found.status_code == 401
    mine, theirs = await begin(world), await begin(world)
    came = world.issuer.signs_in(mine["address"])[1] | {
        "code": world.issuer.signs_in(theirs["address"])[1]["code"]
    }
    found = await world.send(None, "POST", "/v1/sign-in/oidc/code", json={"ticket": mine["ticket"], **came})
    assert (found.status_code, "used already" in found.text) == (401, True)


async def test_an_issuer_that_is_out_of_order_is_said_to_be_and_nothing_is_kept_of_it(world):
    issuer = world.issuer
    for path, status, body, why in (
        ("/.well-known/openid-configuration", 500, b"", "status 500"),
        ("/.well-known/openid-configuration", 200, b"<html>", "cannot be read"),
        ("/.well-known/openid-configuration", 200, {"issuer": "x"}, "cannot be read"),
        ("/token", 401, {"error": "invalid_client"}, "refuses the client id or the secret"),
        ("/token", 500, b"", "status 500"),
        ("/token", 200, {}, "cannot be read"),
        ("/jwks", 404, b"", "status 404"),
    ):
        world.clock.advance(HOUR_MS)
        issuer.answers = {path: (status, body)}
        found = await (world.send(None, "POST", "/v1/sign-in/oidc") if "well" in path else back(world))
        assert (found.status_code, why in found.json()["detail"]) == (503, True), found.text
    issuer.answers = {"/jwks": (200, {"keys": [{"kid": {}}]})}
    assert "does not publish" in await refused(world)
    world.clock.advance(MINUTE_MS)
    issuer.answers = {}
    assert (await back(world)).status_code == 201


@pytest.mark.parametrize(
    ("doors", "why"),
    [
        ({"issuer": "https://elsewhere.example.com"}, "another name"),
        ({"token_endpoint": "http://elsewhere.example.com/token"}, "not https"),
        ({"jwks_uri": "file:///etc/passwd"}, "not https"),
        ({"token_endpoint": "https://["}, "not https"),
        ({"token_endpoint": "https://elsewhere.example.com:99999/"}, "not https"),
    ],
)
async def test_an_issuer_that_points_elsewhere_is_not_followed(world, doors, why):
    world.issuer.doors = doors
    world.clock.advance(HOUR_MS)
    found = await world.send(None, "POST", "/v1/sign-in/oidc")
    assert (found.status_code, why in found.json()["detail"]) == (503, True)


@pytest.mark.parametrize(("methods", "status"), [(["client_secret_post"], 201), (["private_key_jwt"], 503)])
async def test_the_secret_is_sent_as_the_issuer_takes_it(world, methods, status):
    world.issuer.doors = {"token_endpoint_auth_methods_supported": methods}
    world.clock.advance(HOUR_MS)
    assert (await back(world)).status_code == status


async def test_where_passwords_let_nobody_in_the_first_start_remains(tmp_path, empty_control):
    clock = ManualClock()
    async with issuing() as issuer:
        given = issuer.given(lambda: clock.now_ms() / 1000) | {"password_sign_in": False}
        async with at(clock, tmp_path, empty_control, **given) as world:
            world.issuer = issuer
            owner = (await set_up(world))["session"]
            assert not (await world.send(None, "GET", "/v1/sign-in")).json()["takes_passwords"]
            user = (await who(world, owner))["user"]["id"]
            token = (await world.make(f"/v1/users/{user}/invitation", {}, owner))["token"]
            tried = [
                await sign_in(world),
                await world.send(None, "POST", "/v1/password", json={"token": token, "password": PASSWORD}),
                await world.send(owner, "PUT", "/v1/password", json={"old": PASSWORD, "new": PASSWORD[::-1]}),
            ]
            assert [(each.status_code, each.json()["needs"]) for each in tried] == [
                (403, "single sign-on")
            ] * 3
            assert (await back(world)).json()["who"]["user"] == {"id": user, "email": ADA, "name": "Ada"}


async def test_an_issuer_that_does_not_answer_is_said_to_be_and_no_address_told(tmp_path, empty_control):
    async with issuing() as issuer:
        given = issuer.given(lambda: 0)
    async with at(ManualClock(), tmp_path, empty_control, **given) as world:
        found = await world.send(None, "POST", "/v1/sign-in/oidc")
        assert found.status_code == 503
        assert f"{LABEL} cannot be asked now. Nothing is lost" in found.json()["detail"]
