"""From what Agent Cert's clients send to a request, and from a decision to what they get: pure functions."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType

from bylaw.api.certificates import CertificateView
from bylaw.api.compat.agentcert.wire import Certificate, NewReceipt, RuleResultView, ToolUse
from bylaw.decisions.model import Decision, Object, Request, RuleResult, ToolCall

# Fields that mean the same in a request.
_SAME = tuple(
    name for name in NewReceipt.__struct_fields__ if name in Request.__struct_fields__ and name != "metadata"
)


def request_of(new: NewReceipt) -> Request:
    """Return what is asked by `new`.

    Rules read the calls as `tool_calls` (they join the metadata, over a key of that name); one call of a
    `tool_call` or `tool_result` phase is the call that the request is about as well.
    """
    calls = new.tool_calls if isinstance(new.tool_calls, list) else []
    about = calls[0] if len(calls) == 1 and new.phase in {"tool_call", "tool_result"} else None
    return Request(
        **{name: getattr(new, name) for name in _SAME},
        metadata=_metadata(new),
        tool_call=UNSET if about is None else ToolCall(name=about.name, arguments=about.arguments),
        tool_result=UNSET if about is None else about.result,
    )


def certificate_of(decision: Decision, said: CertificateView) -> Certificate:
    """Return what is answered: the certificate, with what each rule of the decision came to."""
    return Certificate(
        **msgspec.structs.asdict(said),
        rule_results=tuple(_results(decision)),
        obligations=decision.obligations,
    )


def _metadata(new: NewReceipt) -> Object | UnsetType | None:
    if not isinstance(new.tool_calls, list):
        return new.metadata
    calls: list[object] = [_call(each) for each in new.tool_calls]
    return {**(new.metadata or {}), "tool_calls": calls}


def _call(call: ToolUse) -> Object:
    said: Object = {"name": call.name, "arguments": call.arguments}
    return said if call.result is UNSET else {**said, "result": call.result}


def _results(decision: Decision) -> Iterator[RuleResultView]:
    for policy in decision.policies:
        yield from (_result(rule, policy.id) for rule in policy.rules)
    yield from (_result(rule, None) for rule in decision.extra_rules)


def _result(rule: RuleResult, policy_id: str | None) -> RuleResultView:
    return RuleResultView(**msgspec.structs.asdict(rule), policy_id=policy_id)
