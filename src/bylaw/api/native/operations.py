"""What runs the server rather than the product: health, readiness, metrics, keys to verify with, this API."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request

import bylaw
from bylaw.api import metrics
from bylaw.api.answers import Document, Metrics, Reply
from bylaw.api.parts import Parts
from bylaw.api.route import Route, anyone, parts_of

router = APIRouter(tags=["operations"], route_class=Route)


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str = "ok"


class CheckView(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of readiness, and what is wrong while it does not hold."""

    name: str
    ok: bool
    detail: str


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether requests should be sent here."""

    ready: bool
    checks: tuple[CheckView, ...]


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """What this is, and where to go on."""

    name: str = "Bylaw"
    version: str = bylaw.__version__
    openapi: str = "/openapi.json"
    health: str = "/healthz"
    ready: str = "/readyz"
    metrics: str = "/metrics"
    keys: str = "/.well-known/jwks.json"


@router.get("/")
async def welcome(parts: Annotated[Parts, anyone()]) -> Reply[Welcome]:
    """Say what this is, and where its description and its health are."""
    del parts
    return Reply(Welcome())


@router.get("/healthz")
async def healthz() -> Reply[Health]:
    """Say that the process answers; it says nothing about what it stands on."""
    return Reply(Health())


@router.get("/readyz")
async def readyz(request: Request) -> Reply[Readiness]:
    """Say whether requests should be sent here: 503 while a check does not hold, with the same body."""
    checks = tuple(
        CheckView(name=each.name, ok=not each.detail, detail=each.detail)
        for each in parts_of(request).checks()
    )
    ready = all(each.ok for each in checks)
    reply = Reply(Readiness(ready=ready, checks=checks))
    reply.status_code = 200 if ready else 503
    return reply


@router.get("/metrics")
async def read_metrics(request: Request) -> Metrics:
    """Read the metrics in Prometheus' text format."""
    return Metrics(parts_of(request).metrics.text(), media_type=metrics.MEDIA_TYPE)


@router.get("/.well-known/jwks.json")
async def read_keys(parts: Annotated[Parts, anyone()]) -> Document:
    """Read the keys with which receipts and checkpoints are verified, each with its standing (RFC 7517)."""
    return Document((await parts.signing.published()).jwks())


@router.get("/openapi.json")
async def read_openapi(parts: Annotated[Parts, anyone()]) -> Document:
    """Read this API as an OpenAPI 3.1 document."""
    return Document(await asyncio.to_thread(parts.openapi))  # it is made when first asked for
