"""Between OpenAI's chat completions and what the gateway asks and answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import UNSET

from bylaw.api.compat.openai import wire
from bylaw.api.fit import fit
from bylaw.api.problems import Answer, ProblemBody
from bylaw.api.stopped import Stopped, receipt_ids
from bylaw.core.clock import from_rfc3339
from bylaw.core.errors import InvalidInput
from bylaw.decisions import request as requests
from bylaw.decisions.model import Decision, Request
from bylaw.providers.model import Ask, Choice, Completion, Failed, Object, Reason, Usage

_JSON: Final = (b"content-type", b"application/json")
_STREAM: Final = (b"content-type", b"text/event-stream; charset=utf-8")
# What is not sent on to a provider as an option.
_OWN: Final = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "metadata", "user"),
        *("modalities", "logprobs", "top_logprobs"),  # each as it is anyhow
    }
)
# What metadata say about who asks, by the name that decisions have for it.
_WHO: Final = ("user_id", "conversation_id", "agent_id", "approval_id")
_STATUS: Final[Mapping[Reason, int]] = {
    "off": 503,
    "forbidden": 502,
    "busy": 503,
    "unreachable": 502,
    "late": 504,
    "malformed": 502,
    "refused": 502,
    "unsupported": 400,
    "unknown_model": 400,
    "declined": 502,
    "truncated": 502,
}
_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
_SHOWN: Final[Mapping[int, int]] = {422: 400}
_ELSEWHERE: Final = (
    " The gateway passes on POST /v1/chat/completions, GET /v1/models and one of them, and nothing else."
)

_encoder = msgspec.json.Encoder()


def ask_of(chat: wire.ChatRequest) -> Ask:
    """Return what is asked of the model. Raises: InvalidInput for a message of which a part is unknown."""
    fit({"messages": chat.messages}, wire.AllSaid)
    sent = {name: getattr(chat, name) for name in chat.__struct_fields__ if name not in _OWN}
    options: Object = {name: value for name, value in sent.items() if value is not None}
    messages = [_spoken(n, message) for n, message in enumerate(chat.messages)]
    return Ask(model=chat.model, messages=messages, options=options)


def _spoken(number: int, message: Object) -> Object:
    """Return a message whose text is in its content, also when a model refused. Raises: InvalidInput."""
    refusal = message.get("refusal")
    if not refusal:
        return message
    if message.get("content"):
        said = "A message has a content or a refusal: leave one out."
        raise InvalidInput.of(f"messages[{number}].refusal", "unknown_value", said)
    return {**message, "content": refusal, "refusal": None}


def context_of(chat: wire.ChatRequest, *, host: str) -> Request:
    """Return who asks, as metadata say. Raises: InvalidInput for an id that is none."""
    metadata = chat.metadata or {}
    said = {name: metadata[name] for name in _WHO if metadata.get(name) not in (None, "")}
    if chat.user is not None:
        metadata = {**metadata, "user": chat.user}
    context: Object = {**said, "phase": "input", "host": host}
    return requests.read({**context, "metadata": metadata} if metadata else context)


def answer_of(chat: wire.ChatRequest, completion: Completion, decisions: Sequence[Decision]) -> Answer:
    """Return a completion as it is delivered: whole, or as the events of a stream."""
    last = decisions[-1]
    ident, created = f"chatcmpl-{last.receipt_id}", from_rfc3339(last.decided_at) // 1000
    model = completion.model or chat.model
    headers = ((b"x-bylaw-receipt-ids", ",".join(receipt_ids(decisions)).encode()),)
    if not chat.stream:
        whole = wire.ChatCompletion(
            id=ident,
            created=created,
            model=model,
            choices=tuple(_whole(n, each) for n, each in enumerate(completion.choices)),
            usage=_usage(completion.usage),
        )
        return Answer(status=200, body=_encoder.encode(whole), headers=(_JSON, *headers))
    wants_usage = chat.stream_options is not None and chat.stream_options.include_usage
    parts = [part for n, each in enumerate(completion.choices) for part in _chunks(n, each)]
    chunks = [
        wire.ChatChunk(
            id=ident, created=created, model=model, choices=(part,), usage=None if wants_usage else UNSET
        )
        for part in parts
    ]
    if wants_usage:
        used = _usage(completion.usage)
        chunks.append(wire.ChatChunk(id=ident, created=created, model=model, choices=(), usage=used))
    events = [b"data: " + _encoder.encode(chunk) + b"\n\n" for chunk in chunks]
    return Answer(status=200, body=b"".join((*events, b"data: [DONE]\n\n")), headers=(_STREAM, *headers))


def refusal_of(why: Stopped, decisions: Sequence[Decision]) -> Answer:
    """Return what is told of a call that policies stopped."""
    first = why.policies[0] if why.policies else None
    receipts = receipt_ids(decisions)
    error = wire.OpenAiError(
        message=why.message,
        type="policy_violation",
        param=None,
        code="policy_held" if why.is_held else "policy_blocked",
        policy_id=None if first is None else first.id,
        policy_name=None if first is None else first.name,
        policies=tuple(
            wire.StoppingPolicy(id=each.id, name=each.name, version=each.version) for each in why.policies
        ),
        violation_ids=why.violation_ids,
        approval_ids=why.approval_ids,
        attention_ids=why.attention_ids,
        receipt_ids=receipts,
    )
    said = {
        "policy-id": "" if first is None else quote(first.id),
        "policy-name": "" if first is None else quote(first.name),
        "violation-ids": ",".join(why.violation_ids),
        "approval-ids": ",".join(why.approval_ids),
        "receipt-ids": ",".join(receipts),
    }
    headers = tuple((f"x-bylaw-{name}".encode(), text.encode()) for name, text in said.items() if text)
    return _failure(403, error, *headers)


def failure_of(failed: Failed, decisions: Sequence[Decision]) -> Answer:
    """Return what is told when there is no answer of a provider."""
    status = _status(failed)
    code = f"provider_{failed.reason}"
    if failed.reason == "unknown_model" or failed.status == 404:
        code = "model_not_found"
    elif failed.reason == "refused" and status == 400:
        code = "invalid_request"
    elif failed.reason == "unsupported":
        code = "unsupported_parameter"
    error = wire.OpenAiError(message=failed.message, type=_type(status), param=None, code=code)
    wait_s = (
        failed.retry_after_s if failed.retry_after_s is not None else 1 if failed.reason == "busy" else None
    )
    headers = [] if wait_s is None else [(b"retry-after", str(wait_s).encode())]
    if decisions:
        headers.append((b"x-bylaw-receipt-ids", ",".join(receipt_ids(decisions)).encode()))
    return _failure(status, error, *headers)


def dress(problem: ProblemBody) -> Answer:
    """Return a failure as OpenAI has it: an object with a sentence, a type, the field, and a code."""
    status = _SHOWN.get(problem.status, problem.status)
    message = " ".join(f"{each.path}: {each.message}" for each in problem.errors) or problem.detail
    if problem.status == 405 or problem.detail.startswith("There is no /"):
        message += _ELSEWHERE
    param = problem.errors[0].path if problem.errors else None
    code = "invalid_api_key" if status == 401 else problem.code
    return _failure(status, wire.OpenAiError(message=message, type=_type(status), param=param, code=code))


def _failure(status: int, error: wire.OpenAiError, *headers: tuple[bytes, bytes]) -> Answer:
    body = _encoder.encode(wire.OpenAiFailure(error=error))
    return Answer(status=status, body=body, headers=(_JSON, *headers))


def _status(failed: Failed) -> int:
    """Return the status with which a failure is passed on: what the caller cannot mend is no 4xx."""
    if failed.reason != "refused":
        return _STATUS[failed.reason]
    if failed.status == 429:
        return 429
    if failed.status in {408, 504}:
        return 504
    if failed.status in {503, 529}:
        return 503
    return 400 if 400 <= failed.status < 500 and failed.status not in {401, 403, 407} else 502


def _type(status: int) -> str:
    return _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def _usage(usage: Usage) -> wire.ChatUsage:
    return wire.ChatUsage(
        prompt_tokens=usage.tokens_in,
        completion_tokens=usage.tokens_out,
        total_tokens=usage.tokens_in + usage.tokens_out,
    )


def _calls(choice: Choice, *, numbered: bool) -> tuple[wire.ChatToolCall, ...]:
    return tuple(
        wire.ChatToolCall(
            index=n if numbered else UNSET,
            id=each.id,
            function=wire.CalledFunction(name=each.name, arguments=each.arguments),
        )
        for n, each in enumerate(choice.calls)
    )


def _whole(index: int, choice: Choice) -> wire.ChatChoice:
    message = wire.ChatMessage(
        content=choice.text if choice.text or not (choice.refusal or choice.calls) else None,
        refusal=choice.refusal or None,
        tool_calls=_calls(choice, numbered=False) or UNSET,
    )
    return wire.ChatChoice(index=index, message=message, finish_reason=choice.finish)


def _chunks(index: int, choice: Choice) -> Iterator[wire.ChunkChoice]:
    """Yield one answer as parts: who speaks, what is said, and why it ends."""
    deltas = [
        wire.ChatDelta(role="assistant", content=""),
        wire.ChatDelta(content=choice.text or None),
        wire.ChatDelta(refusal=choice.refusal or None),
        wire.ChatDelta(tool_calls=_calls(choice, numbered=True)),
    ]
    for delta in deltas:
        if delta != wire.ChatDelta():
            yield wire.ChunkChoice(index=index, delta=delta)
    yield wire.ChunkChoice(index=index, delta=wire.ChatDelta(), finish_reason=choice.finish)
