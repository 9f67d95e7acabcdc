"""How a route is written: what it may ask for, and what surrounds it.

    @router.post("/v1/workspaces", status_code=201)
    async def create(acting: Annotated[Acting[Unit], needs("workspaces:write")],
                     new: Annotated[NewWorkspace, body(NewWorkspace)]) -> Reply[WorkspaceView]: ...

`needs` lets the caller in and opens the transaction of their tenant; `Route` commits it once the answer is
made and before it leaves. A POST under an Idempotency-Key keeps its answer in that same transaction.
"""

import hashlib
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, cast

import msgspec
from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from typing_extensions import override

from bylaw.api import strict_json
from bylaw.api.answers import Reply
from bylaw.api.idempotency import checked_key, reused
from bylaw.api.incoming import NOT_JSON, Incoming
from bylaw.api.parts import Parts
from bylaw.api.ports import SystemUnit, Unit
from bylaw.core.errors import NotFound
from bylaw.core.ids import TenantId
from bylaw.tenancy.places import require_operator
from bylaw.tenancy.principal import OPERATOR_TENANT, Acting, Principal, system_principal
from bylaw.tenancy.replies import Reply as KeptReply


@dataclass(slots=True, kw_only=True)
class Transaction:
    """What a request holds until its answer is made: its open unit, and the key under which it is kept."""

    stack: AsyncExitStack
    unit: Unit | SystemUnit | None = None
    tenant_id: TenantId = OPERATOR_TENANT
    writes: bool = False
    caller: str = ""
    idempotency_key: str = ""
    digest: str = ""


class _Repeated(Exception):
    """The request was carried out before; its kept answer is sent again."""

    def __init__(self, reply: KeptReply) -> None:
        self.reply = reply


class Route(APIRoute):
    """A route whose transaction is committed before its answer leaves."""

    def __init__(self, path: str, endpoint: Callable[..., object], **options: object) -> None:
        # A generic answer is no model of the framework's; openapi.py reads it from the annotation.
        options["response_model"] = None
        super().__init__(path, endpoint, **options)  # type: ignore[arg-type]  # handed through as given

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[object, object, Response]]:
        handler = super().get_route_handler()
        status = self.status_code

        async def carry_out(request: Request) -> Response:
            async with AsyncExitStack() as stack:
                held = Transaction(stack=stack)
                request.scope["bylaw.transaction"] = held
                response = await handler(request)
                if status is not None:
                    response.status_code = status
                await _keep(request, held, response)
                response = _unchanged(request, response)
            if held.writes:
                await parts_of(request).settle(held.tenant_id)
            return response

        async def handle(request: Request) -> Response:
            if not incoming_of(request).is_json:
                raise HTTPException(415, NOT_JSON)
            try:
                return await carry_out(request)
            except _Repeated as repeated:
                return _again(repeated.reply)

        return handle


class Needs:
    """The dependency behind `needs`: public, so that the route table can be read from it."""

    def __init__(self, scope: str | None, *, projected: bool = False) -> None:
        self.scope = scope
        self._projected = projected

    async def __call__(self, request: Request) -> Acting[Unit]:
        """Return the caller at work inside their tenant. Raises: Unauthenticated, Forbidden, RateLimited."""
        parts, principal = enter(request, self.scope)
        if self._projected:
            await parts.caught_up()
        held = transaction_of(request)
        acting = await held.stack.enter_async_context(parts.acting(principal, writes=writes(request)))
        held.unit = acting.unit
        await _begin(request, held, principal)
        return acting


