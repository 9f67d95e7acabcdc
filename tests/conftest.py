"""Fixtures for every test: a real PostgreSQL."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import postgres

# No test asserts wall time: an example may be as slow as the machine is busy.
settings.register_profile("bylaw", deadline=None)
settings.load_profile("bylaw")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server, as a role that may create databases; started once per worker."""
    if url := os.environ.get("BYLAW_TEST_POSTGRES_URL"):
        yield url
        return
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="module")
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database that belongs to this test module."""
    with postgres.fresh_database(postgres_server) as url:
        yield url
