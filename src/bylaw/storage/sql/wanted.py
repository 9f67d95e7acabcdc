"""The conditions of a filter of policies, in SQL; `policies.matching` tells the same of one policy."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Table, and_, func, not_, or_, true

from bylaw.policies.model import topic_key
from bylaw.policies.store import Match, PolicyFilter
from bylaw.storage.sql import tables
from bylaw.storage.sql.lists import (
    Condition,
    contains,
    each_around,
    each_near,
    equals,
    exactly,
    inside,
    near_any,
    one_of,
)
from bylaw.storage.sql.policy_tables import WAITS
from bylaw.tenancy.model import EVERYWHERE, Place

_POLICIES = tables.policies
_P = _POLICIES.c
_V = tables.versions.c
IN_FORCE = and_(
    _P.status == "approved",
    _P.is_active.is_(true()),
    _P.approved.is_not(None),
    _P.deleted_ms.is_(None),
)


def said(where: PolicyFilter) -> list[Condition]:
    """Return what the current version of a policy must say."""
    text = () if where.text is None else (contains(_V.search_text, where.text.casefold()),)
    return [
        *equals(_V.topic_key, None if where.topic is None else topic_key(where.topic)),
        *one_of(_V.action, where.actions),
        *one_of(_V.risk, where.risks),
        *one_of(_V.digest, where.digests),
        *text,
    ]


def about(where: PolicyFilter) -> list[Condition]:
    """Return what a policy must be, whatever it says."""
    conditions = [
        *one_of(_P.status, where.statuses),
        *equals(_P.is_active, where.is_active),
        *one_of(_P.id, where.ids),
        *one_of(_P.slug, where.slugs),
        *one_of(_P.source_type, where.source_types),
    ]
    if where.readable is not None:
        everywhere = exactly(tables.policies, EVERYWHERE)
        conditions.append(or_(everywhere, near_any(tables.policies, where.readable)))
    if where.has_pending is not None:
        conditions.append(_P.pending.is_not(None) if where.has_pending else _P.pending.is_(None))
    if where.in_force is not None:
        conditions.append(IN_FORCE if where.in_force else not_(IN_FORCE))
    if where.waits is not None:
        conditions.append(WAITS if where.waits else not_(WAITS))
    if where.slug_prefix is not None:
        conditions.append(func.substr(_P.slug, 1, len(where.slug_prefix)) == where.slug_prefix)
    if where.only_deleted:
        conditions.append(_P.deleted_ms.is_not(None))
    elif not where.include_deleted:
        conditions.append(_P.deleted_ms.is_(None))
    return conditions


def places(where: PolicyFilter) -> Sequence[Condition]:
    """Return the places and the reach that are wanted as conditions of which a policy meets one at most."""
    places = [true()] if where.place is None else _PLACES[where.match](_POLICIES, where.place)
    governing = [and_(place, *equals(_P.reach, where.reach)) for place in places]
    return governing if where.or_policy is None else [or_(*governing, _P.id == where.or_policy)]


_PLACES: Mapping[Match, Callable[[Table, Place], Sequence[Condition]]] = {
    "exact": lambda table, place: [exactly(table, place)],
    "within": lambda table, place: [inside(table, place)],
    "effective": each_around,
    "near": each_near,
}
