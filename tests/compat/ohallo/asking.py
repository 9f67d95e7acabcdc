"""What the tests of oHallo's contract ask for again and again."""

from tests.api.conftest import World

ENTRIES = "/api/workspaces/shop/policy-entries"
SALE = {"topic": "discounts", "ruleText": "Never promise a discount above 15% without a manager."}


def entry(ident: str) -> str:
    """The path of one entry."""
    return f"/api/policy-entries/{ident}"


async def made(world: World, caller: str = "writer", **said) -> dict:
    """A new entry in the workspace shop."""
    return await world.make(ENTRIES, {**SALE, **said}, caller)


async def read(world: World, ident: str) -> dict:
    """One entry."""
    found = await world.send("reader", "GET", entry(ident))
    assert found.status_code == 200, found.text
    return found.json()


async def listed(world: World, query: str = "", path: str = ENTRIES) -> list[dict]:
    """The items of a list."""
    found = await world.send("reader", "GET", path + query)
    assert found.status_code == 200, found.text
    return found.json()["items"]


async def status_of(world: World, method: str, path: str, body=None, caller: str = "writer") -> int:
    """The status of an answer."""
    return (await world.send(caller, method, path, json=body)).status_code
