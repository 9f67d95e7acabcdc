"""Between conversations as the contract shows them and as they are kept and passed on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from msgspec import UNSET

from bylaw.api.compat.flashback import wire_conversations as wire
from bylaw.api.compat.flashback.ai_keys import AI_TYPES
from bylaw.api.compat.flashback.shown import Shown
from bylaw.api.shape import when
from bylaw.core.clock import Clock, rfc3339
from bylaw.core.errors import BylawError, DeadlineExceeded, InvalidInput, Unavailable
from bylaw.core.ids import Ids
from bylaw.learning.model import Conversation, Message, Speaker
from bylaw.providers.model import Ask, Completion, Failed, Object
from bylaw.tenancy.model import Connection

_ROLES: Final[dict[Speaker, wire.Role]] = {"contact": "user", "human": "assistant", "agent": "assistant"}
_TITLE: Final = 80


def ask(conversation: Conversation, said: wire.Prompt) -> Ask:
    """Return what a model is asked: what was said so far, and the prompt."""
    history: list[Object] = [
        {"role": _ROLES[each.speaker], "content": each.text} for each in conversation.messages
    ]
    return Ask(model=said.model, messages=[*history, {"role": "user", "content": said.prompt}])


def turn(
    said: wire.Prompt, asked: Sequence[Object], completion: Completion, *, clock: Clock, ids: Ids
) -> tuple[Message, Message]:
    """Return what is kept of a turn: what the model was shown last, and what it answered."""
    shown, choice = asked[-1].get("content"), completion.choices[0]
    question = Message(
        speaker="contact",
        text=shown if isinstance(shown, str) else "",
        at_ms=clock.now_ms(),
        id=ids.uuid7(),
        model=said.model,
        tokens=completion.usage.tokens_in,
    )
    answer = replace(
        question,
        speaker="agent",
        text=choice.text or choice.refusal,
        id=ids.uuid7(),
        tokens=completion.usage.tokens_out,
    )
    return question, answer


def failure(failed: Failed) -> BylawError:
    """Return the error that a call without an answer is."""
    if failed.reason in {"unknown_model", "unsupported"} or failed.status in {400, 404, 413, 422}:
        return InvalidInput.of("model", failed.reason, failed.message)
    return DeadlineExceeded(failed.message) if failed.reason == "late" else Unavailable(failed.message)


def model(connection: Connection, name: str) -> wire.AiModel:
    """Return a model of a connection."""
    kind = AI_TYPES[connection.provider]
    return wire.AiModel(id=name, name=name, ai_type=kind, llm_type=kind, llm_provider=connection.name)


async def shown(each: Conversation, names: Shown) -> wire.FlashbackConversation:
    """Return a conversation as lists show it."""
    last_ms = each.messages[-1].at_ms if each.messages else each.created_ms
    return wire.FlashbackConversation(
        id=each.id,
        org_id=each.tenant_id,
        created_by=each.owner.partition(":")[2],
        created_at=rfc3339(each.created_ms),
        last_updated_at=rfc3339(last_ms),
        workspace_id=each.place.workspace_id,
        repo_id=each.place.repo_id,
        tokens_in=_tokens(each, "contact"),
        tokens_out=_tokens(each, "agent"),
        deleted_at=when(each.deleted_ms),
        repo=await names.repo(each.place.repo_id),
        creator=await names.person(each.owner),
        title=_title(each),
    )


def messages(conversation: Conversation) -> wire.FlashbackMessages:
    """Return what was said in a conversation."""
    said = tuple(_message(n, each, conversation) for n, each in enumerate(conversation.messages))
    return wire.FlashbackMessages(messages=said, title=_title(conversation))


def _tokens(conversation: Conversation, speaker: Speaker) -> str:
    return str(sum(each.tokens or 0 for each in conversation.messages if each.speaker == speaker))


def _title(conversation: Conversation) -> str:
    return " ".join(conversation.messages[0].text.split())[:_TITLE] if conversation.messages else ""


def _message(number: int, said: Message, conversation: Conversation) -> wire.FlashbackMessage:
    return wire.FlashbackMessage(
        id=said.id or f"{conversation.id}:{number}",
        conversation_id=conversation.id,
        role=_ROLES[said.speaker],
        content=said.text,
        token_count=UNSET if said.tokens is None else said.tokens,
        model=said.model or UNSET,
        created_at=rfc3339(said.at_ms),
    )
