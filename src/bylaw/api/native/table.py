"""The route table of the native API, read from the routes themselves."""

import inspect
from collections.abc import Iterator
from typing import get_args, get_origin, get_type_hints

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from bylaw.api.described import Access, Described, failures
from bylaw.api.native.route import Anyone, Body, Needs, NeedsOperator, NeedsOperatorInside, Reply, revision_of


def described(route: BaseRoute) -> Described | None:
    """Return `route` as data, or None when it is not one of the API's."""
    if not isinstance(route, APIRoute):
        return None
    method = next(iter(route.methods or {"GET"}))
    access, scope = _access(route.dependant)
    bodies = [each.call for each in route.dependant.dependencies if isinstance(each.call, Body)]
    takes = bodies[0].kind if bodies else None
    hint = get_type_hints(route.endpoint).get("return")
    conditional = any(each.call is revision_of for each in route.dependant.dependencies)
    summary, _, description = (inspect.getdoc(route.endpoint) or "").partition("\n")
    paced = any(isinstance(each.call, Anyone) for each in route.dependant.dependencies)
    may_fail = failures(method, route.path_format, access, takes=takes, conditional=conditional)
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
        may_fail=may_fail | {429} if paced else may_fail,
        tag=str(route.tags[0]) if route.tags else "",
        name=route.name,
        summary=summary.rstrip("."),
        description=description.strip(),
    )


def table(routes: list[BaseRoute]) -> Iterator[Described]:
    """Yield every route as data, in the order of the paths' definition."""
    for route in routes:
        found = described(route)
        if found is not None:
            yield found


def _access(dependant: Dependant) -> tuple[Access, str]:
    for each in dependant.dependencies:
        if isinstance(each.call, Needs):
            return ("any key", "") if each.call.scope is None else ("scope", each.call.scope)
        if isinstance(each.call, (NeedsOperator, NeedsOperatorInside)):
            return "operator", each.call.scope
    return "anonymous", ""
