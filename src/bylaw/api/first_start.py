"""The first start of a server: the operator's tenant, and one key to begin with."""

from dataclasses import dataclass
from typing import Literal

from bylaw.api.ports import ControlStore, SystemUnit, Unit
from bylaw.core.clock import Clock
from bylaw.core.errors import Conflict, InvalidInput
from bylaw.core.ids import Ids
from bylaw.tenancy.keys import KeySpec, hash_key, mint_key, register_key
from bylaw.tenancy.model import Tenant
from bylaw.tenancy.principal import OPERATOR_TENANT, Acting, system_principal

_SPEC = KeySpec(name="Operator", scopes=("admin",))


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKey:
    """What a start did about the operator's key: `raw` is the text of one that it `made`.

    One that was given was `registered` as the first, `added` to those that were there, or `known` already.
    """

    fate: Literal["made", "registered", "added", "known"]
    raw: str | None = None


async def first_start(store: ControlStore, *, clock: Clock, ids: Ids, raw: str) -> OperatorKey | None:
    """Make the operator's tenant and key if there are none; return what was done, None for nothing.

    `raw` is the text of a key that the operator has already: it is registered, now or at a later start, and
    none is made.
    Raises: InvalidInput when `raw` is no key; Conflict (`admin_key_unusable`) when it was revoked or is
    somebody else's.
    """
    async with store.system() as system:
        is_first = await system.tenant(OPERATOR_TENANT) is None
        if is_first:
            tenant = Tenant(id=OPERATOR_TENANT, name="Operator", created_ms=clock.now_ms())
            await system.add_tenant(tenant)
        unit = system.of(OPERATOR_TENANT)
        acting = Acting(unit=unit, principal=system_principal(OPERATOR_TENANT), clock=clock, ids=ids)
        if raw:
            if await _is_known(system, raw):
                return OperatorKey(fate="known")
            await _register(acting, raw)
            return OperatorKey(fate="registered" if is_first else "added")
        return OperatorKey(fate="made", raw=(await mint_key(acting, _SPEC)).raw) if is_first else None


async def _is_known(system: SystemUnit, raw: str) -> bool:
    """Return whether `raw` is an administrator's key of the operator already."""
    return any(
        key.sha256 == hash_key(raw) and "admin" in key.scopes for key, _ in await system.keys(OPERATOR_TENANT)
    )


async def _register(acting: Acting[Unit], raw: str) -> None:
    try:
        await register_key(acting, _SPEC, raw=raw)
    except InvalidInput as error:
        message = f"BYLAW_ADMIN_KEY cannot be registered: {error.message} Leave it out to have one made."
        raise InvalidInput.of("BYLAW_ADMIN_KEY", "bad_value", message) from None
    except Conflict as error:
        message = "BYLAW_ADMIN_KEY names a key that was revoked or may not administer: choose another."
        raise Conflict(message, reason="admin_key_unusable") from error
