"""Signing in: from an e-mail address and a password to a person, before it is known of which tenant.

Whether somebody is unknown, has no password or mistyped it is answered alike, in the same words and after as
many hashes: one where an organisation is named, otherwise one for each organisation that people sign in to,
at most a few. A failure locks nobody out; it only takes from the pace of the address.
"""

from typing import Final

from bylaw.api.limits import Limits
from bylaw.api.ports import ControlStore
from bylaw.core.clock import Clock
from bylaw.core.errors import ChooseTenant, Unauthenticated
from bylaw.core.ids import TenantId, UserId
from bylaw.tenancy.credentials import no_invitation
from bylaw.tenancy.keys import hash_key
from bylaw.tenancy.passwords import Passwords
from bylaw.tenancy.store import Candidate

_ATTEMPTS, _MINUTES = 10, 15
_ORGANISATIONS: Final = 4


class SignIn:
    """Recognises people by what they know; `passwords` makes and compares the hashes."""

    def __init__(self, store: ControlStore, passwords: Passwords, clock: Clock) -> None:
        self.passwords = passwords
        self._store = store
        self._attempts = Limits(clock, _ATTEMPTS, minutes=_MINUTES)

    async def recognise(self, email: str, password: str, *, tenant_id: TenantId | None = None) -> Candidate:
        """Return who has this address and this password.

        Raises: Unauthenticated; RateLimited; ChooseTenant for one who has it in several organisations.
        """
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
        self._attempts.fill(_bucket(email))
        if len(fitting) > 1:
            choices = [(each.tenant.id, each.tenant.name) for each in fitting]
            raise ChooseTenant("You are in several organisations: name one as tenant_id.", tenants=choices)
        return fitting[0]

    async def confirms(self, email: str, password: str, known: str | None) -> bool:
        """Return whether a password is that of the hash `known`, at the pace of the address.

        Raises: RateLimited.
        """
        self._attempts.take(_bucket(email))
        fits = await self.passwords.fits(password, known)
        if fits:
            self._attempts.fill(_bucket(email))
        return fits

    async def invited(self, raw: str) -> tuple[TenantId, UserId]:
        """Return whom an invitation is for, which is still to be looked at inside their tenant.

        Raises: Unauthenticated for one that nobody wrote.
        """
        async with self._store.system(writes=False) as system:
            credential = await system.sign_ins.invited(hash_key(raw))
        if credential is None:
            raise no_invitation()
        return credential.tenant_id, credential.id

    async def is_set_up(self) -> bool:
        """Return whether anybody has a password here."""
        async with self._store.system(writes=False) as system:
            return await system.sign_ins.organisations(1) > 0


def _bucket(email: str) -> tuple[str, str]:
    return "", email.casefold()
