"""The routes by which applications call models: hot, since a call waits long enough for the provider."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bylaw.api import strict_json
from bylaw.api.auth import Door
from bylaw.api.compat.openai import translate, wire
from bylaw.api.compat.openai.caller import SCOPE, place_of, repo_of
from bylaw.api.described import Described, failures
from bylaw.api.edge import Hot
from bylaw.api.incoming import Incoming
from bylaw.api.links import Links
from bylaw.api.ports import Gateway
from bylaw.api.problems import Answer
from bylaw.api.stopped import stopped
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import RepoId
from bylaw.providers.model import Failed
from bylaw.tenancy.principal import Principal

PATH: Final = "/v1/chat/completions"
MODELS_PATH: Final = "/v1/models"

_encoder = msgspec.json.Encoder()


class ChatRoutes:
    """The handlers of calls of models."""

    def __init__(self, door: Door, gateway: Gateway, links: Links) -> None:
        self._door = door
        self._gateway = gateway
        self._links = links

    def table(self) -> Mapping[tuple[str, str], Hot]:
        """Return the handlers by method and path."""
        return {("POST", PATH): self.complete, ("GET", MODELS_PATH): self.models}

    async def complete(self, incoming: Incoming) -> Answer:
        """Pass a call on, as far as policies allow."""
        caller = self._door.enter(incoming, SCOPE).principal
        chat = strict_json.read(incoming.body, wire.ChatRequest)
        ask = translate.ask_of(chat)
        host = urlsplit(self._links.to("", incoming.headers)).hostname or ""
        context = translate.context_of(chat, host=host)
        repo_id = _repo_of(caller, chat)
        passage = await incoming.attended(self._gateway.pass_on(caller, repo_id, ask, context))
        if passage.failed is not None:
            return translate.failure_of(passage.failed, passage.decisions)
        if passage.completion is not None:
            return translate.answer_of(chat, passage.completion, passage.decisions)
        return translate.refusal_of(stopped(passage.decisions), passage.decisions)

    async def models(self, incoming: Incoming) -> Answer:
        """List the models that may be asked with a key."""
        caller = self._door.enter(incoming, SCOPE).principal
        found = await incoming.attended(self._gateway.models(caller, repo_of(caller)))
        if isinstance(found, Failed):
            return translate.failure_of(found, ())
        offered = tuple(
            wire.OfferedModel(id=model, owned_by=connection.provider) for connection, model in found
        )
        return Answer(status=200, body=_encoder.encode(wire.OfferedModels(data=offered)))


def _repo_of(caller: Principal, chat: wire.ChatRequest) -> RepoId:
    """Return the repo of an application's key. Raises: Forbidden; InvalidInput for another workspace."""
    place, repo_id = place_of(caller)
    named = (chat.metadata or {}).get("workspace_id")
    if named and named != place.workspace_id:
        message = "The key is of another workspace: leave it out, or use a key of that one."
        raise InvalidInput.of("metadata.workspace_id", "unknown_value", message)
    return repo_id


def described() -> Sequence[Described]:
    """Return the routes as data."""
    may_fail = frozenset({400, 401, 403, 404, 413, 415, 429, 500, 502, 503, 504})
    return (
        Described(
            method="POST",
            path=PATH,
            access="scope",
            scope=SCOPE,
            takes=wire.ChatRequest,
            gives=wire.ChatCompletion,
            may_fail=may_fail,
            family="openai",
            fails_with=wire.OpenAiFailure,
            tag="gateway",
            name="create_chat_completion",
            summary="Ask a model, as far as policies allow",
            description="What is asked is decided on before the provider is called, what is answered before"
            " it is delivered. A stream begins once the whole answer is decided on.",
            is_kept=False,
        ),
        Described(
            method="GET",
            path=MODELS_PATH,
            access="scope",
            scope=SCOPE,
            gives=wire.OfferedModels,
            may_fail=failures("GET", MODELS_PATH, "scope", takes=None) - {422} | {502},
            family="openai",
            fails_with=wire.OpenAiFailure,
            tag="gateway",
            name="list_models",
            summary="List the models that may be asked with a key",
        ),
    )
