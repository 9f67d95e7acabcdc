"""The native API as one FastAPI application, without its hot routes."""

from collections.abc import Mapping, Sequence

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

import bylaw
from bylaw.api import hot, openapi
from bylaw.api.described import Described
from bylaw.api.native import (
    agents,
    approvals,
    decisions,
    errors,
    keys,
    log,
    operations,
    packs,
    policies,
    receipts,
    review,
    signing_keys,
    tenants,
    users,
    workspaces,
)
from bylaw.api.native.examples import ANSWERS, EXAMPLES, PARAMETERS, WORDS
from bylaw.api.native.table import table
from bylaw.api.parts import Parts

_ROUTERS = (
    tenants.router,
    workspaces.router,
    users.router,
    keys.router,
    agents.router,
    policies.router,
    packs.router,
    decisions.router,
    receipts.router,
    review.router,
    approvals.router,
    log.router,
    signing_keys.router,
    operations.router,
)


def routes() -> list[BaseRoute]:
    """Return every route, in the order in which paths are matched."""
    return [route for router in _ROUTERS for route in router.routes]


def native(parts: Parts) -> FastAPI:
    """Return the application that answers with `parts`."""
    app = FastAPI(routes=routes(), openapi_url=None, redirect_slashes=False)
    app.state.parts = parts
    errors.install(app)
    return app


def described() -> list[Described]:
    """Return every route of the native API as data, the hot ones included."""
    return [*hot.described(), *table(routes())]


def document() -> bytes:
    """Return the OpenAPI document of the native API."""
    made = openapi.document(
        described(),
        version=bylaw.__version__,
        parameters=_parameters(),
        examples=openapi.Examples(whole=EXAMPLES, words=WORDS, answers=ANSWERS),
    )
    return msgspec.json.encode(made)


def _parameters() -> Mapping[tuple[str, str], Sequence[openapi.Schema]]:
    """Return the parameters of each route by method and path, as the framework reads them."""
    found = get_openapi(title="", version="", routes=routes())["paths"]
    return {
        (method.upper(), path): [
            {"description": PARAMETERS.get(each["name"], ""), **each}
            for each in operation.get("parameters", ())
        ]
        for path, operations in found.items()
        for method, operation in operations.items()
    }
