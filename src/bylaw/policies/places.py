"""Places together with what they hold: deleted with their policies, and a repo moved with all in it."""

from dataclasses import replace

from bylaw.core.ids import RepoId, WorkspaceId
from bylaw.core.paging import every
from bylaw.policies.entries import Changed, store, touched
from bylaw.policies.lifecycle import delete_policies_in
from bylaw.policies.model import Current
from bylaw.policies.store import PolicyFilter, PolicyUnit
from bylaw.tenancy import places
from bylaw.tenancy.model import Agent, ApiKey, Place, Repo, Workspace
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import save_next


async def delete_workspace(acting: Acting[PolicyUnit], workspace_id: WorkspaceId) -> Workspace:
    """Delete a workspace together with its policies and return it.

    Raises: Conflict (`not_empty`) while it holds repos or agents; Conflict (`still_bound`).
    """
    await places.read_workspace(acting, workspace_id)
    await delete_policies_in(acting, Place(workspace_id=workspace_id), reason="deleted with its workspace")
    return await places.delete_workspace(acting, workspace_id)


async def delete_repo(acting: Acting[PolicyUnit], repo_id: RepoId) -> Repo:
    """Delete a repo together with its policies and return it.

    Raises: Conflict (`not_empty`) while it holds agents; Conflict (`still_bound`).
    """
    repo = await places.read_repo(acting, repo_id)
    place = Place(workspace_id=repo.workspace_id, repo_id=repo.id)
    await delete_policies_in(acting, place, reason="deleted with its repo")
    return await places.delete_repo(acting, repo_id)


async def move_repo(acting: Acting[PolicyUnit], repo_id: RepoId, workspace_id: WorkspaceId) -> Repo:
    """Put a repo into another workspace and return it; its policies, keys and agents come along.

    The policies of the new workspace govern it from now on, those of the old one no longer.
    Raises: Forbidden without the right to write policies and places in both; NotFound.
    """
    repo = await places.read_repo(acting, repo_id)
    workspace = await places.read_workspace(acting, workspace_id)
    if repo.workspace_id == workspace.id:
        return repo
    old, new = (Place(workspace_id=each) for each in (repo.workspace_id, workspace.id))
    for scope in ("workspaces:write", "policy:write"):
        acting.principal.require(scope, old)
        acting.principal.require(scope, new)
    here = Place(workspace_id=repo.workspace_id, repo_id=repo.id)
    there = Place(workspace_id=workspace.id, repo_id=repo.id)
    # No row may name a repo where it is not, so what lies in it waits in its workspace while it moves.
    policies = await _take_out_policies(acting, here, old)
    keys = [await _save_key(acting, each, old) for each in await _keys(acting, here)]
    agents = [await _save_agent(acting, each, old) for each in await _agents(acting, here)]
    moved = replace(repo, workspace_id=workspace.id)
    moved = await save_next(acting, repo, moved, save=acting.unit.tenancy.repos.save)
    await store(acting, [_moved(acting, each, there) for each in policies])
    for key in keys:
        await _save_key(acting, key, there)
    for agent in agents:
        await _save_agent(acting, agent, there)
    return moved


async def _take_out_policies(acting: Acting[PolicyUnit], here: Place, old: Place) -> list[Current]:
    """Store every policy of a repo, deleted ones too, as one of its workspace; return them so."""
    where = PolicyFilter(place=here, match="exact", include_deleted=True)
    held = [each async for each in every(lambda part: acting.unit.policies.list(where, part))]
    taken = [
        replace(each, policy=replace(each.policy, place=old, revision=each.policy.revision + 1))
        for each in held
    ]
    await acting.unit.policies.save_all([(each.policy, None) for each in taken])
    return taken


def _moved(acting: Acting[PolicyUnit], current: Current, there: Place) -> Changed:
    policy = replace(touched(acting, current.policy), place=there)
    return Changed(policy=policy, version=current.version, change="moved", reason="moved with its repo")


async def _keys(acting: Acting[PolicyUnit], here: Place) -> list[ApiKey]:
    return [each async for each in every(lambda part: acting.unit.tenancy.keys.list(part, within=here))]


async def _agents(acting: Acting[PolicyUnit], here: Place) -> list[Agent]:
    near = every(lambda part: acting.unit.tenancy.agents.list(part, readable=(here,)))
    return [each async for each in near if each.place == here]


async def _save_key(acting: Acting[PolicyUnit], key: ApiKey, place: Place) -> ApiKey:
    return await save_next(acting, key, replace(key, place=place), save=acting.unit.tenancy.keys.save)


async def _save_agent(acting: Acting[PolicyUnit], agent: Agent, place: Place) -> Agent:
    return await save_next(acting, agent, replace(agent, place=place), save=acting.unit.tenancy.agents.save)
