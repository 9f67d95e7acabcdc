"""What the pages about the contracts of others say is what the server answers, and nothing is unexplained."""

import ast
import json
import re

import msgspec
import pytest

from tests.compat.exchanges import (
    FAMILIES,
    FOLDER,
    contract_of,
    played,
    recorded_of,
    route_of,
    routes_of,
)
from tests.compat.pages import PAGES, objects_of, page

each_family = pytest.mark.parametrize("family", FAMILIES)


@each_family
async def test_every_exchange_is_answered_as_it_was_recorded(family):
    now, then = await played(family), recorded_of(family)
    assert [each.when for each in now] == [each.when for each in then], "python -m tests.compat.pages"
    differing = [(was, found) for found, was in zip(now, then, strict=True) if was != found]
    assert differing == []


@each_family
def test_the_page_is_what_was_recorded(family):
    assert (PAGES / f"{family}.md").read_text(encoding="utf-8") == page(family), "run `make docs`"


@each_family
def test_every_route_is_named_and_tried(family):
    routes, contract = routes_of(family), contract_of(family)
    assert list(contract.routes) == [name for name in contract.routes if name in routes]
    assert set(routes) - set(contract.routes) == set(), "say in contract.yaml why they are served"
    statuses = {name: set() for name in routes}
    for each in recorded_of(family):
        statuses[route_of(each.request, routes)].add(each.status)
    for name, served in contract.routes.items():
        assert bool(served.contract) != bool(served.added), name
        assert set(served.contract) - statuses[name] == set(), f"{name} was not seen to answer so"
        assert routes[name].status in statuses[name], f"{name} was not seen to succeed"


def told_of(family):
    """Every object of the family's answers: its fields in order."""
    found = {}
    for each in routes_of(family).values():
        for kind in (each.gives, each.fails_with):
            found |= {} if kind is None else objects_of(kind)
    return found


@each_family
def test_every_field_of_an_answer_is_of_the_contract_or_explained(family):
    told, answers = told_of(family), contract_of(family).answers
    assert set(told) == set(answers)
    for name, fields in answers.items():
        served = [key for key in fields.contract.split() if key not in fields.unserved]
        assert [key for key in told[name] if key not in fields.additions] == served, name
        assert fields.additions <= set(told[name]), name
        assert all((fields.added | fields.unserved).values()), name


@each_family
def test_every_recorded_answer_is_of_its_type_key_for_key(family):
    routes = routes_of(family)
    for each in recorded_of(family):
        route = routes[route_of(each.request, routes)]
        kind = route.gives if each.status == route.status else route.fails_with
        if kind is not None and each.answer and not each.answer.startswith("text/html"):
            read = msgspec.json.encode(msgspec.json.decode(each.answer, type=kind))
            assert in_order(read) == in_order(each.answer)


def in_order(text):
    """JSON whose objects are equal only when their keys come in one order."""
    return json.loads(text, object_pairs_hook=list)


# What each contract's list of acceptance counts: statuses, rows and rules; numbers; what parity asks for.
ITEMS = {
    "ohallo": ["ok", "400", "401", "403", "404", *"ABCDEFGHIJKLMNOPQ", *(f"edge {n}" for n in range(1, 10))],
    "flashback": [str(n) for n in range(1, 17)],
    "agentcert": [
        "receipts", "verify", "get, list, anchor", "key", "policies", "binding", "versions", "is_active",
        "policy_rules", "/openapi.json", "MCP", "/r", "levels", "supersets",
    ],
}  # fmt: skip


def asserts(path, name):
    """Whether a test of that name is there and says what must hold."""
    tree = ast.parse((FOLDER / path).read_text(encoding="utf-8"))
    for each in tree.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name:
            return re.search(r"\bassert\b|\brefused\(|\braises\(", ast.unparse(each)) is not None
    return False


@each_family
def test_every_item_of_acceptance_is_held_by_tests(family):
    contract = contract_of(family)
    items = [each.item for each in contract.acceptance]
    assert items == [*ITEMS[family], "one core"]
    for each in contract.acceptance:
        assert each.tests, each.item
        for test in each.tests:
            path, _, name = test.partition("::")
            assert asserts(path, name), f"{each.item}: {test}"
