"""A server with a tenant, and callers that know Agent Cert's contract only: a base URL and a key."""

import pytest_asyncio

from bylaw import settings
from bylaw.app import build
from tests.api.conftest import World, populate


@pytest_asyncio.fixture(loop_scope="module")
async def world(tmp_path):
    async with build(settings.build(data=tmp_path / "data")) as app:
        made = World(app=app)
        await populate(made)
        yield made
