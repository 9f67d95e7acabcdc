"""Principals: who is calling, and what they may do where."""

from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from bylaw.core.clock import Clock
from bylaw.core.errors import Forbidden, NotFound
from bylaw.core.ids import Ids, TenantId, UserId
from bylaw.tenancy.model import EVERYWHERE, OrgRole, Place, overlap
from bylaw.tenancy.scopes import HELD_STRICTLY_THROUGH, HELD_THROUGH

OPERATOR_TENANT = TenantId("default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Scopes that are held in one place and in everything inside it, or `exactly` there."""

    place: Place = EVERYWHERE
    scopes: frozenset[str]
    exactly: bool = False

    def gives(self, scope: str, *, strictly: bool = False) -> bool:
        """Return whether the grant carries `scope`, itself or through a scope that implies it."""
        through = HELD_STRICTLY_THROUGH if strictly else HELD_THROUGH
        return not self.scopes.isdisjoint(through[scope])

    def reaches(self, place: Place) -> bool:
        """Return whether it holds in the whole of `place`."""
        return self.place == place if self.exactly else self.place.contains(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller inside one tenant: a user, an API key, or Bylaw itself.

    `speaks_for`: the user behind a key, whom the key never exceeds. `org_role`: None for a key.
    `opened_with`: the key with which a session was opened, empty for others.
    """

    tenant_id: TenantId
    kind: Literal["user", "key", "system"]
    id: str
    grants: tuple[Grant, ...]
    org_role: OrgRole | None = None
    speaks_for: "Principal | None" = None
    opened_with: str = ""

    @property
    def actor(self) -> str:
        """Who did it, as written beside every change: the person behind a key, else the key."""
        return self.speaks_for.actor if self.speaks_for is not None else f"{self.kind}:{self.acts_as}"

    @property
    def acts_as(self) -> str:
        """The id as which it acts: a session is no other caller than the key with which it was opened."""
        return self.opened_with or self.id

    @property
    def user_id(self) -> UserId | None:
        """The person who acts, if one does."""
        if self.speaks_for is not None:
            return self.speaks_for.user_id
        return UserId(self.id) if self.kind == "user" else None

    @property
    def is_operator(self) -> bool:
        """Whether the principal runs this server: `admin` over the whole operator tenant."""
        return self.tenant_id == OPERATOR_TENANT and self.may("admin", EVERYWHERE)

    def may(self, scope: str, place: Place | None = None, *, strictly: bool = False) -> bool:
        """Return whether `scope` is held in the whole of `place`, or anywhere at all when that is None."""
        held = any(
            grant.gives(scope, strictly=strictly) and (place is None or grant.reaches(place))
            for grant in self.grants
        )
        return held and (self.speaks_for is None or self.speaks_for.may(scope, place, strictly=strictly))

    def sees(self, scope: str, place: Place) -> bool:
        """Return whether something at `place` is readable: it lies where `scope` is held or governs there."""
        if place == EVERYWHERE:
            return self.may(scope)
        return any(held.contains(place) or place.contains(held) for held in self.places(scope))

    def places(self, scope: str) -> tuple[Place, ...]:
        """Return the places in the whole of which `scope` is held."""
        own = tuple(grant.place for grant in self.grants if grant.gives(scope) and not grant.exactly)
        if self.speaks_for is None:
            return own
        return overlap(own, self.speaks_for.places(scope))

    def require(self, scope: str, place: Place | None = None, *, strictly: bool = False) -> None:
        """Return nothing if `scope` is held in `place` (anywhere when None). Raises: Forbidden."""
        if self.may(scope, place, strictly=strictly):
            return
        where = "" if place is None else f" {describe(place)}"
        raise Forbidden(f"This needs the scope {scope}{where}.", needs=scope)


def describe(place: Place) -> str:
    """Return `place` as words for a person."""
    if place.repo_id is not None:
        return f"in repo {place.repo_id!r}"
    if place.workspace_id is not None:
        return f"in workspace {place.workspace_id!r}"
    return "in the whole tenant"


def system_principal(tenant_id: TenantId) -> Principal:
    """Return Bylaw itself inside a tenant: for start-up, the first key of a tenant, and background work."""
    return Principal(
        tenant_id=tenant_id,
        kind="system",
        id="bylaw",
        grants=(Grant(scopes=frozenset({"admin"})),),
        org_role="OWNER",
    )


class InTenant(Protocol):
    """A transaction of one tenant."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything in it belongs."""


U_co = TypeVar("U_co", bound=InTenant, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting(Generic[U_co]):
    """Somebody at work inside one transaction of their own tenant: what every use case takes first.

    Raises: NotFound when the transaction belongs to another tenant than the principal.
    """

    unit: U_co
    principal: Principal
    clock: Clock
    ids: Ids

    def __post_init__(self) -> None:
        if self.principal.tenant_id != self.unit.tenant_id:
            raise NotFound("tenant", self.unit.tenant_id)
