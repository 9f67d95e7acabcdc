"""The learning loop on every store, with hashed n-grams for vectors: no model has to be installed."""

import pytest_asyncio

from bylaw.core.ids import WorkspaceId
from tests.contracts.conftest import clock, kept, kept_postgres, kept_sqlite, store
from tests.contracts.values import A, workspace
from tests.learning.loop import Loop

__all__ = ["clock", "kept", "kept_postgres", "kept_sqlite", "store"]


@pytest_asyncio.fixture(loop_scope="session")
async def loop(store, clock):
    """A loop over an empty workspace; what is found needs little confidence."""
    loop = Loop(store, clock)
    async with store.begin(A) as unit:
        for ident in ("w", "v"):
            await unit.tenancy.workspaces.add(workspace(id=WorkspaceId(ident)))
    await loop.choose(minimum_confidence=0.3)
    return loop
