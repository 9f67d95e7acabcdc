"""Keys with which the applications of a repo call models through the gateway."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter

from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import wire_connections as wire
from bylaw.api.compat.flashback.wire import FlashbackConfirmation
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.api.shape import when
from bylaw.core.clock import rfc3339
from bylaw.core.errors import NotFound
from bylaw.core.ids import KeyId, RepoId
from bylaw.tenancy import gateway_keys
from bylaw.tenancy.model import ApiKey, Provider
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["flashback"], route_class=Route)

Reading = Annotated[Acting[Unit], needs(gateway_keys.READS)]
Writing = Annotated[Acting[Unit], needs(gateway_keys.WRITES)]

PROVIDERS: Final[Mapping[wire.AiType, Provider]] = MappingProxyType(
    {"OPENAI": "openai", "GOOGLE": "google", "ANTHROPIC": "anthropic", "AWS": "aws", "OTHER": "other"}
)
AI_TYPES: Final[Mapping[Provider, wire.AiType]] = MappingProxyType(
    {provider: ai_type for ai_type, provider in PROVIDERS.items()}
)


@router.post("/repo/{repo_id}/ai/apikey")
async def create_ai_key(
    acting: Writing, repo_id: RepoId, new: Annotated[wire.NewAiApiKey, body(wire.NewAiApiKey)]
) -> Reply[wire.MadeAiApiKey]:
    """Make a key. Its `secret` is shown this once; to replace it, make another and delete this one."""
    made = await gateway_keys.mint_gateway_key(
        acting, repo_id, name=new.name, provider=PROVIDERS[new.ai_type]
    )
    return Reply(_made(made.key, made.raw), kept=_made(made.key, None))


@router.get("/repo/{repo_id}/ai/apikey")
async def list_ai_keys(acting: Reading, repo_id: RepoId) -> Reply[wire.AiApiKeys]:
    """List the keys of a repo that are in use, newest first."""
    found = await gateway_keys.list_gateway_keys(acting, repo_id)
    return Reply(wire.AiApiKeys(api_keys=tuple(_shown(key, repo_id) for key in found)))


@router.put("/repo/{repo_id}/ai/apikey/{ai_key_id}")
async def rename_ai_key(
    acting: Writing,
    repo_id: RepoId,
    ai_key_id: KeyId,
    change: Annotated[wire.AiApiKeyChange, body(wire.AiApiKeyChange)],
) -> Reply[FlashbackConfirmation]:
    """Give a key another name; violations keep the one that it had."""
    if change.name is None:
        found = await gateway_keys.list_gateway_keys(acting, repo_id)
        if all(key.id != ai_key_id for key in found):
            raise NotFound("key", ai_key_id)
    else:
        await gateway_keys.rename_gateway_key(acting, repo_id, ai_key_id, name=change.name)
    return Reply(FlashbackConfirmation(message="The API key is changed."))


@router.delete("/repo/{repo_id}/ai/apikey/{ai_key_id}")
async def delete_ai_key(acting: Writing, repo_id: RepoId, ai_key_id: KeyId) -> Reply[FlashbackConfirmation]:
    """Revoke a key for good; what it did stays known by its name."""
    await gateway_keys.revoke_gateway_key(acting, repo_id, ai_key_id)
    return Reply(FlashbackConfirmation(message="The API key is deleted."))


def _made(key: ApiKey, raw: str | None) -> wire.MadeAiApiKey:
    message = "The API key is made: keep the secret, it is not shown again."
    return wire.MadeAiApiKey(id=key.id, key=key.prefix, secret=raw, message=message)


def _shown(key: ApiKey, repo_id: RepoId) -> wire.AiApiKey:
    return wire.AiApiKey(
        id=key.id,
        name=key.name,
        repo_id=repo_id,
        key=key.prefix,
        ai_type=AI_TYPES[key.provider or "other"],
        created_at=rfc3339(key.created_ms),
        deleted_at=when(key.revoked_ms),
    )
