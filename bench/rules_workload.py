"""Twenty rules over the context of one travel booking, in the dialect of every engine that is compared.

A dialect leaves out what its language cannot say; the report shows how many rules each engine ran.
"""

import copy
import re
from collections.abc import Callable
from datetime import datetime

Context = dict[str, object]

CONTEXT: Context = {
    "total": 1873.4,
    "currency": "EUR",
    "payment_state": "authorised",
    "fraud_score": 0.11,
    "contains_passport": False,
    "attempts": 0,
    "fare_conditions": "Economy flex: changes until 24 hours before departure, refund minus 60 EUR, a bag.",
    "subject": "Booking 7QK4PZ, two travellers, Lisbon to Oslo, aisle seats.",
    "calls": ["search_flights", "read_profile", "check_policy", "quote_fare", "send_summary"],
    "customer": {
        "id": "C-20417", "name": "Zoë Ångström & Söhne", "country": "NO",
        "credit": {"grade": 14, "holds": [], "checked_at": "2026-08-14T06:30:00Z"},
        "membership": {"tier": "gold", "until": "2027-06-30T00:00:00Z", "ceiling": 9000},
    },
    "agent": {"id": "a-118", "duty": "supervisor", "teams": ["travel", "nordics", "refunds-2"]},
    "call": {
        "id": "call-8d20f1", "at": "2026-10-02T14:45:10Z", "channel": "chat", "address": "192.0.2.44",
        "client": "booking-agent/3.1 (linux)", "conversation": "k-77105ce2",
    },
    "usage": {"model": "planner-2026-05", "prompt": 6120, "completion": 1190, "price": 0.0584, "warmth": 0.1},
    "segments": [
        {"code": "TP-LIS-OSL", "seats": 2, "fare": 410.0, "flags": ["flex", "nordics"]},
        {"code": "TP-OSL-LIS", "seats": 2, "fare": 385.5, "flags": ["flex"]},
        {"code": "BAG-23", "seats": 1, "fare": 60.0, "flags": ["extra", "checked"]},
        {"code": "SEAT-AISLE", "seats": 2, "fare": 18.9, "flags": ["extra", "seat"]},
        {"code": "MEAL-VEG", "seats": 2, "fare": 14.75, "flags": ["extra"]},
        {"code": "CO2-OFFSET", "seats": 2, "fare": 9.0, "flags": []},
    ],
    "tags": {
        "ledger": "L-3307", "programme": "winter", "stage": "live", "zone": "eu-north",
        "team": "corporate-travel-desk", "case": "TRV-88412",
    },
    "trace": [
        {"call": "search_flights", "ms": 640, "fine": True, "size": 20413},
        {"call": "read_profile", "ms": 38, "fine": True, "size": 1204},
        {"call": "check_policy", "ms": 22, "fine": True, "size": 288},
        {"call": "quote_fare", "ms": 415, "fine": True, "size": 3310},
        {"call": "send_summary", "ms": 890, "fine": True, "size": 1092},
    ],
}  # fmt: skip

PASSAGE = (
    "Passage {n}: the carrier accepts changes to the booking until one day before departure; later changes "
    "cost the difference in fare and a handling fee, and a refund returns to the card that paid. "
)


def large_context() -> Context:
    """Return the same booking with about 31 KB of retrieved text beside it, which no rule reads."""
    passages = [{"id": f"p-{n}", "score": 1 / n, "text": PASSAGE.format(n=n) * 4} for n in range(1, 39)]
    return copy.deepcopy(CONTEXT) | {"passages": passages}


