"""A repo moved with all in it, conversations included."""

from dataclasses import replace
from typing import Protocol

from bylaw.core.ids import RepoId, WorkspaceId
from bylaw.core.paging import every
from bylaw.learning.model import Conversation
from bylaw.learning.store import ConversationFilter, LearningUnit
from bylaw.policies import places
from bylaw.policies.store import PolicyUnit
from bylaw.tenancy.model import Place, Repo
from bylaw.tenancy.places import read_repo
from bylaw.tenancy.principal import Acting


class MovingUnit(LearningUnit, PolicyUnit, Protocol):
    """One transaction of one tenant, as far as moving a repo needs it."""


async def move_repo(acting: Acting[MovingUnit], repo_id: RepoId, workspace_id: WorkspaceId) -> Repo:
    """Put a repo into another workspace and return it. Raises: as `policies.places.move_repo`."""
    repo = await read_repo(acting, repo_id)
    if repo.workspace_id == workspace_id:
        return repo
    where = ConversationFilter(repo_id=repo.id, deleted=True)
    held = [each async for each in every(lambda part: acting.unit.conversations.list(where, part))]
    # No row may name a repo where it is not, so they wait in its workspace while it moves.
    old = Place(workspace_id=repo.workspace_id)
    waiting = [await _put(acting, each, old) for each in held]
    moved = await places.move_repo(acting, repo_id, workspace_id)
    there = Place(workspace_id=moved.workspace_id, repo_id=moved.id)
    for each in waiting:
        await _put(acting, each, there)
    return moved


async def _put(acting: Acting[MovingUnit], conversation: Conversation, place: Place) -> Conversation:
    there = replace(conversation, place=place, revision=conversation.revision + 1)
    await acting.unit.conversations.save(there)
    return there
