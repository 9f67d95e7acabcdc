"""Signing in at the operator's OpenID provider, and being in several organisations at once."""

import shutil
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio

from bylaw.core.clock import HOUR_MS, MINUTE_MS, ManualClock
from tests.api.oidc.issuer import issuing
from tests.api.test_sessions import ADA, PASSWORD, server_at, set_up

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL, KIM = "http://bylaw.test", "kim@example.com"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory, empty_control):
    """A server with an issuer; Ada owns Acme and Borealis, and Acme knows Kim."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "data").mkdir()
    shutil.copy(empty_control, folder / "data")
    clock = ManualClock()
    async with issuing() as issuer:
        given = issuer.given(lambda: clock.now_ms() / 1000) | {"public_url": URL}
        async with server_at(clock, folder, **given) as made:
            made.issuer, made.clock = issuer, clock
            for name in ("Acme", "Borealis"):
                owner = (await set_up(made, name))["session"]
                await made.make("/v1/workspaces", {"name": f"Shop of {name}"}, owner)
                if name == "Acme":
                    await made.make("/v1/users", {"email": KIM, "name": "Kim"}, owner)
            yield made


@pytest.fixture
def issuer(world):
    world.issuer.reset()
    return world.issuer


def browser_of(world):
    """A browser without a window: it keeps cookies and follows nothing by itself."""
    transport = httpx.ASGITransport(world.app.asgi)
    return httpx.AsyncClient(transport=transport, base_url=URL, headers={"accept": "text/html"})


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(world):
    async with browser_of(world) as client:
        yield client


def person(issuer, email):
    issuer.email, issuer.subject = email, f"subject of {email}"


async def led(world, visitor, path="/sign-in/oidc"):
    """Where the provider sends somebody back who leaves from `path`."""
    left = await visitor.get(path)
    assert left.status_code == 303
    to, query = world.issuer.signs_in(left.headers["location"])
    return f"{to}?{urlencode(query)}"


def mark_of(page):
    return page.text.split('name="mark" value="')[1].split('"')[0]


async def test_nobody_is_signed_in_by_a_link_that_somebody_else_began(world, visitor, issuer):
    person(issuer, KIM)
    link = await led(world, visitor)
    async with browser_of(world) as victim:
        for _ in range(2):
            found = await victim.get(link)
            assert (found.status_code, "began in another window" in found.text) == (401, True)
            assert "bylaw-session" not in victim.cookies
            await led(world, victim)  # their own sign-in, which is under way, does not fit either
    assert (await visitor.get(link)).headers["location"] == "/"
    assert visitor.cookies["bylaw-session"].startswith("bylaw_session_")
    assert "bylaw-ticket" not in visitor.cookies
    found = await visitor.get(link)  # a second time
    assert (found.status_code, "began in another window" in found.text) == (401, True)


@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "//["]
)
async def test_coming_back_leads_to_no_other_site(world, visitor, issuer, elsewhere):
    person(issuer, KIM)
    found = await visitor.get(await led(world, visitor, f"/sign-in/oidc?next={elsewhere}"))
    assert (found.status_code, found.headers["location"]) == (303, "/")


async def test_every_failure_is_told_with_the_ways_that_are_left(world, visitor, issuer):
    async def told(status):
        found = await visitor.get(await led(world, visitor, "/sign-in/oidc?next=/agents"))
        assert found.status_code == status
        assert 'href="/sign-in/oidc?next=%2Fagents"' in found.text
        assert "bylaw-session" not in visitor.cookies
        return found.text

    person(issuer, "eve@example.com")
    assert "eve@example.com is not known here. Ask an admin" in await told(403)
    person(issuer, KIM)
    issuer.denies = True
    assert "Signing in was broken off" in await told(401)
    issuer.denies, issuer.claims = False, {"aud": "another"}
    assert "meant for another application" in await told(401)
    issuer.claims, issuer.answers = {}, {"/token": (500, b"")}
    assert "Tell whoever runs this server" in await told(503)
    issuer.answers = {"/.well-known/openid-configuration": (500, b"")}
    world.clock.advance(2 * HOUR_MS)
    found = await visitor.get("/sign-in/oidc")
    assert (found.status_code, "status 500" in found.text) == (503, True)
    issuer.answers = {}
    link = await led(world, visitor)
    world.clock.advance(11 * MINUTE_MS)
    assert "too long ago" in (await visitor.get(link)).text


async def test_a_session_opens_no_other_organisation(world, visitor):
    found = await world.send(None, "POST", "/v1/sign-in", json={"email": ADA, "password": PASSWORD})
    acme, borealis = (each["id"] for each in found.json()["tenants"])
    sent = {"email": ADA, "password": PASSWORD, "tenant_id": acme}
    assert (await visitor.post("/sign-in", data=sent)).status_code == 303
    session = visitor.cookies["bylaw-session"]
    forged = f"{session}!{borealis}!Borealis"
    visitor.cookies.set("bylaw-others", forged)
    page = await visitor.get("/")
    mark = mark_of(page)
    assert (await visitor.post("/organisation", data={"tenant": borealis})).status_code == 403  # no mark
    assert (await visitor.post("/organisation", data={"tenant": borealis, "mark": mark})).status_code == 303
    assert "Shop of Borealis" not in (await visitor.get("/")).text
    assert "Shop of Acme" in (await visitor.get("/")).text


async def test_a_link_for_somebody_else_leads_where_the_server_is_whoever_asks(world, visitor):
    acme = (await world.send(None, "POST", "/v1/sign-in", json={"email": ADA, "password": PASSWORD})).json()
    sent = {"email": ADA, "password": PASSWORD, "tenant_id": acme["tenants"][0]["id"]}
    assert (await visitor.post("/sign-in", data=sent)).status_code == 303
    mark = mark_of(await visitor.get("/"))
    new = {"mark": mark, "name": "Sam", "email": "sam@example.com", "org_role": "USER"}
    answer = await visitor.post("/settings/people/new", data=new, headers={"host": "elsewhere.example"})
    assert f"{URL}/invitation?token=" in answer.text
    assert "elsewhere.example" not in answer.text


async def test_a_session_that_is_over_is_said_to_be_and_the_one_in_use_stays(world, visitor):
    made = await world.send(None, "POST", "/v1/sign-in", json={"email": ADA, "password": PASSWORD})
    for each in made.json()["tenants"]:
        body = {"email": ADA, "password": PASSWORD, "tenant_id": each["id"]}
        if "bylaw-session" in visitor.cookies:
            page = await visitor.get("/sign-in?another=")
            body["mark"] = mark_of(page)
        assert (await visitor.post("/sign-in", data=body)).status_code == 303
    other = visitor.cookies["bylaw-others"].strip('"').split("!")[0]
    await world.send(other, "DELETE", "/v1/session")
    page = await visitor.get("/")
    mark = mark_of(page)
    sent = {"tenant": made.json()["tenants"][0]["id"], "mark": mark}
    answer = await visitor.post("/organisation", data=sent)
    assert answer.headers["location"] == "/sign-in?another="
    page = await visitor.get("/sign-in?another=")
    assert "Your session of Acme is over. Sign in again." in page.text
    assert "Go back to Borealis" in page.text
    assert "bylaw-others" not in visitor.cookies
    assert (await visitor.get("/")).status_code == 200
