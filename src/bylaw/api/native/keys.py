"""API keys: minted and shown once, or registered from a text that a client already has."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import InWorkspace
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.api.shape import moment, place_of, when
from bylaw.core.clock import rfc3339
from bylaw.core.errors import InvalidInput, Problem
from bylaw.core.ids import KeyId, UserId
from bylaw.tenancy import keys
from bylaw.tenancy.keys import KeySpec, KeyStyle, MintedKey
from bylaw.tenancy.model import ApiKey, Provider
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["keys"], route_class=Route)


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be made.

    `workspace_id` and `repo_id` limit where it holds. `user_id`: it speaks for that user and never exceeds
    their roles. `key`: register this text instead of making one. `style` is the prefix of a made text.
    """

    name: str
    scopes: list[str]
    workspace_id: str | None = None
    repo_id: str | None = None
    user_id: str | None = None
    rate_per_minute: int | None = None
    expires_at: str | None = None
    style: KeyStyle = "sf_live_v1_"
    key: str | None = None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its text; `prefix` is the part that people may see.

    `provider`: it is for the gateway alone, and for the models of this provider.
    """

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    workspace_id: str | None
    repo_id: str | None
    user_id: str | None
    provider: Provider | None
    rate_per_minute: int | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class MintedKeyView(KeyView, frozen=True, kw_only=True):
    """A new key. `key` is its text, shown this once: null when it was registered, or in a repeated answer."""

    key: str | None


@router.post("/v1/keys", status_code=201)
async def create_key(
    acting: Annotated[Acting[Unit], needs("admin")], new: Annotated[NewKey, body(NewKey)]
) -> Reply[MintedKeyView]:
    """Make a key, or register the text in `key`. The text of a made one is shown once."""
    if new.key is None:
        return minted(await keys.mint_key(acting, spec_of(new), style=new.style))
    registered = await keys.register_key(acting, spec_of(new), raw=new.key)
    return Reply(_minted_view(registered, None))


@router.get("/v1/keys")
async def list_keys(
    acting: Annotated[Acting[Unit], needs("admin")],
    query: Annotated[InWorkspace, Query()],
) -> Reply[Page[KeyView]]:
    """List keys; expired and revoked ones stay listed."""
    found = await keys.list_keys(acting, query.part, within=place_of(query.workspace_id, None))
    return Reply(page(found, view))


@router.get("/v1/keys/{key_id}")
async def read_key(acting: Annotated[Acting[Unit], needs("admin")], key_id: KeyId) -> Reply[KeyView]:
    """Read one key; its text is not kept anywhere."""
    return Reply(view(await keys.read_key(acting, key_id)))


@router.post("/v1/keys/{key_id}/revoke")
async def revoke_key(acting: Annotated[Acting[Unit], needs("admin")], key_id: KeyId) -> Reply[KeyView]:
    """Revoke a key for good; revoking it again changes nothing."""
    return Reply(view(await keys.revoke_key(acting, key_id)))


def spec_of(new: NewKey) -> KeySpec:
    """Return what a new key is to be. Raises: InvalidInput for a text beside a style of its own."""
    if new.key is not None and new.style != "sf_live_v1_":
        message = "A registered text keeps its own prefix: leave out style."
        raise InvalidInput(message, Problem(path="style", code="inert", message=message))
    return KeySpec(
        name=new.name,
        scopes=tuple(new.scopes),
        place=place_of(new.workspace_id, new.repo_id),
        user_id=None if new.user_id is None else UserId(new.user_id),
        rate_per_minute=new.rate_per_minute,
        expires_ms=moment(new.expires_at, path="expires_at"),
    )


def minted(made: MintedKey) -> Reply[MintedKeyView]:
    """Return a made key with its text; the kept answer is without it."""
    return Reply(_minted_view(made.key, made.raw), kept=_minted_view(made.key, None))


def view(key: ApiKey) -> KeyView:
    """Return a key as it goes over the wire."""
    return KeyView(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=tuple(sorted(key.scopes)),
        workspace_id=key.place.workspace_id,
        repo_id=key.place.repo_id,
        user_id=key.user_id,
        provider=key.provider,
        rate_per_minute=key.rate_per_minute,
        created_at=rfc3339(key.created_ms),
        expires_at=when(key.expires_ms),
        revoked_at=when(key.revoked_ms),
        last_used_at=when(key.last_used_ms),
    )


def _minted_view(key: ApiKey, raw: str | None) -> MintedKeyView:
    return MintedKeyView(**msgspec.structs.asdict(view(key)), key=raw)
