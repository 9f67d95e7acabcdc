"""A server with a tenant, and callers that know Agent Cert's contract only: a base URL and a key."""

import pytest_asyncio

from tests.api.conftest import template  # noqa: F401 - a fixture


@pytest_asyncio.fixture(loop_scope="module")
async def world(tmp_path, template):  # noqa: F811
    async with template.running(tmp_path / "data") as made:
        yield made