CEL = {
    "r01": "total < 8000",
    "r02": "payment_state == 'authorised'",
    "r03": "'check_policy' in calls",
    "r04": "fare_conditions != null",
    "r05": "size(segments) <= 12 && segments.all(s, s.fare < 500)",
    "r06": "currency in ['EUR', 'NOK', 'SEK']",
    "r07": "customer.credit.grade <= 40",
    "r08": "customer.country != 'XA' && customer.country != 'XB'",
    "r09": "has(agent.duty) && agent.duty in ['supervisor', 'lead']",
    "r10": "!contains_passport",
    "r11": "usage.prompt + usage.completion < 16000",
    "r12": "usage.price <= 0.4",
    "r13": "segments.exists(s, s.code.startsWith('TP-'))",
    "r14": "call.channel == 'chat' || call.channel == 'phone'",
    "r15": "attempts == 0 || has(call.retry_of)",
    "r16": "subject.matches('^[A-Za-z0-9 ,.:-]{1,160}$')",
    "r17": "timestamp(customer.membership.until) > timestamp(call.at)",
    "r18": "size(calls) <= 9 && !('run_shell' in calls)",
    "r19": "total <= customer.membership.ceiling",
    "r20": "fraud_score < 0.25 ? true : agent.duty == 'lead'",
}

_CHARSET = re.compile("^[A-Za-z0-9 ,.:-]{1,160}$")


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(text)  # type: ignore[arg-type]


# What a person would write by hand for exactly these contexts: the floor, without any checking.
PYTHON: dict[str, Callable[[dict], bool]] = {
    "r01": lambda c: c["total"] < 8000,
    "r02": lambda c: c["payment_state"] == "authorised",
    "r03": lambda c: "check_policy" in c["calls"],
    "r04": lambda c: c["fare_conditions"] is not None,
    "r05": lambda c: len(c["segments"]) <= 12 and all(s["fare"] < 500 for s in c["segments"]),
    "r06": lambda c: c["currency"] in ("EUR", "NOK", "SEK"),
    "r07": lambda c: c["customer"]["credit"]["grade"] <= 40,
    "r08": lambda c: c["customer"]["country"] != "XA" and c["customer"]["country"] != "XB",
    "r09": lambda c: "duty" in c["agent"] and c["agent"]["duty"] in ("supervisor", "lead"),
    "r10": lambda c: not c["contains_passport"],
    "r11": lambda c: c["usage"]["prompt"] + c["usage"]["completion"] < 16000,
    "r12": lambda c: c["usage"]["price"] <= 0.4,
    "r13": lambda c: any(s["code"].startswith("TP-") for s in c["segments"]),
    "r14": lambda c: c["call"]["channel"] == "chat" or c["call"]["channel"] == "phone",
    "r15": lambda c: c["attempts"] == 0 or "retry_of" in c["call"],
    "r16": lambda c: _CHARSET.search(c["subject"]) is not None,
    "r17": lambda c: _moment(c["customer"]["membership"]["until"]) > _moment(c["call"]["at"]),
    "r18": lambda c: len(c["calls"]) <= 9 and "run_shell" not in c["calls"],
    "r19": lambda c: c["total"] <= c["customer"]["membership"]["ceiling"],
    "r20": lambda c: True if c["fraud_score"] < 0.25 else c["agent"]["duty"] == "lead",
}

SIMPLEEVAL = {
    "r01": "total < 8000",
    "r02": "payment_state == 'authorised'",
    "r03": "'check_policy' in calls",
    "r04": "fare_conditions != None",
    "r05": "len(segments) <= 12 and all([s.fare < 500 for s in segments])",
    "r06": "currency in ['EUR', 'NOK', 'SEK']",
    "r07": "customer.credit.grade <= 40",
    "r08": "customer.country != 'XA' and customer.country != 'XB'",
    "r09": "'duty' in agent and agent.duty in ['supervisor', 'lead']",
    "r10": "not contains_passport",
    "r11": "usage.prompt + usage.completion < 16000",
    "r12": "usage.price <= 0.4",
    "r13": "any([s.code.startswith('TP-') for s in segments])",
    "r14": "call.channel == 'chat' or call.channel == 'phone'",
    "r15": "attempts == 0 or 'retry_of' in call",
    "r16": "matches(subject, '^[A-Za-z0-9 ,.:-]{1,160}$')",
    "r17": "moment(customer.membership.until) > moment(call.at)",
    "r18": "len(calls) <= 9 and not ('run_shell' in calls)",
    "r19": "total <= customer.membership.ceiling",
    "r20": "True if fraud_score < 0.25 else agent.duty == 'lead'",
}

