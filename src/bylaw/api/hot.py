"""The hot routes: plain handlers in front of the framework, from the key to the encoded decision."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from bylaw.api import problems, strict_json
from bylaw.api.auth import Door
from bylaw.api.deciding import Asked, Decider
from bylaw.api.described import Described, failures
from bylaw.api.edge import Hot
from bylaw.api.fit import fit
from bylaw.api.idempotency import checked_key
from bylaw.api.incoming import Incoming
from bylaw.api.problems import Answer, ProblemBody
from bylaw.api.said import read_asked
from bylaw.core.errors import BylawError, InvalidInput, Problem
from bylaw.decisions.model import Decision, Request
from bylaw.decisions.select import ASKING_SCOPE
from bylaw.tenancy.principal import Principal

PATH: Final = "/v1/decisions"
BATCH_PATH: Final = "/v1/decisions:batch"
_JSON: Final = (b"content-type", b"application/json")
_REPLAYED: Final = (b"idempotent-replayed", b"true")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Decision)


class BatchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests that are decided one by one, each with its own receipt.

    Each is a body of `POST /v1/decisions`; one that is not has its own problem and stops no other.
    """

    requests: Annotated[list[object], msgspec.Meta(min_length=1)]


class BatchResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one request of a batch came to: a decision, or the problem that it has."""

    status: int
    decision: Decision | None = None
    problem: ProblemBody | None = None


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What each request of a batch came to, in their order."""

    results: list[BatchResult]


class HotRoutes:
    """The handlers of decisions. Units: `batch_items` is the most requests of one batch."""

    def __init__(self, door: Door, decider: Decider, *, batch_items: int) -> None:
        self._door = door
        self._decider = decider
        self._batch_items = batch_items

    def table(self) -> Mapping[tuple[str, str], Hot]:
        """Return the handlers by method and path."""
        return {("POST", PATH): self.decide, ("POST", BATCH_PATH): self.batch}

    async def decide(self, incoming: Incoming) -> Answer:
        """Decide one request."""
        caller = self._door.enter(incoming, ASKING_SCOPE).principal
        request = read_asked(strict_json.parse(incoming.body))
        key = incoming.headers.get(b"idempotency-key")
        asked = Asked(
            request=request,
            body=incoming.body,
            idempotency_key="" if key is None else checked_key(key.decode("latin-1")),
        )
        answered = await self._decider.decide(caller, asked)
        headers = (_JSON, _REPLAYED) if answered.replayed else (_JSON,)
        return Answer(status=200, body=answered.body, headers=headers)

    async def batch(self, incoming: Incoming) -> Answer:
        """Decide several requests, each by itself; their receipts share commits."""
        entered = self._door.enter(incoming, ASKING_SCOPE)
        items = fit(strict_json.parse(incoming.body), BatchRequest).requests
        if len(items) > self._batch_items:
            message = f"At most {self._batch_items} requests; this has {len(items)}."
            raise InvalidInput(message, Problem(path="requests", code="too_many", message=message))
        self._door.charge(entered, len(items) - 1)
        sent = incoming.headers.get(b"idempotency-key")
        key = "" if sent is None else checked_key(sent.decode("latin-1"))
        async with asyncio.TaskGroup() as deciding:
            tasks = []
            for index, item in enumerate(items):
                own = f"{key}/{index}" if key else ""
                tasks.append(deciding.create_task(self._item(entered.principal, item, own, incoming.id)))
                await asyncio.sleep(0)  # other requests get their turn between two decisions
        results = [task.result() for task in tasks]
        return Answer(status=200, body=_encoder.encode(BatchAnswer(results=results)), headers=(_JSON,))

    async def _item(self, caller: Principal, item: object, key: str, request_id: str) -> BatchResult:
        """Return what one request of a batch came to; only what is expected to go wrong stays inside it."""
        try:
            request = read_asked(item)
            body = _encoder.encode(item)
            answered = await self._decider.decide(
                caller, Asked(request=request, body=body, idempotency_key=key)
            )
        except BylawError as error:
            problem = problems.body_of(error, request_id)
            return BatchResult(status=problem.status, problem=problem)
        return BatchResult(status=200, decision=_decoder.decode(answered.body))


def described() -> tuple[Described, ...]:
    """Return the hot routes as data, like every other route."""
    may_fail = failures("POST", PATH, "scope", takes=Request)
    return (
        Described(
            method="POST",
            path=PATH,
            access="scope",
            scope=ASKING_SCOPE,
            takes=Request,
            takes_nothing_too=False,
            gives=Decision,
            may_fail=may_fail,
            tag="decisions",
            name="decide",
            summary="Check an operation against the policies that govern it",
            description="Say who acts, or what is said or done. The answer leaves once its receipt is"
            " durable; a dry run has none.",
        ),
        Described(
            method="POST",
            path=BATCH_PATH,
            access="scope",
            scope=ASKING_SCOPE,
            takes=BatchRequest,
            gives=BatchAnswer,
            may_fail=may_fail - {404, 409},
            tag="decisions",
            name="decide_batch",
            summary="Check several operations, each by itself",
            description="Each request has its own decision and receipt, or its own problem.",
        ),
    )
