"""What every store refuses, in the same words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from bylaw.core.errors import Conflict, Forbidden, InvalidInput, PreconditionFailed
from bylaw.core.ids import TenantId
from bylaw.storage.rows import Value

# What only one of a kind may have, where that is more than its id.
_ONCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "user": "this id or e-mail address",
        "connection": "this id, or with this name in its workspace,",
        "policy": "this id or slug",
    }
)


class Owned(Protocol):
    """A value that belongs to a tenant."""

    @property
    def tenant_id(self) -> str:
        """The tenant."""


class Item(Owned, Value, Protocol):
    """What every kind has."""

    @property
    def id(self) -> str:
        """The id, unique inside the tenant."""

    @property
    def created_ms(self) -> int:
        """When it was made."""

    @property
    def revision(self) -> int:
        """How often it was written."""


def require_writing(*, writes: bool) -> None:
    """Return nothing in a transaction that may write. Raises: Forbidden."""
    if not writes:
        raise Forbidden("This transaction was opened for reading.", needs="a writing transaction")


def require_own(item: Owned, tenant_id: TenantId) -> None:
    """Return nothing if `item` belongs to the tenant of the transaction. Raises: Forbidden."""
    if item.tenant_id != tenant_id:
        raise Forbidden("This belongs to another tenant.", needs=item.tenant_id)


def taken(noun: str) -> Conflict:
    """Return the refusal of a new item whose id, or whatever else must be unique, is taken."""
    return Conflict(f"There is a {noun} with {_ONCE.get(noun, 'this id')} already.", reason="exists")


def unknown_reference() -> Conflict:
    """Return the refusal of an item that refers to what is not there."""
    return Conflict("This refers to something that is not there.", reason="unknown_reference")


def outdated(noun: str, ident: str, *, current: int | None) -> PreconditionFailed:
    """Return the refusal of a change that was made to an older revision than `current`; None: to nothing."""
    now = "it is not there" if current is None else f"it is at revision {current} now"
    message = f"The {noun} {ident!r} was changed by somebody else: {now}. Read it and try again."
    return PreconditionFailed(message, current="" if current is None else str(current))


def require_tenant_id(tenant_id: TenantId) -> None:
    """Return nothing for a usable id. Raises: InvalidInput for the empty one, which means the operator."""
    if not tenant_id:
        message = "The id of a tenant is not empty."
        raise InvalidInput.of("id", "empty", message)