class Admits:
    """The dependency behind `admits`."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> Parts:
        """Return the parts of the server. Raises: Unauthenticated, Forbidden, RateLimited."""
        parts, _ = enter(request, self.scope)
        return parts


class NeedsOperator:
    """The dependency behind `needs_operator`."""

    scope = "admin"

    async def __call__(self, request: Request) -> "Operating":
        """Return the operator at work. Raises: Unauthenticated, Forbidden, RateLimited."""
        parts, principal = enter(request, self.scope)
        require_operator(principal)
        held = transaction_of(request)
        unit = await held.stack.enter_async_context(parts.store.system(writes=writes(request)))
        held.unit = unit
        await _begin(request, held, principal)
        return Operating(unit=unit, principal=principal, parts=parts)


class NeedsOperatorInside:
    """The dependency behind `needs_operator_inside`: Bylaw at work inside a tenant, for the operator."""

    scope = "admin"

    async def __call__(self, request: Request, tenant_id: TenantId) -> Acting[Unit]:
        """Return Bylaw at work inside that tenant. Raises: NotFound, and what `NeedsOperator` raises."""
        parts, operator = enter(request, self.scope)
        require_operator(operator)
        held = transaction_of(request)
        system = await held.stack.enter_async_context(parts.store.system(writes=writes(request)))
        if await system.tenant(tenant_id) is None:
            raise NotFound("tenant", tenant_id)
        unit = held.unit = system.of(tenant_id)
        principal = system_principal(tenant_id)
        await _begin(request, held, principal)
        return Acting(unit=unit, principal=principal, clock=parts.clock, ids=parts.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operating:
    """The operator at work inside one transaction over all tenants."""

    unit: SystemUnit
    principal: Principal
    parts: Parts


class Body:
    """The dependency behind `body` and `raw_body`; the documentation is made from its `kind`."""

    def __init__(self, kind: type[msgspec.Struct], *, may_be_empty: bool = False, raw: bool = False) -> None:
        self.kind = kind
        self.may_be_empty = may_be_empty
        self._read_as: type[object] = dict if raw else kind

    def __call__(self, request: Request) -> object:
        """Return what the body holds. Raises: InvalidInput that names every misfit."""
        sent = incoming_of(request).body
        return strict_json.read(b"{}" if self.may_be_empty and not sent else sent, self._read_as)


class Anyone:
    """The dependency behind `anyone`; `recognises`: the route looks by itself who it is."""

    def __init__(self, *, recognises: bool = False) -> None:
        self.recognises = recognises

    def __call__(self, request: Request) -> Parts:
        """Return the parts of the server. Raises: RateLimited."""
        parts = parts_of(request)
        parts.door.enter_unknown(incoming_of(request))
        return parts


def anyone(*, recognises: bool = False) -> object:
    """Return the dependency that lets in everybody, at the pace of their address and of all.

    `recognises`: the route finds out by itself who it is, and may refuse them.
    """
    return Depends(Anyone(recognises=recognises))


def needs(scope: str | None) -> object:
    """Return the dependency that lets in a caller with `scope` (None: any) and opens their transaction."""
    return Depends(Needs(scope))


def admits(scope: str) -> object:
    """Return the dependency that lets in a caller with `scope` who needs nothing that is stored."""
    return Depends(Admits(scope))


def needs_projected(scope: str | None) -> object:
    """Return the dependency of `needs`, for what decisions left: those of this process are all to be seen."""
    return Depends(Needs(scope, projected=True))


def needs_operator() -> object:
    """Return the dependency that lets in the operator and opens a transaction over all tenants."""
    return Depends(NeedsOperator())


def needs_operator_inside() -> object:
    """Return the dependency that lets in the operator and opens the tenant that the path names."""
    return Depends(NeedsOperatorInside())


async def act(request: Request, principal: Principal) -> Acting[Unit]:
    """Return somebody at work whom the route recognised by itself, until the answer is made."""
    parts, held = parts_of(request), transaction_of(request)
    acting = await held.stack.enter_async_context(parts.acting(principal))
    held.unit, held.tenant_id, held.writes = acting.unit, principal.tenant_id, True
    return acting


def body(kind: type[msgspec.Struct], *, may_be_empty: bool = False) -> object:
    """Return the dependency that reads the body as a `kind`."""
    return Depends(Body(kind, may_be_empty=may_be_empty))


def raw_body(kind: type[msgspec.Struct]) -> object:
    """Return the dependency that reads the body as an object, which its noun checks; `kind` documents it."""
    return Depends(Body(kind, raw=True))


def revision_of(
    if_match: Annotated[
        str | None,
        Header(
            description="The ETag that was read: 412 when somebody changed it since. `*` is any.",
            pattern=r'^(\*|(W/)?"[0-9]{1,18}")$',
        ),
    ] = None,
) -> int | None:
    """Return the revision that If-Match states, None when it states none."""
    return None if if_match in {None, "*"} else int(str(if_match).removeprefix("W/").strip('"'))


Revision = Annotated[int | None, Depends(revision_of)]


def writes(request: Request) -> bool:
    """Return whether the request may change something."""
    return request.method != "GET"


def parts_of(request: Request) -> Parts:
    """Return the parts of the server that answers."""
    return cast("Parts", request.app.state.parts)


def incoming_of(request: Request) -> Incoming:
    """Return the request as the edge read it."""
    return cast("Incoming", request.scope["bylaw"])


def principal_of(request: Request) -> Principal:
    """Return the caller who was let in."""
    return cast("Principal", request.scope["bylaw.principal"])


def transaction_of(request: Request) -> Transaction:
    """Return what the request holds until its answer is made."""
    return cast("Transaction", request.scope["bylaw.transaction"])


def enter(request: Request, scope: str | None) -> tuple[Parts, Principal]:
    """Let the caller in and return them.

    Raises: Unauthenticated, RateLimited, Forbidden; InvalidInput for a key of idempotency that is none.
    """
    parts = parts_of(request)
    principal = parts.door.enter(incoming_of(request), scope).principal
    if request.method == "POST" and (key := request.headers.get("idempotency-key")) is not None:
        checked_key(key)
    request.scope["bylaw.principal"] = principal
    return parts, principal


async def _begin(request: Request, held: Transaction, principal: Principal) -> None:
    """Note who holds the transaction. Raises: _Repeated when the same request was carried out before."""
    held.tenant_id = principal.tenant_id
    held.writes = writes(request)
    sent = request.headers.get("idempotency-key")
    if sent is None or request.method != "POST" or held.unit is None:
        return
    incoming = incoming_of(request)
    held.caller, held.idempotency_key = f"{principal.kind}:{principal.id}", sent
    target = f"{incoming.method} {incoming.path}\n".encode()
    held.digest = "sha256:" + hashlib.sha256(target + incoming.body).hexdigest()
    since_ms = parts_of(request).forgetting.since_ms
    kept = await held.unit.replies.get(held.caller, sent, since_ms=since_ms)
    if kept is None:
        return
    if kept.digest != held.digest:
        raise reused()
    raise _Repeated(kept)


async def _keep(request: Request, held: Transaction, response: Response) -> None:
    if not held.idempotency_key or held.unit is None:
        return
    etag = response.headers.get("etag")
    reply = KeptReply(
        caller=held.caller,
        key=held.idempotency_key,
        digest=held.digest,
        status=response.status_code,
        headers=() if etag is None else (("etag", etag),),
        body=bytes(response.kept if isinstance(response, Reply) else response.body),
        created_ms=parts_of(request).clock.now_ms(),
    )
    await held.unit.replies.add(reply)


def _unchanged(request: Request, response: Response) -> Response:
    """Return a 304 when the caller of a GET has what `response` says already, and otherwise `response`."""
    etag = response.headers.get("etag")
    if request.method != "GET" or etag is None:
        return response
    sent = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return Response(status_code=304, headers={"etag": etag}) if {etag, "*"} & set(sent) else response


def _again(kept: KeptReply) -> Response:
    headers = {**dict(kept.headers), "idempotent-replayed": "true"}
    return Response(kept.body, status_code=kept.status, media_type="application/json", headers=headers)
