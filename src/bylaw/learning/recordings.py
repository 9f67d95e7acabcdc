"""Recorded conversations taken over, each whole or not at all, and never twice.

What is read of a record: `id`, `messages`, and, where they are there, `status` (`resolved`), `outcome`,
`human_managed`, `created_at`, and the fields of the contact, account and channel. Messages are our own
(`speaker`, `text`, `created_at`) or those of a provider, in any form that replay reads; results of tools join
the calls that they answer. Other fields are left out.

What is imported is known as `workspace:id`: ids of recordings are of their workspace, and tell nobody what
there is in another one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args
from urllib.parse import quote

from bylaw.backtest.messages import Message as Recorded
from bylaw.backtest.messages import told
from bylaw.core import strict_json
from bylaw.core.clock import from_rfc3339
from bylaw.core.errors import InvalidInput, Problem
from bylaw.core.ids import TenantId, WorkspaceId
from bylaw.learning.conversations import MAX_MESSAGES, MAX_SAID, WRITES
from bylaw.learning.model import (
    Conversation,
    ConversationId,
    ConversationStatus,
    Message,
    Speaker,
    ToolCall,
)
from bylaw.learning.runs import StartingUnit, learn_from
from bylaw.tenancy.model import Place
from bylaw.tenancy.naming import checked_id
from bylaw.tenancy.places import read_workspace
from bylaw.tenancy.principal import Acting

Data = Mapping[str, object]
ImportOutcome = Literal["imported", "unchanged", "refused"]

_SPEAKERS: Final[Mapping[str, Speaker]] = {
    "user": "contact",
    "customer": "contact",
    "contact": "contact",
    "assistant": "agent",
    "agent": "agent",
    "bot": "agent",
    "human": "human",
    "operator": "human",
    "colleague": "human",
}
_MAX_RESULT: Final = 20_000  # characters of a tool's result that are kept
_MAX_FIELD: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a record: by its place in what was sent, as what it is known, and why it is refused."""

    place: int
    id: str
    outcome: ImportOutcome
    problems: tuple[Problem, ...] = ()


async def import_recordings(
    acting: Acting[StartingUnit], workspace_id: WorkspaceId, records: Sequence[object], *, learn: bool = True
) -> list[Imported]:
    """Store the conversations that are recorded, and return what became of each; a known id stays as it is.

    With `learn`, what is new and resolved causes one run. Raises: Forbidden, NotFound.
    """
    await read_workspace(acting, workspace_id)
    acting.principal.require(WRITES, Place(workspace_id=workspace_id))
    imported: list[Imported] = []
    lesson: Conversation | None = None
    for place, record in enumerate(records):
        try:
            conversation = recorded(
                record,
                tenant_id=acting.unit.tenant_id,
                workspace_id=workspace_id,
                now_ms=acting.clock.now_ms(),
            )
        except InvalidInput as error:
            problems = error.problems or (Problem(path="", code="unreadable", message=error.message),)
            imported.append(
                Imported(place=place, id=_id(record), outcome="refused", problems=tuple(problems))
            )
            continue
        known = await _known(acting, record, conversation)
        if known is None:
            await acting.unit.conversations.add(conversation)
            lesson = conversation if conversation.status == "resolved" else lesson
            imported.append(Imported(place=place, id=conversation.id, outcome="imported"))
        elif known.place.workspace_id == workspace_id:
            imported.append(Imported(place=place, id=known.id, outcome="unchanged"))
        else:
            taken = Problem(path="id", code="taken", message="This id cannot be used here: choose another.")
            imported.append(Imported(place=place, id=conversation.id, outcome="refused", problems=(taken,)))
    if learn and lesson is not None:
        await learn_from(acting, lesson, cause="imported")
    return imported


async def _known(
    acting: Acting[StartingUnit], record: object, conversation: Conversation
) -> Conversation | None:
    """Return what a record is already, or None: a conversation of its workspace may have its bare id."""
    bare = await acting.unit.conversations.get(ConversationId(_id(record)))
    if bare is not None and not bare.owner and bare.place.workspace_id == conversation.place.workspace_id:
        return bare
    return await acting.unit.conversations.get(conversation.id)


def imported_id(workspace_id: WorkspaceId, ident: str) -> ConversationId:
    """Return as what a recorded conversation of a workspace is known."""
    return ConversationId(f"{quote(workspace_id, safe='')}:{ident}")


def recorded(record: object, *, tenant_id: TenantId, workspace_id: WorkspaceId, now_ms: int) -> Conversation:
    """Return the conversation that a record holds. Raises: InvalidInput that names what cannot be read."""
    if not isinstance(record, Mapping):
        raise _unreadable("", "A conversation is a JSON object with an id and messages.")
    ident = record.get("id")
    if not isinstance(ident, str):
        raise _unreadable("id", "A conversation has an id, which is a text.")
    messages = _messages(record.get("messages"), now_ms)
    status = _status(record.get("status", "resolved"))
    ended = status == "resolved"
    created_ms = _moment(record.get("created_at"), "created_at")
    return Conversation(
        id=imported_id(workspace_id, checked_id(ident)),
        tenant_id=tenant_id,
        place=Place(workspace_id=workspace_id),
        status=status,
        human_managed=record.get("human_managed") is True,
        messages=messages,
        outcome=_text(record, "outcome") or None,
        resolved_ms=now_ms if ended else None,
        created_ms=min([now_ms, *(each.at_ms for each in messages)]) if created_ms is None else created_ms,
        channel_id=_text(record, "channel_id"),
        contact_id=_text(record, "contact_id"),
        contact_name=_text(record, "contact_name"),
        contact_email=_text(record, "contact_email"),
        account_id=_text(record, "account_id"),
        account_name=_text(record, "account_name"),
    )


