"""Of whom or what a rule speaks: the answer, the customer, anybody's texts, or one field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bylaw.evaluators.offline.grammar import listed
from bylaw.evaluators.offline.reading import Facts, argument_texts, is_text, texts
from bylaw.rules.spelling import MISSING, Path

SubjectKind = Literal[
    "answer", "calls", "interaction", "request", "customer", "anyone", "conversation", "field"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The texts that a rule speaks of; `field` names one for rules about a field."""

    kind: SubjectKind
    field: str = ""

    @property
    def said(self) -> str:
        """How a sentence calls it."""
        return f"the field {self.field}" if self.field else _SAID[self.kind]

    @property
    def is_asked(self) -> bool:
        """Whether it is what is asked, of which an answer holds nothing."""
        return self.kind in {"request", "customer"}

    @property
    def own(self) -> "Subject":
        """What it means in a duty of the agent, who answers for its own part of what is said."""
        return ANSWER if self.kind == "anyone" else self

    @property
    def speaks_in_calls(self) -> bool:
        """Whether what a call of a tool says counts as well."""
        return self.kind in {"answer", "anyone", "calls", "interaction"}

    def texts(self, facts: Facts, *, in_calls: bool = True) -> "Texts":
        """Return what is said, also `in_calls` where it speaks there; there is nothing when it is absent."""
        if self.field:
            value = fact(self.field, facts)
            return Texts(texts=(value,) if isinstance(value, str) else (), is_all=True)
        said = [*_parts(self.kind, facts)]
        found = [text for each in said for text in texts(each)]
        call = facts.get("tool_call")
        if in_calls and self.speaks_in_calls and isinstance(call, Mapping):
            found.append(argument_texts(call))
        is_whole = self.kind != "conversation" or "messages" in facts
        is_known = self.kind != "customer" or _speakers(facts) <= _SPEAKERS
        return Texts(texts=tuple(found), is_all=is_whole and is_known and all(map(is_text, said)))

    def is_to_come(self, facts: Facts, phases: tuple[str, ...]) -> bool:
        """Return whether it is the answer, of which there is none yet in one of the `phases`."""
        return self.kind == "answer" and "agent_output" not in facts and facts.get("phase") in phases


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts of a subject, and whether nothing is said beside them."""

    texts: tuple[str, ...]
    is_all: bool


ANSWER: Final = Subject(kind="answer")
CALLS: Final = Subject(kind="calls")
INTERACTION: Final = Subject(kind="interaction")
CUSTOMER: Final = Subject(kind="customer")

_SAID: Final[Mapping[SubjectKind, str]] = {
    "answer": "the agent's answer",
    "calls": "what is passed to tools",
    "interaction": "what is asked or answered now",
    "request": "what is asked",
    "customer": "what the customer says",
    "anyone": "what is asked and answered",
    "conversation": "the conversation",
    "field": "a field",
}
_FIELDS: Final[Mapping[SubjectKind, tuple[str, ...]]] = {
    "answer": ("agent_output",),
    "calls": (),
    "interaction": ("user_intent", "agent_output"),
    "request": ("user_intent",),
    "customer": ("user_intent", "messages"),
    "anyone": ("user_intent", "agent_output", "messages"),
    "conversation": ("user_intent", "agent_output", "messages"),
    "field": (),
}
_CUSTOMERS: Final = frozenset({"user", "customer", "human", "client"})
# Who else speaks in messages, and is no customer.
_SPEAKERS: Final = _CUSTOMERS | {
    *("assistant", "agent", "ai", "bot", "model", "system", "developer", "tool", "function")
}

_AGENT: Final = frozenset(listed("agent assistant bot chatbot ai model llm system you"))
_CUSTOMER_WORDS: Final = frozenset(listed("customer user client caller visitor guest buyer"))
_KINDS: Final[Mapping[str, SubjectKind]] = {
    **dict.fromkeys(("", "output", "answer", "reply", "response", "completion", "it"), "answer"),
    **dict.fromkeys(_AGENT, "answer"),
    **dict.fromkeys(("input", "prompt", "request", "intent", "query"), "request"),
    **dict.fromkeys(_CUSTOMER_WORDS, "customer"),
    **dict.fromkeys(("text", "message", "content"), "anyone"),
    **dict.fromkeys(("interaction", "ai interaction"), "interaction"),
    **dict.fromkeys(("conversation", "chat", "transcript", "dialogue", "dialog"), "conversation"),
}
_DROPPED: Final = frozenset(
    listed(
        "a an the any all every each this that these those your its our their final generated outgoing whole"
        " entire agent-generated ai-generated"
    )
)
# Who has no field of that name: what they say is in none of the texts.
_PEOPLE: Final = frozenset(
    listed(
        "employee staff recruiter interviewer manager supervisor advisor adviser representative rep team"
        " colleague developer engineer reviewer person people nobody anyone anybody everybody everyone"
        " someone hr legal support sales"
    )
)
_SENDING: Final = re.compile(r"(?:(?:please|always) )*(?:do not|don't) send\b", re.IGNORECASE)
_NO_FIELD: Final = re.compile(
    r"\b(?:and|or|of|to|if|when|with|without|unless|it|they|we|i|he|she|there|no|not|who|which|that)\b"
)


def subject_of(words: str) -> Subject | None:
    """Return the subject that `words` name; a noun that is none of them is the name of a field."""
    bare = [word for word in words.lower().replace("'s", "").split() if word not in _DROPPED]
    bare = [word.rstrip("'") for word in bare]
    name = " ".join(bare)
    kind = _KINDS.get(name) or _KINDS.get(_singular(name))
    if kind is not None:
        return Subject(kind=kind)
    if len(bare) > 1 and _singular(bare[0]) in _AGENT | _CUSTOMER_WORDS:
        kind = _KINDS.get(_singular(bare[-1]))
        if kind is not None and len(bare) <= 3:
            is_customer = _singular(bare[0]) in _CUSTOMER_WORDS
            return (
                CUSTOMER
                if is_customer and bare[-1] not in {"input", "inputs"}
                else (Subject(kind="request") if is_customer else ANSWER)
            )
        if _singular(bare[-1]) in _AGENT:
            return ANSWER
    if bare and _singular(bare[-1]) in _PEOPLE:
        return None
    if len(bare) <= 4 and re.fullmatch(r"[a-z_][\w. ]*", name) and not _NO_FIELD.search(name):
        return Subject(kind="field", field=name.replace(" ", "_"))
    return None


def is_sent(wording: str) -> bool:
    """Return whether a rule speaks of what the agent sends, whatever it calls it."""
    return _SENDING.match(wording) is not None


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word.removesuffix("s")


def _parts(kind: SubjectKind, facts: Facts) -> Iterator[object]:
    for name in _FIELDS[kind]:
        value = facts.get(name)
        if kind == "customer" and name == "messages" and isinstance(value, list):
            for message in value:
                if isinstance(message, Mapping) and str(message.get("role", "")).lower() in _CUSTOMERS:
                    yield message
        else:
            yield value
    if kind == "interaction":
        yield from _newest(facts)


def _newest(facts: Facts) -> Iterator[object]:
    """Yield the last message, if a customer said it."""
    messages = facts.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, Mapping) and str(last.get("role", "")).lower() in _CUSTOMERS:
        yield last


def _speakers(facts: Facts) -> frozenset[str]:
    messages = facts.get("messages")
    said = messages if isinstance(messages, list) else []
    return frozenset(str(each.get("role", "")).lower() for each in said if isinstance(each, Mapping))


def facts_called(name: str, facts: Facts) -> list[object]:
    """Return the facts of that name."""
    call = facts.get("tool_call")
    path = Path(name)
    places = (facts.get("metadata"), call.get("arguments") if isinstance(call, Mapping) else None)
    found = [path.find(place) for place in places if isinstance(place, Mapping)]
    return [value for value in found if value is not MISSING]


def fact(name: str, facts: Facts) -> object:
    """Return the fact of that name, MISSING when there is none or two that differ."""
    values = facts_called(name, facts)
    return values[0] if values and all(value == values[0] for value in values) else MISSING
