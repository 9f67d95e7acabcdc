"""Places, people and agents that come from another server, under the ids and with the times they have there.

What is here already is compared with what comes, and only what may follow is changed, and only if that is
wished: nothing moves to another place, and what was deleted here stays so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Generic, Literal, TypeVar, cast

from bylaw.core.clock import DAY_MS
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import UserId
from bylaw.core.paging import every
from bylaw.tenancy.entries import record
from bylaw.tenancy.model import Agent, Repo, User, Workspace
from bylaw.tenancy.naming import checked_email, checked_id, checked_name
from bylaw.tenancy.people import require_another_owner
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import save_next
from bylaw.tenancy.roles import require_rank
from bylaw.tenancy.store import Rows, TenancyUnit

# `different`: it is here and says something else, and is left as it is.
Outcome = Literal["imported", "unchanged", "updated", "different"]
Item = Workspace | Repo | User | Agent
R = TypeVar("R", Workspace, Repo, User, Agent)

_FOLLOWS: Final[Mapping[type, tuple[str, ...]]] = MappingProxyType(
    {
        Workspace: ("name",),
        Repo: ("name",),
        User: ("email", "name", "last_name", "org_role", "workspace_roles"),
        Agent: ("name", "require_policy", "policy_id"),
    }
)
_STAYS: Final[Mapping[type, tuple[str, ...]]] = MappingProxyType(
    {Workspace: (), Repo: ("workspace_id",), User: (), Agent: ("place",)}
)
# What an agent that was only seen gets beside that.
_REGISTERED: Final = ("place", "registered", "created_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival(Generic[R]):
    """Something that comes: as it is to be, as it is here if it is, and in which fields the two differ."""

    wanted: R
    stored: R | None
    differs: tuple[str, ...] = ()
    may_follow: bool = True

    def outcome(self, *, update: bool) -> Outcome:
        """Return what becomes of it."""
        if self.stored is None or _only_seen(self.stored):
            return "imported"
        if not self.differs:
            return "unchanged"
        return "updated" if update and self.may_follow else "different"


async def meet(acting: Acting[TenancyUnit], wanted: R) -> Arrival[R]:
    """Return what comes beside what is here under its id. Raises: InvalidInput that names what may not be."""
    wanted = _checked(wanted)
    check_moment(acting, wanted.created_ms, path="created_at")
    if isinstance(wanted, User):
        check_moment(acting, wanted.deleted_ms, path="deleted_at")
    stored = await _rows(acting.unit, wanted).get(wanted.id)
    if stored is None or _only_seen(stored):
        return Arrival(wanted=wanted, stored=stored)
    stays: list[str] = _differing(wanted, stored, _STAYS)
    if _is_there(stored) != _is_there(wanted):
        stays.append("deleted")
    follows: list[str] = _differing(wanted, stored, _FOLLOWS)
    return Arrival(wanted=wanted, stored=stored, differs=(*stays, *follows), may_follow=not stays)


def check_moment(acting: Acting[TenancyUnit], ms: int | None, *, path: str) -> None:
    """Return nothing if something may have been then; clocks differ, so a day from now passes.

    Raises: InvalidInput.
    """
    if ms is not None and not 0 <= ms <= acting.clock.now_ms() + DAY_MS:
        raise InvalidInput.of(path, "bad_time", "That is before 1970, or still to come.")


async def addresses(unit: TenancyUnit) -> dict[str, UserId]:
    """Return whose each e-mail address is, case-folded, of all who are there."""
    return {user.email.casefold(): user.id async for user in every(unit.tenancy.users.list)}


async def require_admissible(
    acting: Acting[TenancyUnit], came: Arrival[User], held: dict[str, UserId]
) -> None:
    """Return nothing if a person may come with their role and their address, which they hold from then on.

    Raises: Forbidden for a role above the caller's; InvalidInput for an address that `held` has for somebody
    else; Conflict (`last_owner`).
    """
    user, stored = came.wanted, came.stored
    require_rank(acting.principal, user.org_role)
    if stored is not None:
        require_rank(acting.principal, stored.org_role)
        await _require_owners(acting.unit, user, stored)
    if _is_there(user) and held.setdefault(user.email.casefold(), user.id) != user.id:
        raise InvalidInput.of("email", "exists", "Somebody else has this address here.")


async def bring(acting: Acting[TenancyUnit], came: Arrival[R]) -> R:
    """Store what comes, or what follows of it where it is here already, and return it.

    Raises: Conflict (`exists`) when somebody was faster; PreconditionFailed.
    """
    wanted: R = came.wanted
    stored: R | None = came.stored
    rows = _rows(acting.unit, wanted)
    if stored is not None:
        await _require_owners(acting.unit, wanted, stored)
        names = (*_FOLLOWS[type(wanted)], *(_REGISTERED if _only_seen(stored) else ()))
        following = {name: getattr(wanted, name) for name in names}
        return await save_next(acting, stored, replace(stored, **following), save=rows.save)
    await rows.add(wanted)
    await record(acting, None, wanted)
    await _record_removal(acting, wanted)
    return wanted


def _checked(wanted: R) -> R:
    """Return what comes as it may be stored. Raises: InvalidInput."""
    checked_id(wanted.id)
    if isinstance(wanted, Agent):
        return replace(wanted, name=checked_name(wanted.name) if wanted.name else "")
    if isinstance(wanted, User):
        checked_email(wanted.email)
        last_name = checked_name(wanted.last_name, path="last_name") if wanted.last_name.strip() else ""
        return replace(wanted, name=checked_name(wanted.name), last_name=last_name)
    return replace(wanted, name=checked_name(wanted.name))


def _differing(wanted: R, stored: R, names: Mapping[type, tuple[str, ...]]) -> list[str]:
    return [name for name in names[type(wanted)] if getattr(wanted, name) != getattr(stored, name)]


async def _require_owners(unit: TenancyUnit, wanted: Item, stored: Item) -> None:
    """Return nothing unless this takes the last OWNER their role. Raises: Conflict (`last_owner`)."""
    was, becomes = (each.org_role if isinstance(each, User) else "" for each in (stored, wanted))
    if was == "OWNER" and becomes != "OWNER":
        await require_another_owner(unit)


async def _record_removal(acting: Acting[TenancyUnit], item: Item) -> None:
    """Queue an entry for a person who came and is not there any more."""
    if isinstance(item, User) and item.deleted_ms is not None:
        await record(acting, replace(item, deleted_ms=None), item)


def _only_seen(stored: Item | None) -> bool:
    """Return whether it is an agent that decisions named and nobody registered."""
    return isinstance(stored, Agent) and not stored.registered


def _is_there(item: Item) -> bool:
    return isinstance(item, Agent) or item.deleted_ms is None


def _rows(unit: TenancyUnit, item: R) -> Rows[str, R]:
    """Return the rows among which an item is kept."""
    held = unit.tenancy
    kept = {Workspace: held.workspaces, Repo: held.repos, User: held.users, Agent: held.agents}
    return cast("Rows[str, R]", kept[type(item)])
