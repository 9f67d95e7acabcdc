"""Conversations to learn from: each builder takes what a test cares about."""

from bylaw.learning.mining.transcript import Transcript, transcript
from bylaw.learning.model import Conversation, ConversationId, Message, ToolCall
from bylaw.search.ngrams import NGrams
from bylaw.tenancy.model import Place
from tests.contracts.values import START, A, fresh, place

EMBEDDER = NGrams("tests do without")


def say(line: str, *calls: ToolCall) -> Message:
    """Return a message written as `agent: text`."""
    speaker, _, text = line.partition(":")
    return Message(speaker=speaker.strip(), text=text.strip(), at_ms=START, calls=calls)


def talk(*messages: str | Message, workspace: str | None = None, **given) -> Conversation:
    """Return a resolved conversation of these messages."""
    made = {
        "id": ConversationId(fresh("conv")),
        "tenant_id": A,
        "place": Place() if workspace is None else place(workspace),
        "status": "resolved",
        "created_ms": START,
        "messages": tuple(each if isinstance(each, Message) else say(each) for each in messages),
    }
    return Conversation(**(made | given))


def heard(*conversations: Conversation) -> list[Transcript]:
    """Return conversations as mining reads them."""
    return [transcript(each) for each in conversations]


def refusal(number: int = 0, **given) -> Conversation:
    """Return a conversation in which the agent refuses for a reason."""
    asked = ("Change my ticket.", "I want another flight.", "Move it to Friday.", "Another day please.")
    return talk(
        f"contact: {asked[number % len(asked)]}",
        "agent: I'm sorry, but basic economy tickets cannot be modified.",
        **given,
    )


def call(name: str, result: str = "{}", **arguments) -> ToolCall:
    return ToolCall(name=name, arguments=arguments, result=result)
