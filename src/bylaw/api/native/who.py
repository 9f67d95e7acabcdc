"""Who calls: the organisation, the person or key, and what they may do where."""

from collections.abc import Sequence

import msgspec

from bylaw.api.answers import Reply
from bylaw.api.ports import Unit
from bylaw.api.shape import when
from bylaw.core.clock import rfc3339
from bylaw.core.paging import MAX_LIMIT, Slice
from bylaw.tenancy.credentials import password_hash_of
from bylaw.tenancy.keys import MintedKey
from bylaw.tenancy.model import EVERYWHERE, ApiKey, Place
from bylaw.tenancy.people import read_user
from bylaw.tenancy.places import list_workspaces, read_tenant
from bylaw.tenancy.principal import Acting, Principal
from bylaw.tenancy.scopes import SCOPES


class OrganisationView(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation of the caller."""

    id: str
    name: str


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """The person who calls, or for whom the key speaks."""

    id: str
    email: str
    name: str


class CallingKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """The key or session that calls."""

    id: str
    name: str


class OwnWorkspaceView(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace of the caller, with the scopes that they hold in the whole of it.

    Where a second person approves, writing does not imply approving.
    """

    id: str
    name: str
    scopes: tuple[str, ...]


class WhoView(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls. `scopes` are those held in the whole tenant; `user` is null for a key that is nobody's.

    `actor` is what is written beside what they change.
    """

    tenant: OrganisationView
    user: PersonView | None
    key: CallingKeyView
    actor: str
    is_session: bool
    expires_at: str | None
    scopes: tuple[str, ...]
    workspaces: tuple[OwnWorkspaceView, ...]
    has_more_workspaces: bool
    has_password: bool


class OpenedView(msgspec.Struct, frozen=True, kw_only=True):
    """A new session. `session` is its text, shown this once: null in a repeated answer."""

    session: str | None
    expires_at: str
    who: WhoView


async def who_is(acting: Acting[Unit], key: ApiKey) -> WhoView:
    """Return who calls with a key, up to 500 of their workspaces."""
    tenant = await read_tenant(acting)
    user_id, principal = acting.principal.user_id, acting.principal
    user = None if user_id is None else await read_user(acting, user_id)
    workspaces = await list_workspaces(acting, Slice(limit=MAX_LIMIT))
    return WhoView(
        tenant=OrganisationView(id=tenant.id, name=tenant.name),
        user=None if user is None else PersonView(id=user.id, email=user.email, name=user.full_name),
        key=CallingKeyView(id=key.id, name=key.name),
        actor=principal.actor,
        is_session=key.is_session,
        expires_at=when(key.expires_ms),
        scopes=_held(principal, EVERYWHERE),
        workspaces=tuple(
            OwnWorkspaceView(
                id=each.id,
                name=each.name,
                scopes=_held(principal, Place(workspace_id=each.id), strictly=each.separate_approvers),
            )
            for each in workspaces.items
        ),
        has_more_workspaces=workspaces.next_cursor is not None,
        has_password=user is not None and await password_hash_of(acting, user.id) is not None,
    )


async def opened(acting: Acting[Unit], made: MintedKey) -> Reply[OpenedView]:
    """Return a new session with its text, which the kept answer is without."""
    view = OpenedView(
        session=made.raw,
        expires_at=rfc3339(made.key.expires_ms or made.key.created_ms),
        who=await who_is(acting, made.key),
    )
    return Reply(view, kept=msgspec.structs.replace(view, session=None))


def _held(principal: Principal, place: Place, *, strictly: bool = False) -> tuple[str, ...]:
    """Return the scopes that are held in the whole of a place, `strictly` where approvers are separate."""
    held: Sequence[str] = [scope for scope in SCOPES if principal.may(scope, place, strictly=strictly)]
    return tuple(held)
