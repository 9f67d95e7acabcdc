"""Every contract that is served, as one FastAPI application without its hot routes."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import bylaw
from bylaw.api import errors, hot, openapi
from bylaw.api.compat.agentcert import routes as certifying
from bylaw.api.compat.agentcert.family import AGENTCERT
from bylaw.api.compat.flashback.family import FLASHBACK
from bylaw.api.compat.ohallo.family import OHALLO
from bylaw.api.compat.openai import routes as chatting
from bylaw.api.compat.openai.family import OPENAI
from bylaw.api.described import Described
from bylaw.api.family import Family
from bylaw.api.native.family import NATIVE
from bylaw.api.parts import Parts
from bylaw.api.problems import Failures
from bylaw.api.table import table

FAMILIES: Final[Sequence[Family]] = (NATIVE, OHALLO, FLASHBACK, AGENTCERT, OPENAI)


def failures() -> Failures:
    """Return how failures are answered, each in the way of the family to which its path belongs."""
    return Failures({prefix: family.dress for family in FAMILIES for prefix in family.prefixes})


def application(parts: Parts) -> FastAPI:
    """Return the application that answers with `parts`."""
    every = [route for family in FAMILIES for route in family.routes()]
    app = FastAPI(routes=every, openapi_url=None, redirect_slashes=False)
    app.state.parts = parts
    errors.install(app, failures(), hot=[(each.method, each.path) for each in _hot()])
    return app


def described() -> list[Described]:
    """Return every route as data, the hot ones included."""
    return [*_hot(), *(route for family in FAMILIES for route in table(family))]


def _hot() -> Sequence[Described]:
    """Return the hot routes as data."""
    return (*hot.described(), *certifying.described(), *chatting.described())


@cache
def document() -> bytes:
    """Return the OpenAPI document of all contracts."""
    made = openapi.document(
        described(),
        version=bylaw.__version__,
        parameters={key: found for family in FAMILIES for key, found in _parameters(family)},
        examples={family.name: family.examples for family in FAMILIES},
    )
    return msgspec.json.encode(made)


def _parameters(family: Family) -> Iterator[tuple[tuple[str, str], Sequence[openapi.Schema]]]:
    """Yield the parameters of each route by method and path, as the framework reads them."""
    for path, operations in get_openapi(title="", version="", routes=family.routes())["paths"].items():
        for method, operation in operations.items():
            parameters = [
                {"description": family.parameters.get(each["name"], ""), **each}
                for each in operation.get("parameters", ())
            ]
            yield (method.upper(), path), parameters
