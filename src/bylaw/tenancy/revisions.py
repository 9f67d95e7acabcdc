"""Changing what is stored: the revision that the caller read, and the one that follows it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import asdict

from bylaw.core.errors import PreconditionFailed
from bylaw.tenancy.entries import record
from bylaw.tenancy.model import Agent, ApiKey, Connection, Repo, User, Workspace
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.store import TenancyUnit

R = TypeVar("R", Agent, ApiKey, Connection, Repo, User, Workspace)


def require_revision(current: int, expected: int | None) -> None:
    """Return nothing if `expected` is current, or was not stated. Raises: PreconditionFailed."""
    if expected is not None and expected != current:
        raise PreconditionFailed(
            f"It was changed since revision {expected}: read revision {current} and try again.",
            current=str(current),
        )


def changed(item: R, change: Struct) -> R:
    """Return `item` with every field of `change` that was sent."""
    return replace(item, **{name: value for name, value in asdict(change).items() if value is not UNSET})


async def save_next(
    acting: Acting[TenancyUnit], old: R, new: R, *, save: Callable[[R], Awaitable[None]]
) -> R:
    """Store `new` as the next revision of `old`, unless nothing changed, and return what is stored."""
    if new == old:
        return old
    following = replace(new, revision=old.revision + 1)
    await save(following)
    await record(acting, old, following)
    return following
