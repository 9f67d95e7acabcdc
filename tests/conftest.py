"""Fixtures for every test: a real PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_asyncio import is_async_test

from bylaw.storage.control import open_database
from bylaw.storage.migrations import history
from tests import postgres

# No test asserts wall time: an example may be as slow as the machine is busy.
settings.register_profile("bylaw", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bylaw")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests with what is opened once, a database or a browser, in the event loop that it is of."""
    for item in items:
        if is_async_test(item) and "one_loop" in item.fixturenames:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def one_loop() -> None:
    """What a fixture asks for whose tests have to share the event loop of the session."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server, as a role that may create databases; started once per worker."""
    if url := os.environ.get("BYLAW_TEST_POSTGRES_URL"):
        yield url
        return
    # What these tests store need not outlive the machine.
    with postgres.postmaster("-c", "fsync=off") as running:
        yield running.url


@pytest.fixture(scope="module")
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database that belongs to this test module."""
    with postgres.fresh_database(postgres_server) as url:
        yield url


async def upgraded(url: str) -> None:
    """Give a database the whole schema."""
    database = open_database(url)
    try:
        await history.upgrade(database)
    finally:
        await database.close()


@pytest.fixture(scope="session")
def empty_control(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the whole schema of the control plane and no rows, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "control.db"
    postgres.apart(lambda: upgraded(f"sqlite:///{path}"))
    return path
