"""Signing in: from a password, or from who somebody proved to be, to a person of a tenant not yet known.

Whether somebody is unknown, has no password or mistyped it is answered alike, in the same words and after as
many hashes: one where an organisation is named, otherwise one for each organisation that people sign in to,
at most a few. A failure locks nobody out; it only takes from the pace of the address. A success gives back no
more than itself: somebody else may have the address too, in an organisation where they chose its password.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from bylaw.api.limits import Limits
from bylaw.api.oidc.id_token import Proven
from bylaw.api.ports import ControlStore
from bylaw.core.clock import Clock
from bylaw.core.errors import ChooseTenant, Forbidden, Unauthenticated
from bylaw.core.ids import TenantId, UserId
from bylaw.tenancy.credentials import no_invitation
from bylaw.tenancy.keys import hash_key
from bylaw.tenancy.passwords import Passwords
from bylaw.tenancy.store import Candidate, Member

_ATTEMPTS, _MINUTES = 10, 15
_ORGANISATIONS: Final = 4
_PROVEN: Final = 50  # organisations of one person who needs no hash


class SignIn:
    """Recognises people by what they know, or by who they proved to be.

    `passwords` makes and compares the hashes, unless passwords let nobody in (`takes_passwords`).
    """

    def __init__(
        self, store: ControlStore, passwords: Passwords, clock: Clock, *, takes_passwords: bool = True
    ) -> None:
        self.passwords = passwords
        self.takes_passwords = takes_passwords
        self._store = store
        self._attempts = Limits(clock, _ATTEMPTS, minutes=_MINUTES)

    async def recognise(self, email: str, password: str, *, tenant_id: TenantId | None = None) -> Candidate:
        """Return who has this address and this password.

        Raises: Unauthenticated; RateLimited; ChooseTenant for one who has it in several organisations;
        Forbidden where passwords let nobody in.
        """
        self._require_passwords()
        self._attempts.take(_bucket(email))
        async with self._store.system(writes=False) as system:
            found = await system.sign_ins.candidates(email, tenant_id=tenant_id, limit=_ORGANISATIONS)
            times = 1 if tenant_id is not None else await system.sign_ins.organisations(_ORGANISATIONS)
        hashes = [each.credential.password_hash for each in found]
        hashes += [None] * (max(1, times) - len(found))
        fits = [await self.passwords.fits(password, each) for each in hashes]
        fitting = [each for each, fit in zip(found, fits, strict=False) if fit]
        if not fitting:
            raise Unauthenticated("The e-mail address and the password do not belong together here.")
        self._attempts.give_back(_bucket(email))
        return _one(fitting)

    async def known(self, who: Proven, *, tenant_id: TenantId | None = None, ticket: str = "") -> Member:
        """Return who somebody is here: whom they were before, or else the person with their address.

        Raises: Forbidden for somebody whom nobody added; ChooseTenant, with the `ticket`, for one who is in
        several organisations.
        """
        async with self._store.system(writes=False) as system:
            bound = await system.sign_ins.bound(who.issuer, who.subject, limit=_PROVEN)
            unbound = await system.sign_ins.unbound(who.email, limit=_PROVEN)
        named = (each for each in unbound if _is_same(each.user.email, who.email))
        found = {each.tenant.id: each for each in (*named, *bound)}
        fitting = [each for each in found.values() if tenant_id in {None, each.tenant.id}]
        if not fitting:
            message = (
                f"{who.email} is not known here. Ask an admin of your organisation to add this address; if it"
                " is there already, to invite you anew."
            )
            raise Forbidden(message, needs="a person with this address")
        return _one(fitting, ticket)

    async def confirms(self, email: str, password: str, known: str | None) -> bool:
        """Return whether a password is that of the hash `known`, at the pace of the address.

        Raises: RateLimited; Forbidden where passwords let nobody in.
        """
        self._require_passwords()
        self._attempts.take(_bucket(email))
        fits = await self.passwords.fits(password, known)
        if fits:
            self._attempts.give_back(_bucket(email))
        return fits

    async def invited(self, raw: str) -> tuple[TenantId, UserId]:
        """Return whom an invitation is for, which is still to be looked at inside their tenant.

        Raises: Unauthenticated for one that nobody wrote; Forbidden where passwords let nobody in.
        """
        self._require_passwords()
        async with self._store.system(writes=False) as system:
            credential = await system.sign_ins.invited(hash_key(raw))
        if credential is None:
            raise no_invitation()
        return credential.tenant_id, credential.id

    async def is_set_up(self) -> bool:
        """Return whether anybody has a password here."""
        async with self._store.system(writes=False) as system:
            return await system.sign_ins.organisations(1) > 0

    def _require_passwords(self) -> None:
        if not self.takes_passwords:
            message = "This server lets nobody in by a password: sign in with single sign-on."
            raise Forbidden(message, needs="single sign-on")


M = TypeVar("M", bound=Member)


def _one(fitting: Sequence[M], ticket: str = "") -> M:
    """Return the only one of those who fit. Raises: ChooseTenant."""
    if len(fitting) > 1:
        choices = [(each.tenant.id, each.tenant.name) for each in fitting]
        message = "You are in several organisations: name one as tenant_id."
        raise ChooseTenant(message, tenants=choices, ticket=ticket)
    return fitting[0]


def _bucket(email: str) -> tuple[str, str]:
    return "", email.casefold()


def _is_same(one: str, other: str) -> bool:
    """Return whether two addresses differ in the case of Latin letters alone.

    Stored ones are found by their case folded, which makes ss of a sharp s, and k of the sign for kelvin.
    """
    return one.encode().lower() == other.encode().lower()
