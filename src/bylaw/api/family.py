"""A family: one contract that is served, with its paths, its routes, and how its failures look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from fastapi import APIRouter
from starlette.routing import BaseRoute

from bylaw.api.openapi import Examples
from bylaw.api.problems import Dress


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One contract.

    `prefixes` are the beginnings of its paths, of which the longest that fits a path says whose it is.
    `dress` turns a failure into the family's answer, whose body is a `fails_with`. `examples` and
    `parameters` are words for its documentation.
    """

    name: str
    prefixes: Sequence[str]
    routers: Sequence[APIRouter]
    dress: Dress
    fails_with: type[msgspec.Struct]
    examples: Examples
    parameters: Mapping[str, str]

    def routes(self) -> list[BaseRoute]:
        """Return its routes, in the order in which paths are matched."""
        return [route for router in self.routers for route in router.routes]
