"""Credentials: the password of a person, the invitation by which they choose one, and who they are elsewhere.

Whoever may manage a person invites them: the first time, when they forgot their password, and when the
sign-in service calls them by another name. The text of an invitation is shown once, opens for three days, and
is used once; a new one takes the place of the old.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bylaw.core.canonical_json import Json
from bylaw.core.clock import DAY_MS
from bylaw.core.errors import Forbidden, Unauthenticated
from bylaw.core.ids import UserId
from bylaw.tenancy.entries import KIND, change_entry
from bylaw.tenancy.keys import hash_key
from bylaw.tenancy.model import EVERYWHERE, Credential, Tenant, User
from bylaw.tenancy.people import read_user
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.roles import require_rank
from bylaw.tenancy.sessions import end_sessions_of
from bylaw.tenancy.store import TenancyUnit

INVITED_MS: Final = 3 * DAY_MS
_SECRET_LENGTH: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The text of an invitation, which is shown once and not stored."""

    raw: str
    expires_ms: int


async def invite(acting: Acting[TenancyUnit], user_id: UserId) -> Invitation:
    """Store a new invitation of a person in place of an older one, and return its text.

    Who they were at a sign-in service is forgotten, and signed out: whoever proves their address there next
    is them.
    Raises: Forbidden for a person above the caller; NotFound.
    """
    acting.principal.require("workspaces:write", EVERYWHERE)
    user = await read_user(acting, user_id)
    require_rank(acting.principal, user.org_role)
    raw, until_ms = acting.ids.secret(_SECRET_LENGTH), acting.clock.now_ms() + INVITED_MS
    held = await _credential(acting, user)
    if held.subject is not None:
        await _note(acting, "identity", user, "deleted")
        await end_sessions_of(acting, user.id, but=acting.principal.id)
    invited = replace(held, invitation=hash_key(raw), invitation_expires_ms=until_ms)
    await _save(acting, replace(invited, issuer=None, subject=None))
    await _note(acting, "invitation", user, "created")
    return Invitation(raw=raw, expires_ms=until_ms)


async def invited_by(acting: Acting[TenancyUnit], user_id: UserId, raw: str) -> User:
    """Return the person whose open invitation has this text. Raises: Unauthenticated."""
    credential = await acting.unit.tenancy.credentials.get(user_id)
    user = await acting.unit.tenancy.users.get(user_id)
    if credential is None or user is None or user.deleted_ms is not None:
        raise no_invitation()
    until_ms = credential.invitation_expires_ms
    if credential.invitation != hash_key(raw) or until_ms is None or until_ms <= acting.clock.now_ms():
        raise no_invitation()
    return user


async def set_password(acting: Acting[TenancyUnit], user: User, password_hash: str) -> None:
    """Store the password of a person, which closes an invitation and ends their other sessions."""
    held = await _credential(acting, user)
    new = replace(held, password_hash=password_hash, invitation=None, invitation_expires_ms=None)
    await _save(acting, new)
    await _note(acting, "password", user, "created" if held.password_hash is None else "changed")
    await end_sessions_of(acting, user.id, but=acting.principal.id)


async def bind(acting: Acting[TenancyUnit], user: User, *, issuer: str, subject: str) -> None:
    """Store who a person is at a sign-in service, unless it is known. Raises: Forbidden for somebody else."""
    held = await _credential(acting, user)
    if (held.issuer, held.subject) == (issuer, subject):
        return
    if held.subject is not None:
        raise Forbidden("Somebody else has come as this person meanwhile.", needs="an invitation")
    await _save(acting, replace(held, issuer=issuer, subject=subject))
    await _note(acting, "identity", user, "created")


async def password_hash_of(acting: Acting[TenancyUnit], user_id: UserId) -> str | None:
    """Return the hash of a person's password, None while they have none."""
    credential = await acting.unit.tenancy.credentials.get(user_id)
    return None if credential is None else credential.password_hash


def words_about(user: User, tenant: Tenant) -> Sequence[str]:
    """Return the words that name a person, which are no password of theirs."""
    names = [user.email, *user.email.split("@"), user.name, user.last_name, tenant.name]
    return [*names, *(word for name in names for word in name.split())]


def no_invitation() -> Unauthenticated:
    """Return the refusal of an invitation that is none."""
    return Unauthenticated(
        "This invitation does not open: it was used, replaced or is too old. Ask for a new one."
    )


async def _credential(acting: Acting[TenancyUnit], user: User) -> Credential:
    """Return what a person has, or what is to be stored as their first (revision 0)."""
    held = await acting.unit.tenancy.credentials.get(user.id)
    now = acting.clock.now_ms()
    first = Credential(id=user.id, tenant_id=user.tenant_id, created_ms=now, changed_ms=now, revision=0)
    return first if held is None else held


async def _save(acting: Acting[TenancyUnit], new: Credential) -> None:
    credentials = acting.unit.tenancy.credentials
    following = replace(new, changed_ms=acting.clock.now_ms(), revision=new.revision + 1)
    await (credentials.save if new.revision else credentials.add)(following)


async def _note(acting: Acting[TenancyUnit], noun: str, user: User, change: str) -> None:
    """Queue an entry for the log: that it happened, and nothing of what is secret."""
    entry: Mapping[str, Json] = change_entry(noun, user.id, change=change, author=acting.principal.actor)
    await acting.unit.outbox.add(KIND, entry)
