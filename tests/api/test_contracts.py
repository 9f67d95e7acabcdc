"""All contracts are one application: no route of one stands in the way of another's."""

import re
from itertools import combinations

import httpx
import pytest
from starlette.routing import compile_path

from bylaw.api.contracts import FAMILIES, described
from tests.api.conftest import World


def matches(route, path):
    return compile_path(route.path)[0].match(path) is not None


def filled(route):
    return re.sub(r"\{\w+\}", "~", route.path)


def test_no_two_routes_collide():
    collisions = [
        (one.path, other.path)
        for one, other in combinations(described(), 2)
        if one.method == other.method and one.family != other.family
        if matches(one, filled(other)) or matches(other, filled(one))
    ]
    assert collisions == []


def test_every_path_begins_as_its_family_says():
    prefixes = {prefix: family.name for family in FAMILIES for prefix in family.prefixes}
    for route in described():
        longest = max((each for each in prefixes if route.path.startswith(each)), key=len)
        owner = route.family if route.family in prefixes.values() else "native"  # one may lie among ours
        assert prefixes[longest] == owner, route.path


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
async def test_what_is_not_there_is_answered_in_the_words_of_the_family(server: World, family):
    for prefix in family.prefixes:
        found: httpx.Response = await server.send("admin", "GET", f"{prefix}no/such/thing")
        assert (found.status_code, found.headers["x-error-code"]) == (404, "not_found")
        assert set(family.fails_with.__struct_fields__) >= set(found.json())


async def test_a_method_that_a_hot_path_lacks_is_told_with_those_it_has(server: World):
    found = await server.send("admin", "GET", "/v1/decisions")
    assert (found.status_code, found.headers["allow"]) == (405, "POST")
