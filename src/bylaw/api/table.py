"""The route table of a family, read from the routes themselves."""

import inspect
from collections.abc import Iterable, Iterator
from typing import get_args, get_origin, get_type_hints

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from bylaw.api.answers import Reply
from bylaw.api.described import Access, Described, failures
from bylaw.api.family import Family
from bylaw.api.problems import body_of_status
from bylaw.api.route import Admits, Anyone, Body, Needs, NeedsOperator, NeedsOperatorInside, revision_of


def described(route: BaseRoute, family: Family) -> Described | None:
    """Return a route of `family` as data, or None when it is not one of the API's."""
    if not isinstance(route, APIRoute):
        return None
    method = next(iter(route.methods or {"GET"}))
    access, scope = _access(route.dependant)
    bodies = [each.call for each in route.dependant.dependencies if isinstance(each.call, Body)]
    takes = bodies[0].kind if bodies else None
    hint = get_type_hints(route.endpoint).get("return")
    conditional = any(each.call is revision_of for each in route.dependant.dependencies)
    summary, _, description = (inspect.getdoc(route.endpoint) or "").partition("\n")
    anyone = [each.call for each in route.dependant.dependencies if isinstance(each.call, Anyone)]
    may_fail = failures(method, route.path_format, access, takes=takes, conditional=conditional)
    may_fail |= {429} if anyone else set()
    may_fail |= {401, 403} if any(each.recognises for each in anyone) else set()
    begins = (Needs, NeedsOperator, NeedsOperatorInside)
    return Described(
        method=method,
        path=route.path_format,
        access=access,
        scope=scope,
        takes=takes,
        takes_nothing_too=bool(bodies) and bodies[0].may_be_empty,
        gives=get_args(hint)[0] if get_origin(hint) is Reply else None,
        status=200 if route.status_code is None else route.status_code,
        media_type="application/json"
        if get_origin(hint) is Reply
        else getattr(hint, "media_type", None) or "",
        may_fail=_shown(may_fail, family),
        family=family.name,
        fails_with=family.fails_with,
        tag=str(route.tags[0]) if route.tags else "",
        name=route.name if family.name == "native" else f"{family.name}_{route.name}",
        summary=summary.rstrip("."),
        description=description.strip(),
        is_kept=any(isinstance(each.call, begins) for each in route.dependant.dependencies),
    )


def table(family: Family) -> Iterator[Described]:
    """Yield every route of `family` as data, in the order in which paths are matched."""
    for route in family.routes():
        found = described(route, family)
        if found is not None:
            yield found


def _shown(statuses: Iterable[int], family: Family) -> frozenset[int]:
    """Return the statuses as the family shows them."""
    return frozenset(family.dress(body_of_status(status, "", "")).status for status in statuses)


def _access(dependant: Dependant) -> tuple[Access, str]:
    for each in dependant.dependencies:
        if isinstance(each.call, Admits):
            return "scope", each.call.scope
        if isinstance(each.call, Needs):
            return ("any key", "") if each.call.scope is None else ("scope", each.call.scope)
        if isinstance(each.call, (NeedsOperator, NeedsOperatorInside)):
            return "operator", each.call.scope
    return "anonymous", ""
