"""Connections: how a workspace reaches the models of a provider, with credentials that never come out."""

import ipaddress
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from bylaw.core.errors import InvalidInput, NotFound
from bylaw.core.ids import ConnectionId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.tenancy.entries import record
from bylaw.tenancy.model import Connection, Place, Provider
from bylaw.tenancy.naming import checked_name
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision, save_next
from bylaw.tenancy.sealing import Sealer
from bylaw.tenancy.store import TenancyUnit

READS: Final = "agents:read"
WRITES: Final = "workspaces:write"
_MOST: Final = 8_192
_SHOWN: Final = 4


class Credentials(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a provider asks for: a key, or for some the name of a key and its secret."""

    key: str = ""
    secret: str = ""


_NONE: Final = Credentials()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConnection:
    """A connection to be made; without an endpoint it leads to the provider's own address."""

    workspace_id: WorkspaceId
    name: str
    provider: Provider
    endpoint: str = ""
    credentials: Credentials = _NONE


class ConnectionChange(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that are to change; `credentials` are replaced as a whole."""

    name: str | UnsetType = UNSET
    provider: Provider | UnsetType = UNSET
    endpoint: str | UnsetType = UNSET
    credentials: Credentials | UnsetType = UNSET


async def create_connection(acting: Acting[TenancyUnit], new: NewConnection, sealer: Sealer) -> Connection:
    """Store a new connection and return it. Raises: Forbidden, NotFound, InvalidInput, Conflict."""
    place = Place(workspace_id=new.workspace_id)
    acting.principal.require(WRITES, place)
    await require_place(acting.unit, place)
    ident = ConnectionId(acting.ids.uuid7())
    connection = Connection(
        id=ident,
        tenant_id=acting.unit.tenant_id,
        workspace_id=new.workspace_id,
        name=checked_name(new.name),
        provider=new.provider,
        endpoint=checked_endpoint(new.endpoint, new.provider),
        shown=_shown(new.credentials),
        sealed=_sealed(acting, ident, new.credentials, sealer),
        created_by=acting.principal.actor,
        created_ms=acting.clock.now_ms(),
    )
    await acting.unit.tenancy.connections.add(connection)
    await record(acting, None, connection)
    return connection


async def change_connection(
    acting: Acting[TenancyUnit],
    ident: ConnectionId,
    change: ConnectionChange,
    sealer: Sealer,
    *,
    revision: int | None = None,
) -> Connection:
    """Store a changed connection and return it. Raises: NotFound, Forbidden, InvalidInput, Conflict."""
    old = await _writable(acting, ident)
    require_revision(old.revision, revision)
    provider = old.provider if change.provider is UNSET else change.provider
    endpoint = old.endpoint if change.endpoint is UNSET else change.endpoint
    new = replace(
        old,
        name=old.name if change.name is UNSET else checked_name(change.name),
        provider=provider,
        endpoint=checked_endpoint(endpoint, provider),
    )
    if change.credentials is not UNSET:
        sealed = _sealed(acting, ident, change.credentials, sealer)
        new = replace(new, shown=_shown(change.credentials), sealed=sealed)
    elif new.endpoint != old.endpoint and old.sealed:
        message = "Send the key again with another endpoint: it is not handed to an address unseen."
        raise InvalidInput.of("endpoint", "needs_key", message)
    return await save_next(acting, old, new, save=acting.unit.tenancy.connections.save)


async def delete_connection(acting: Acting[TenancyUnit], ident: ConnectionId) -> Connection:
    """Delete a connection, forget its credentials, and return it. Raises: NotFound, Forbidden."""
    old = await _writable(acting, ident)
    gone = replace(old, deleted_ms=acting.clock.now_ms(), sealed="")
    return await save_next(acting, old, gone, save=acting.unit.tenancy.connections.save)


async def read_connection(acting: Acting[TenancyUnit], ident: ConnectionId) -> Connection:
    """Return a connection. Raises: Forbidden; NotFound, also for one out of the caller's sight."""
    acting.principal.require(READS)
    found = await acting.unit.tenancy.connections.get(ident)
    if found is None or found.deleted_ms is not None:
        raise NotFound("connection", ident)
    if not acting.principal.may(READS, Place(workspace_id=found.workspace_id)):
        raise NotFound("connection", ident)
    return found


async def list_connections(
    acting: Acting[TenancyUnit], part: Slice, *, workspace_id: WorkspaceId | None = None
) -> Page[Connection]:
    """Return a page of the connections that the caller may see, newest first. Raises: Forbidden."""
    acting.principal.require(READS)
    places = [place for place in acting.principal.places(READS) if place.repo_id is None]
    known = (
        None if Place() in places else frozenset(each.workspace_id for each in places if each.workspace_id)
    )
    if workspace_id is not None:
        wanted = frozenset({workspace_id})
        known = wanted if known is None else wanted & known
    return await acting.unit.tenancy.connections.list(part, only=known)


def credentials_of(connection: Connection, sealer: Sealer) -> Credentials:
    """Return the credentials of a connection, for a call and for nothing else. Raises: Corrupt."""
    if not connection.sealed:
        return _NONE
    plain = sealer.open(connection.sealed, *_owner(connection.tenant_id, connection.id))
    return msgspec.json.decode(plain, type=Credentials)


def resealed(connection: Connection, sealer: Sealer) -> Connection:
    """Return the next revision of a connection, its credentials sealed anew."""
    plain = msgspec.json.encode(credentials_of(connection, sealer))
    sealed = sealer.seal(plain, *_owner(connection.tenant_id, connection.id))
    return replace(connection, sealed=sealed, revision=connection.revision + 1)


def checked_endpoint(text: str, provider: Provider, *, path: str = "endpoint") -> str:
    """Return an address without what it does not need.

    Raises: InvalidInput for what is no `https://host/path`, or `http` beyond this machine, or none where the
    provider has no address of its own.
    """
    address = text.strip().rstrip("/")
    if not address:
        if provider == "other":
            raise InvalidInput.of(path, "required", "Name the address: this provider has none of its own.")
        return ""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _unusable(path) from None
    extra = parts.username is not None or parts.password is not None or parts.query or parts.fragment
    if not host or extra or len(address) > 2_000 or not address.isprintable() or " " in address:
        raise _unusable(path)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise _unusable(path)
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unusable(path: str) -> InvalidInput:
    message = "Write an address as https://host/path, without user, query or fragment."
    return InvalidInput.of(path, "bad_url", message)


async def _writable(acting: Acting[TenancyUnit], ident: ConnectionId) -> Connection:
    connection = await read_connection(acting, ident)
    acting.principal.require(WRITES, Place(workspace_id=connection.workspace_id))
    return connection


def _sealed(
    acting: Acting[TenancyUnit], ident: ConnectionId, credentials: Credentials, sealer: Sealer
) -> str:
    for path, text in (("key", credentials.key), ("secret", credentials.secret)):
        if len(text) > _MOST or not text.isprintable() or not text.isascii():
            message = f"At most {_MOST} printable ASCII characters."
            raise InvalidInput.of(path, "bad_key", message)
    if credentials == _NONE:
        return ""
    plain = msgspec.json.encode(credentials)
    return sealer.seal(plain, *_owner(acting.unit.tenant_id, ident))


def _owner(tenant_id: str, ident: str) -> tuple[str, str, str]:
    return (tenant_id, "connection", ident)


def _shown(credentials: Credentials) -> str:
    """Return the end of a key that is long enough to show some of it."""
    key = credentials.key or credentials.secret
    if not key:
        return ""
    return "****" + (key[-_SHOWN:] if len(key) >= 4 * _SHOWN else "")
