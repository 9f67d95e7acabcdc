"""The learning loop on every store, with hashed n-grams for vectors: no model has to be installed."""

import pytest

from bylaw.core.ids import WorkspaceId
from tests.contracts.conftest import clock, migrated_url, store
from tests.contracts.values import A, workspace
from tests.learning.loop import Loop

__all__ = ["clock", "migrated_url", "store"]


@pytest.fixture
async def loop(store, clock):
    """A loop over an empty workspace; what is found needs little confidence."""
    loop = Loop(store, clock)
    async with store.begin(A) as unit:
        for ident in ("w", "v"):
            await unit.tenancy.workspaces.add(workspace(id=WorkspaceId(ident)))
    await loop.choose(minimum_confidence=0.3)
    return loop
