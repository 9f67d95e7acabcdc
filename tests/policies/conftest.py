import pytest

from bylaw.tenancy.places import WorkspaceChange, change_workspace, create_repo, create_workspace
from tests.memory_unit import MemoryUnit, acting_as


@pytest.fixture
async def unit() -> MemoryUnit:
    """A tenant: w1 as usual, w2 reviews edits, w3 separates approvers; r1 is a repo of w1."""
    unit = MemoryUnit()
    root = acting_as(unit)
    for name in ("w1", "w2", "w3"):
        await create_workspace(root, name, workspace_id=name)
    await create_repo(root, "w1", name="r1", repo_id="r1")
    await change_workspace(root, "w2", WorkspaceChange(review_edits=True), revision=None)
    await change_workspace(root, "w3", WorkspaceChange(separate_approvers=True), revision=None)
    unit.outbox.entries.clear()
    return unit


@pytest.fixture
def root(unit):
    return acting_as(unit)
