"""The native API as one FastAPI application, without its hot routes."""

from fastapi import FastAPI
from starlette.routing import BaseRoute

from bylaw.api.native import agents, errors, keys, policies, tenants, users, workspaces
from bylaw.api.parts import Parts

ROUTERS = (
    tenants.router,
    workspaces.router,
    users.router,
    keys.router,
    agents.router,
    policies.router,
)


def routes() -> list[BaseRoute]:
    """Return every route, in the order in which paths are matched."""
    return [route for router in ROUTERS for route in router.routes]


def native(parts: Parts) -> FastAPI:
    """Return the application that answers with `parts`."""
    app = FastAPI(routes=routes(), openapi_url=None, redirect_slashes=False)
    app.state.parts = parts
    errors.install(app)
    return app
