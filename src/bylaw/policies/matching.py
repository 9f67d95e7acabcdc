"""Which policies a filter wants, told by what many of them share."""

from bylaw.policies.model import Current, topic_key
from bylaw.policies.store import Facets, PolicyFilter
from bylaw.tenancy.model import EVERYWHERE, Place


def facets_of(current: Current) -> Facets:
    """Return what a filter looks at of a policy."""
    policy, content = current.policy, current.version.content
    return Facets(
        place=policy.place,
        reach=policy.reach,
        status=policy.status,
        is_active=policy.is_active,
        has_pending=policy.pending is not None,
        in_force=policy.is_in_force,
        source_type=policy.source.type,
        topic=None if content.topic is None else topic_key(content.topic),
        action=content.action,
        risk=content.risk,
    )


def governs(facets: Facets, where: PolicyFilter) -> bool:
    """Return whether place and reach are those that are wanted."""
    return (where.place is None or _lies(facets.place, where.place, where)) and (
        where.reach is None or facets.reach == where.reach
    )


def admits(facets: Facets, where: PolicyFilter) -> bool:
    """Return whether a policy is wanted, but for `governs`, its names and its texts."""
    return (
        _is_readable(facets.place, where)
        and (where.statuses is None or facets.status in where.statuses)
        and _stands(facets, where)
        and (where.source_types is None or facets.source_type in where.source_types)
        and (where.topic is None or facets.topic == topic_key(where.topic))
        and (where.actions is None or facets.action in where.actions)
        and (where.risks is None or facets.risk in where.risks)
    )


def near(place: Place, other: Place) -> bool:
    """Return whether one of two places contains the other."""
    return place.contains(other) or other.contains(place)


def _stands(facets: Facets, where: PolicyFilter) -> bool:
    waits = facets.status == "pending_review" or facets.has_pending
    return (
        (where.is_active is None or facets.is_active == where.is_active)
        and (where.has_pending is None or facets.has_pending == where.has_pending)
        and (where.in_force is None or facets.in_force == where.in_force)
        and (where.waits is None or waits == where.waits)
    )


def _lies(place: Place, wanted: Place, where: PolicyFilter) -> bool:
    match where.match:
        case "exact":
            return place == wanted
        case "within":
            return wanted.contains(place)
        case "effective":
            return place.contains(wanted)
        case "near":
            return near(place, wanted)


def _is_readable(place: Place, where: PolicyFilter) -> bool:
    readable = where.readable
    return readable is None or place == EVERYWHERE or any(near(place, other) for other in readable)
