"""The way of a call through the gateway.

1. find      the repo of the caller, and the connection that has the model
2. decide    on what is asked; a call that is stopped here never reaches the provider
3. ask       the provider, without what policies withhold
4. decide    on what is answered, text and calls of tools; what is stopped here is delivered to nobody
5. deliver   without what policies withhold

Each decision has its receipt, durable before the next step.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec
from msgspec import UNSET

from bylaw.core.ids import RepoId
from bylaw.decisions.effects import Passed
from bylaw.decisions.model import Decision, Request
from bylaw.decisions.passage import Passage
from bylaw.decisions.select import ASKING_SCOPE
from bylaw.gateway import facts
from bylaw.gateway.choosing import Connections
from bylaw.policies.outcomes import STOPS
from bylaw.providers.calling import Providers
from bylaw.providers.model import Ask, Completion, Failed, Malformed
from bylaw.tenancy.model import Connection, Place, Provider
from bylaw.tenancy.principal import Grant, Principal


class Decides(Protocol):
    """Who decides."""

    async def decision(self, caller: Principal, request: Request, passed: Passed | None = None) -> Decision:
        """Return what is decided about a request, once its receipt is durable.

        `passed` is the call of a model whose answer it is about.
        """


class Gateway:
    """Passes calls of models on, as far as policies allow."""

    def __init__(self, connections: Connections, providers: Providers, decides: Decides) -> None:
        self._connections = connections
        self._providers = providers
        self._decides = decides

    async def pass_on(self, caller: Principal, repo_id: RepoId, ask: Ask, context: Request) -> Passage:
        """Return what becomes of a call in a repo; `context` says who asks, and what else is known of it.

        The caller is one who may ask there. Raises: NotFound for the repo; as `Decides.decision`.
        """
        place, connections = await self._connections.of_repo(caller.tenant_id, repo_id)
        found = await self._connections.for_model(connections, ask.model)
        if isinstance(found, Failed):
            return Passage(decisions=(), failed=found)
        context = msgspec.structs.replace(
            context, workspace_id=place.workspace_id, repo_id=place.repo_id, provider=found.provider
        )
        asker = _asker(caller, place)
        first = await self._decides.decision(asker, facts.of_input(context, ask))
        if first.outcome in STOPS:
            return Passage(decisions=(first,))
        asked = facts.shown_messages(ask, first)
        answered = await self._providers.complete(self._connections.endpoint(found), asked)
        if isinstance(answered, Failed):
            return Passage(decisions=(first,), failed=answered)
        context = msgspec.structs.replace(context, follows=first.receipt_id or UNSET, routed=first.routed)
        try:
            parts = facts.of_output(context, ask, answered)
        except Malformed as error:
            message = f"The model answered what cannot be used: {error}."
            return Passage(decisions=(first,), failed=Failed(reason="malformed", message=message))
        usage = answered.usage
        passed = Passed(connection_id=found.id, tokens_in=usage.tokens_in, tokens_out=usage.tokens_out)
        decided = await self._all(asker, [request for part in parts for request in part], passed)
        decisions = (first, *decided)
        if any(each.outcome in STOPS for each in decided):
            return Passage(decisions=decisions)
        completion = _delivered(answered, parts, decided)
        return Passage(decisions=decisions, asked=asked.messages, completion=completion)

    async def models(
        self, caller: Principal, repo_id: RepoId, *, providers: Collection[Provider] | None = None
    ) -> Sequence[tuple[Connection, str]] | Failed:
        """Return the models there are for a repo, each with its connection; why if nobody lists any.

        Only those of `providers` are asked, None for all. Raises: NotFound for the repo.
        """
        _, found = await self._connections.of_repo(caller.tenant_id, repo_id)
        connections = [each for each in found if providers is None or each.provider in providers]
        listed = await asyncio.gather(*map(self._connections.models, connections))
        failed = [each for each in listed if isinstance(each, Failed)]
        if failed and len(failed) == len(listed):
            return failed[0]
        return [
            (connection, model)
            for connection, models in zip(connections, listed, strict=True)
            if not isinstance(models, Failed)
            for model in models
        ]

    async def _all(self, asker: Principal, requests: Sequence[Request], passed: Passed) -> Sequence[Decision]:
        """Return what is decided about each request; their receipts share commits, others have their turn.

        The first one says what the call used.
        """
        tasks: list[asyncio.Task[Decision]] = []
        try:
            async with asyncio.TaskGroup() as deciding:
                for each in requests:
                    said = None if tasks else passed
                    tasks.append(deciding.create_task(self._decides.decision(asker, each, said)))
                    await asyncio.sleep(0)
        except ExceptionGroup as failed:
            raise _first(failed) from None
        return [task.result() for task in tasks]


def _asker(caller: Principal, place: Place) -> Principal:
    """Return the caller as somebody who may ask for decisions in that place, and do nothing else."""
    grant = Grant(place=place, scopes=frozenset({ASKING_SCOPE}))
    behind = None if caller.speaks_for is None else _asker(caller.speaks_for, place)
    return replace(caller, grants=(grant,), speaks_for=behind)


def _first(failed: ExceptionGroup[Exception]) -> Exception:
    error = failed.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


def _delivered(
    completion: Completion, parts: Sequence[Sequence[Request]], decided: Sequence[Decision]
) -> Completion:
    """Return a completion without what policies withhold of the texts of its choices."""
    choices, done = [*completion.choices], 0
    for n, requests in enumerate(parts):
        if requests[0].phase == "output":
            choices[n] = facts.shown_text(choices[n], decided[done])
        done += len(requests)
    return replace(completion, choices=tuple(choices))