# Cedar has no floats, sizes, regular expressions or quantifiers over records; decimals compare with decimals.
CEDAR = {
    "r01": 'context.total.lessThan(decimal("8000.0"))',
    "r02": 'context.payment_state == "authorised"',
    "r03": 'context.calls.contains("check_policy")',
    "r04": "context has fare_conditions",
    "r06": '["EUR", "NOK", "SEK"].contains(context.currency)',
    "r07": "context.customer.credit.grade <= 40",
    "r08": 'context.customer.country != "XA" && context.customer.country != "XB"',
    "r09": 'context.agent has duty && ["supervisor", "lead"].contains(context.agent.duty)',
    "r10": "!context.contains_passport",
    "r11": "context.usage.prompt + context.usage.completion < 16000",
    "r12": 'context.usage.price.lessThanOrEqual(decimal("0.4"))',
    "r14": 'context.call.channel == "chat" || context.call.channel == "phone"',
    "r15": "context.attempts == 0 || context.call has retry_of",
    "r17": "context.customer.membership.until > context.call.at",
    "r20": 'if context.fraud_score.lessThan(decimal("0.25")) then true else context.agent.duty == "lead"',
}

# rego-cpp offers no instants; RFC 3339 texts in UTC of one length order as text does. A list is alternatives.
REGO: dict[str, str | list[str]] = {
    "r01": "input.total < 8000",
    "r02": 'input.payment_state == "authorised"',
    "r03": '"check_policy" in input.calls',
    "r04": "input.fare_conditions != null",
    "r05": "count(input.segments) <= 12; every s in input.segments { s.fare < 500 }",
    "r06": 'input.currency in {"EUR", "NOK", "SEK"}',
    "r07": "input.customer.credit.grade <= 40",
    "r08": 'input.customer.country != "XA"; input.customer.country != "XB"',
    "r09": 'input.agent.duty in {"supervisor", "lead"}',
    "r10": "not input.contains_passport",
    "r11": "input.usage.prompt + input.usage.completion < 16000",
    "r12": "input.usage.price <= 0.4",
    "r13": 'some s in input.segments; startswith(s.code, "TP-")',
    "r14": 'input.call.channel in {"chat", "phone"}',
    "r15": ["input.attempts == 0", "input.call.retry_of"],
    "r16": "regex.match(`^[A-Za-z0-9 ,.:-]{1,160}$`, input.subject)",
    "r17": "input.customer.membership.until > input.call.at",
    "r18": 'count(input.calls) <= 9; not "run_shell" in input.calls',
    "r19": "input.total <= input.customer.membership.ceiling",
    "r20": ["input.fraud_score < 0.25", 'input.fraud_score >= 0.25; input.agent.duty == "lead"'],
}


def decisions(context: Context) -> dict[str, bool]:
    """Return what every rule decides about `context`, by the hand-written functions."""
    return {name: rule(context) for name, rule in PYTHON.items()}


def variants() -> list[Context]:
    """Return the booking and eleven worse ones that together break every rule except the one about `null`."""
    changes: list[dict[str, object]] = [
        {},
        {"total": 41000.75},
        {"payment_state": "declined", "currency": "XTS"},
        {"calls": ["run_shell", "read_profile"]},
        {"customer.country": "XA", "customer.credit.grade": 77},
        {"contains_passport": True, "attempts": 3, "fraud_score": 0.8},
        {"agent.duty": "trainee", "usage.price": 3.25},
        {"usage.prompt": 70000, "call.channel": "fax"},
        {"customer.membership.until": "2025-02-01T00:00:00Z"},
        {"segments.2.fare": 912.0},
        {"segments.0.code": "XX-1", "segments.1.code": "XX-2", "subject": "Drop table <script>"},
        {"calls": [f"call_{n}" for n in range(11)]},
    ]
    made = []
    for change in changes:
        context = copy.deepcopy(CONTEXT)
        for path, value in change.items():
            *steps, last = path.split(".")
            place: object = context
            for step in steps:
                place = place[int(step)] if isinstance(place, list) else place[step]  # type: ignore[index]
            place[last] = value  # type: ignore[index]
        made.append(context)
    return made
