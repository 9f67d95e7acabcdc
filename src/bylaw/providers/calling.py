"""Calling providers: which words each of them speaks, where it is, and what its failures mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from bylaw.providers import anthropic, embeddings, ollama, openai
from bylaw.providers.http import HttpAnswer, HttpCall, HttpClient
from bylaw.providers.model import Ask, Completion, Failed, Malformed, Object, Unsupported
from bylaw.tenancy.connections import Credentials, credentials_of
from bylaw.tenancy.model import Connection, Provider
from bylaw.tenancy.sealing import Sealer

_TRY_S: Final = 10.0
_MOST_SAID: Final = 300
_OK: Final = range(200, 300)
_ADDRESSES: Final[Mapping[Provider, str]] = MappingProxyType(
    {
        "openai": "https://api.openai.com/v1",
        "anthropic": "https://api.anthropic.com/v1",
        "google": "https://generativelanguage.googleapis.com/v1beta",
    }
)
# What OpenAI alone is told, and what changes no answer: others may refuse what they do not know.
_HINTS: Final = frozenset(
    {"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier"}
)
# Where Google speaks OpenAI's words.
_GOOGLE_CHAT: Final = "/openai"
_NO_AWS: Final = "Connections of AWS cannot be called from here."
_NO_VECTORS: Final = "Only providers that speak OpenAI's words can embed; Ollama does under `/v1`."

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where and as whom a provider is called; an empty address is the provider's own."""

    provider: Provider
    address: str
    credentials: Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of a call: whether it worked, in words."""

    works: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """The words of one kind of provider."""

    path: str
    models_path: str
    body_of: Callable[[Ask], Object]
    read: Callable[[bytes], Completion]
    read_models: Callable[[bytes], tuple[str, ...]]


_OPENAI: Final = _Dialect(
    path=openai.PATH,
    models_path=openai.MODELS_PATH,
    body_of=openai.body_of,
    read=openai.read,
    read_models=openai.read_models,
)
_ANTHROPIC: Final = _Dialect(
    path=anthropic.PATH,
    models_path=anthropic.MODELS_PATH,
    body_of=anthropic.body_of,
    read=anthropic.read,
    read_models=openai.read_models,
)
_OLLAMA: Final = _Dialect(
    path=ollama.PATH,
    models_path=ollama.MODELS_PATH,
    body_of=ollama.body_of,
    read=ollama.read,
    read_models=ollama.read_models,
)


class _Reported(msgspec.Struct, frozen=True):
    error: str | Object = ""


class Providers:
    """Calls providers of models."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def complete(
        self, endpoint: Endpoint, ask: Ask, *, timeout_s: float | None = None
    ) -> Completion | Failed:
        """Return what a model answers, or why there is no answer.

        Units: `timeout_s` in seconds, None for the client's own.
        """
        if endpoint.provider == "aws":
            return Failed(reason="unsupported", message=_NO_AWS)
        dialect = _dialect(endpoint)
        try:
            body = msgspec.json.encode(dialect.body_of(_understood(endpoint, ask)))
        except Unsupported as error:
            return Failed(reason="unsupported", message=str(error))
        url = _chat_address(endpoint) + dialect.path
        headers = _headers(endpoint)
        call = HttpCall(method="POST", url=url, headers=headers, body=body, timeout_s=timeout_s)
        return await self._answered(endpoint, call, dialect.read)

    async def models(self, endpoint: Endpoint) -> tuple[str, ...] | Failed:
        """Return the models that a provider lists for these credentials, or why it lists none."""
        if endpoint.provider == "aws":
            return Failed(reason="unsupported", message=_NO_AWS)
        dialect = _dialect(endpoint)
        url = _chat_address(endpoint) + dialect.models_path
        call = HttpCall(method="GET", url=url, headers=_headers(endpoint), timeout_s=_TRY_S)
        return await self._answered(endpoint, call, dialect.read_models)

    async def embed(
        self, endpoint: Endpoint, model: str, texts: Sequence[str], *, timeout_s: float | None = None
    ) -> tuple[list[float], ...] | Failed:
        """Return the vectors that a model gives texts, or why it gives none.

        Units: `timeout_s` in seconds, None for the client's own.
        """
        if endpoint.provider == "aws" or _dialect(endpoint) is not _OPENAI:
            return Failed(reason="unsupported", message=_NO_VECTORS)
        body = msgspec.json.encode(embeddings.body_of(model, texts))
        url = _chat_address(endpoint) + embeddings.PATH
        call = HttpCall(method="POST", url=url, headers=_headers(endpoint), body=body, timeout_s=timeout_s)
        return await self._answered(endpoint, call, embeddings.read)

    async def try_out(self, endpoint: Endpoint) -> Tried:
        """Return whether a provider accepts the credentials: asking for its models costs nothing."""
        if endpoint.provider == "aws":
            return Tried(works=False, message="Connections of AWS cannot be tried from here.")
        address = endpoint.address or _ADDRESSES.get(endpoint.provider, "")
        headers = _google_headers(endpoint) if endpoint.provider == "google" else _headers(endpoint)
        path = _dialect(endpoint).models_path
        call = HttpCall(method="GET", url=address + path, headers=headers, timeout_s=_TRY_S)
        answer = await self._client.send(call)
        if isinstance(answer, Failed):
            return Tried(works=False, message=answer.message)
        if answer.status in _OK:
            return Tried(works=True, message="The provider answers, and accepts the key.")
        if answer.status in {401, 403}:
            message = f"The provider answers and refuses the key ({answer.status})."
            return Tried(works=False, message=message)
        return Tried(works=False, message=f"The provider answers with status {answer.status}.")

    async def aclose(self) -> None:
        """Close what is open and unused."""
        await self._client.aclose()

    async def _answered(self, endpoint: Endpoint, call: HttpCall, read: Callable[[bytes], T]) -> T | Failed:
        answer = await self._client.send(call)
        if isinstance(answer, Failed):
            return answer
        if answer.status not in _OK:
            return _refused(answer, endpoint)
        try:
            return read(answer.body)
        except Malformed as error:
            return Failed(reason="malformed", message=f"The provider answered what cannot be used: {error}.")