def _messages(value: object, now_ms: int) -> tuple[Message, ...]:
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise _unreadable("messages", "The messages of a conversation are a list of objects.")
    if len(value) > MAX_MESSAGES:
        raise _unreadable("messages", f"At most {MAX_MESSAGES} messages; this has {len(value)}.")
    messages = _own(value, now_ms) if any("speaker" in each for each in value) else _provided(value, now_ms)
    if sum(len(each.text) for each in messages) > MAX_SAID:
        raise _unreadable("messages", f"At most {MAX_SAID} characters are said in a conversation.")
    return messages


def _own(value: Sequence[Data], now_ms: int) -> tuple[Message, ...]:
    """Return messages that are recorded in our own words."""
    made: list[Message] = []
    for index, each in enumerate(value):
        at = f"messages[{index}]"
        speaker = str(each.get("speaker"))
        if speaker not in get_args(Speaker):
            raise _unreadable(f"{at}.speaker", f"Who speaks is one of {', '.join(get_args(Speaker))}.")
        text = each.get("text", "")
        if not isinstance(text, str):
            raise _unreadable(f"{at}.text", "What is said is a text.")
        at_ms = _moment(each.get("created_at"), f"{at}.created_at")
        made.append(
            Message(
                speaker=_SPEAKERS[speaker],
                text=text,
                at_ms=now_ms if at_ms is None else at_ms,
                calls=_own_calls(each.get("calls", []), f"{at}.calls"),
            )
        )
    return tuple(made)


def _own_calls(value: object, at: str) -> tuple[ToolCall, ...]:
    if not isinstance(value, list):
        raise _unreadable(at, "The calls beside a message are a list.")
    made: list[ToolCall] = []
    for each in value:
        match each:
            case {"name": str(name), "arguments": dict(arguments)}:
                result = each.get("result", "")
                made.append(ToolCall(name=name, arguments=arguments, result=str(result)[:_MAX_RESULT]))
            case _:
                raise _unreadable(at, "A call has a name and arguments, which are an object.")
    return tuple(made)


def _provided(value: Sequence[Data], now_ms: int) -> tuple[Message, ...]:
    """Return messages in the form of a provider; those to the agent from its developers are left out."""
    made: list[Message] = []
    for message in told(value, at="messages"):
        if message.role == "tool":
            _answer(made, message)
        elif (speaker := _SPEAKERS.get(message.role)) is not None:
            at = f"messages[{message.index}]"
            calls = tuple(
                ToolCall(name=call.name, arguments=_checked(call.arguments, at)) for call in message.calls
            )
            made.append(
                Message(speaker=speaker, text=message.text, at_ms=now_ms, id=_ids(message), calls=calls)
            )
    return tuple(replace(each, id="") for each in made)


def _checked(arguments: Data, at: str) -> Data:
    """Return arguments, which a provider writes as text, if they are what a request may hold."""
    try:
        strict_json.parse(json.dumps(arguments).encode())
    except (InvalidInput, RecursionError):
        message = "What is passed to a tool is JSON without NUL, halves of characters and endless numbers."
        raise _unreadable(at, message) from None
    return arguments


def _ids(message: Recorded) -> str:
    """Return the ids of the calls beside a message, to be found by while results are read."""
    return "\n".join(call.id for call in message.calls)


def _answer(made: list[Message], result: Recorded) -> None:
    """Put a result beside the last call of its id that has none yet."""
    for place in range(len(made) - 1, -1, -1):
        idents = made[place].id.split("\n")
        for number, call in enumerate(made[place].calls):
            if idents[number] == result.answers and not call.result:
                answered = replace(call, result=result.text[:_MAX_RESULT])
                calls = (*made[place].calls[:number], answered, *made[place].calls[number + 1 :])
                made[place] = replace(made[place], calls=calls)
                return


def _status(value: object) -> ConversationStatus:
    known: tuple[ConversationStatus, ...] = get_args(ConversationStatus)
    for each in known:
        if value == each:
            return each
    raise _unreadable("status", f"The status is one of {', '.join(known)}.")


def _text(record: Data, name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    most = MAX_SAID if name == "outcome" else _MAX_FIELD
    if not isinstance(value, str) or len(value) > most:
        raise _unreadable(name, f"It is a text of at most {most} characters.")
    return value


def _moment(value: object, at: str) -> int | None:
    if value is None:
        return None
    try:
        return from_rfc3339(value if isinstance(value, str) else "")
    except ValueError:
        raise _unreadable(at, "Write a moment as RFC 3339 with an offset: 2026-01-01T00:00:00Z.") from None


def _id(record: object) -> str:
    ident = record.get("id") if isinstance(record, Mapping) else None
    return ident[:_MAX_FIELD] if isinstance(ident, str) else ""


def _unreadable(path: str, message: str) -> InvalidInput:
    return InvalidInput(
        f"{path}: {message}" if path else message, Problem(path=path, code="unreadable", message=message)
    )
