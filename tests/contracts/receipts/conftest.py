import pytest

from tests import postgres
from tests.contracts.receipts.shelf import Shelf


def pytest_generate_tests(metafunc):
    if {"shelf", "ledger"} & set(metafunc.fixturenames):
        durable = metafunc.definition.get_closest_marker("durable") is not None
        kinds = ["sqlite", "postgres"] if durable else ["memory", "sqlite", "postgres"]
        metafunc.parametrize("shelf", kinds, indirect=True)


@pytest.fixture
async def shelf(request, tmp_path):
    place = tmp_path
    if request.param == "postgres":
        place = postgres.plain(request.getfixturevalue("postgres_url"))
        await postgres.execute(place, "DROP SCHEMA IF EXISTS ledger CASCADE")
    found = Shelf(request.param, place)
    yield found
    await found.close()


@pytest.fixture
async def ledger(shelf):
    return await shelf.open()