def endpoint_of(connection: Connection, sealer: Sealer) -> Endpoint:
    """Return where and as whom the provider of a connection is called. Raises: Corrupt."""
    credentials = credentials_of(connection, sealer)
    return Endpoint(provider=connection.provider, address=connection.endpoint, credentials=credentials)


def _understood(endpoint: Endpoint, ask: Ask) -> Ask:
    """Return what is asked without hints that are for another provider."""
    if endpoint.provider == "openai" or _HINTS.isdisjoint(ask.options):
        return ask
    return replace(ask, options={name: said for name, said in ask.options.items() if name not in _HINTS})


def _dialect(endpoint: Endpoint) -> _Dialect:
    if endpoint.provider == "anthropic":
        return _ANTHROPIC
    if endpoint.provider == "other" and endpoint.address.endswith("/api"):
        return _OLLAMA
    return _OPENAI


def _chat_address(endpoint: Endpoint) -> str:
    address = endpoint.address or _ADDRESSES.get(endpoint.provider, "")
    if endpoint.provider == "google" and not address.endswith(_GOOGLE_CHAT):
        return address + _GOOGLE_CHAT
    return address


def _headers(endpoint: Endpoint) -> Mapping[str, str]:
    key = endpoint.credentials.secret or endpoint.credentials.key
    if not key:
        return {}
    if endpoint.provider == "anthropic":
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return {"authorization": f"Bearer {key}"}


def _google_headers(endpoint: Endpoint) -> Mapping[str, str]:
    key = endpoint.credentials.secret or endpoint.credentials.key
    return {"x-goog-api-key": key} if key else {}


def _refused(answer: HttpAnswer, endpoint: Endpoint) -> Failed:
    """Return what a failure of the provider means; what it says of credentials is not repeated."""
    if answer.status in {401, 403}:
        message = f"The provider refuses the credentials of the connection ({answer.status})."
        return Failed(reason="refused", message=message, status=answer.status)
    wait = answer.headers.get("retry-after", "")
    return Failed(
        reason="refused",
        message=_said(answer, endpoint) or f"The provider answers with status {answer.status}.",
        status=answer.status,
        retry_after_s=int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 6 else None,
    )


def _said(answer: HttpAnswer, endpoint: Endpoint) -> str:
    """Return the sentence in which a provider says what is wrong, without the credentials."""
    try:
        error = openai.decoded(answer.body, _Reported).error
    except Malformed:
        return ""
    message = error.get("message") if isinstance(error, dict) else error
    if not isinstance(message, str):
        return ""
    for secret in (endpoint.credentials.key, endpoint.credentials.secret):
        message = message.replace(secret, "[credentials]") if secret else message
    return "".join(each if each.isprintable() else " " for each in message[:_MOST_SAID])
