"""Keys for the gateway: what an application of a repo calls models with, and can do nothing else with.

Whoever may write agents in a repo may give its applications such keys: none holds more than `gateway:use`
there, so nobody hands on what they do not have.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bylaw.core.errors import NotFound
from bylaw.core.ids import KeyId, RepoId
from bylaw.core.paging import every
from bylaw.tenancy.keys import KeySpec, MintedKey, new_raw, store_key
from bylaw.tenancy.model import ApiKey, Place, Provider
from bylaw.tenancy.naming import checked_name
from bylaw.tenancy.places import read_repo
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import save_next
from bylaw.tenancy.store import TenancyUnit

READS: Final = "agents:read"
WRITES: Final = "agents:write"
_SCOPE: Final = "gateway:use"


async def mint_gateway_key(
    acting: Acting[TenancyUnit], repo_id: RepoId, *, name: str, provider: Provider
) -> MintedKey:
    """Store a new key of a repo and return it with its text. Raises: Forbidden, NotFound, InvalidInput."""
    place = await _place(acting, repo_id, WRITES)
    raw = new_raw(acting)
    spec = KeySpec(name=name, scopes=(_SCOPE,), place=place, provider=provider)
    return MintedKey(key=await store_key(acting, spec, raw=raw), raw=raw)


async def list_gateway_keys(acting: Acting[TenancyUnit], repo_id: RepoId) -> Sequence[ApiKey]:
    """Return the keys of a repo that are in use, newest first. Raises: Forbidden, NotFound."""
    place = await _place(acting, repo_id, READS)
    keys = acting.unit.tenancy.keys
    return [key async for key in every(lambda part: keys.list(part, within=place)) if _is_used(key)]


async def rename_gateway_key(
    acting: Acting[TenancyUnit], repo_id: RepoId, key_id: KeyId, *, name: str
) -> ApiKey:
    """Store a key under another name and return it; what it was called before stays where it was noted."""
    key = await _writable(acting, repo_id, key_id)
    renamed = replace(key, name=checked_name(name))
    return await save_next(acting, key, renamed, save=acting.unit.tenancy.keys.save)


async def revoke_gateway_key(acting: Acting[TenancyUnit], repo_id: RepoId, key_id: KeyId) -> ApiKey:
    """Revoke a key for good and return it. Raises: NotFound, also for one that was revoked before."""
    key = await _writable(acting, repo_id, key_id)
    revoked = replace(key, revoked_ms=acting.clock.now_ms())
    return await save_next(acting, key, revoked, save=acting.unit.tenancy.keys.save)


async def _place(acting: Acting[TenancyUnit], repo_id: RepoId, scope: str) -> Place:
    """Return the place of a repo in which the caller holds `scope`. Raises: Forbidden, NotFound."""
    acting.principal.require(scope)
    repo = await read_repo(acting, repo_id)
    place = Place(workspace_id=repo.workspace_id, repo_id=repo.id)
    acting.principal.require(scope, place)
    return place


async def _writable(acting: Acting[TenancyUnit], repo_id: RepoId, key_id: KeyId) -> ApiKey:
    place = await _place(acting, repo_id, WRITES)
    key = await acting.unit.tenancy.keys.get(key_id)
    if key is None or key.place != place or not _is_used(key):
        raise NotFound("key", key_id)
    return key


def _is_used(key: ApiKey) -> bool:
    return key.provider is not None and key.revoked_ms is None
