"""Decisions: how `engine.decide` grows with the policies in force, and beside Agent Governance Toolkit."""

import asyncio
import importlib
import itertools
import time
from collections.abc import Callable
from functools import partial
from types import ModuleType

from bench.report import Table
from bylaw.core.clock import SystemClock
from bylaw.core.errors import RuleSyntax
from bylaw.core.ids import Ids, PolicyId, TenantId, WorkspaceId
from bylaw.decisions.compiled import compile_policy
from bylaw.decisions.engine import Engine
from bylaw.decisions.model import Decision, Request
from bylaw.decisions.request import read
from bylaw.decisions.snapshot import Material, Snapshots, build
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.evaluators.panel import Panel
from bylaw.policies.model import Content, Current, DeterministicRule, NaturalRule, Policy, Version, outline
from bylaw.rules import compile as compile_rule
from bylaw.tenancy.model import EVERYWHERE, Place, Workspace
from bylaw.tenancy.principal import Grant, Principal
from tests.rules.hostile import BUDGET, HOSTILE, Hostile

TENANT = TenantId("bench")
HERE, ELSEWHERE = WorkspaceId("here"), WorkspaceId("elsewhere")
CALLER = Principal(
    tenant_id=TENANT, kind="key", id="key", grants=(Grant(scopes=frozenset({"decisions:write"})),)
)
RULES = (
    "amount < 5000",
    "vendor.status == 'approved'",
    "tools_used.contains('policy_check')",
    "retrieval_summary != null",
    "size(items) <= 10 && items.all(i, i.price < 100)",
)
REQUEST = {
    "agent_id": "invoices",
    "workspace_id": "here",
    "phase": "tool_call",
    "user_intent": "Pay the invoice of Nordlicht Papier for March.",
    "tool_call": {"name": "pay_invoice", "arguments": {"amount": 1200, "currency": "EUR"}},
    "tools_used": ["lookup_vendor", "policy_check"],
    "retrieval_summary": "Vendor record found, approved in 2024, no open disputes.",
    "topics": ["invoices"],
    "metadata": {
        "amount": 1200,
        "vendor": {"status": "approved", "country": "DE"},
        "items": [{"name": "paper", "price": 40}, {"name": "ink", "price": 80}],
    },
}


def run(*, quick: bool) -> list[Table]:
    """Return the cost over policies that do not apply, the comparison, and how long others wait."""
    rounds = 2_000 if quick else 20_000
    return [growth(rounds), comparison(rounds // 10), holds(1 if quick else 5)]


def growth(rounds: int) -> Table:
    """Return the time of one decision with 10 to 10,000 policies in force, 20 rules applying."""
    rows: list[tuple[object, ...]] = []
    for count in (10, 100, 1_000, 10_000):
        policies = _in_force(count)
        snapshots = Snapshots()
        compiled, indexed = _publish(snapshots, policies)
        engine = _engine(snapshots)
        request = read(REQUEST)
        decision = _decide(engine, request)
        assert decision.outcome == "allow"
        assert sum(len(each.rules) for each in decision.policies) == 20
        p50, p99 = _quantiles(partial(_decide, engine, request), rounds)
        rows.append((count, p50, p99, compiled * 1000, indexed * 1000))
    return Table(
        title="engine.decide by policies in force, 20 rules applying",
        columns=("policies in force", "p50 µs", "p99 µs", "compiled ms", "indexed ms"),
        rows=rows,
        notes=[
            "10 policies with two rules each apply. Of the others a quarter each govern another workspace,",
            "carry another topic, want another tool in their conditions, or are bound to another agent.",
            "A decision: selection, conditions, rules, digest, receipt id and the answer; not the receipt.",
        ],
    )


def comparison(rounds: int) -> Table:
    """Return the time of one decision by 1, 10 and 100 equivalent rules, all of which have to be seen."""
    evaluator, mesh = _module("agent_os.policies"), _module("agentmesh.governance.policy")
    rows: list[tuple[object, ...]] = []
    for facts, count, denied in itertools.product(("six flat", "a tool call"), (1, 10, 100), (False, True)):
        seen = _facts(10_000_000 if denied else 10) | ({} if facts == "six flat" else CALL_FACTS)
        contenders = (
            _bylaw(count, seen),
            evaluator and _agent_os(evaluator, count, seen),
            mesh and _agentmesh(mesh, count, seen),
        )
        assert all(decide is None or decide() is not denied for decide in contenders)
        times = _interleaved(contenders, max(200, rounds * 10 // count))
        ratios = [time and times[0] and time / times[0] for time in times[1:]]
        rows.append((facts, count, "denied" if denied else "allowed", *times, *ratios))
    return Table(
        title="beside Agent Governance Toolkit (agent-governance-toolkit-core), median µs per decision",
        columns=("facts", "rules", "verdict", "Bylaw", "evaluator", "engine", "x evaluator", "x engine"),
        rows=rows,
        notes=[
            "evaluator: PolicyEvaluator of agent_os.policies; engine: PolicyEngine of agentmesh.governance.",
            "Each gets parsed input with the same facts and one document of rules; only the last can deny.",
            "Bylaw decides as a dry run, since the other two record nothing, and reports every rule; the",
            "evaluator reports the first match with a copy of the facts, the engine the strongest match.",
            *(
                []
                if evaluator and mesh
                else ["Not installed here: it needs an environment of its own, which `make bench` makes."]
            ),
        ],
    )


def holds(rounds: int) -> Table:
    """Return how long one hostile request keeps the event loop from everybody else."""
    things = ["personal data", *[f"'{'1 ' * 29}{number}'" for number in range(9)]]
    wordy = NaturalRule(id="w", text=f"The output must not contain {' or '.join(things)}.", effect="reject")
    texts = {"numbers": "1 2 3 4 5 6 " * 83_000, "digits": "1 " * 500_000, "words": "lorem ipsum " * 83_000}
    rows = [
        (f"expressions: {each.name}", *_held(rounds, [each.rule] * 4, metadata=each.context()))
        for each in _costly()
    ]
    rows.sort(key=lambda row: -row[1])
    del rows[5:]
    rows += [
        (f"words, a text of 1 MB: {name}", *_held(rounds, [wordy], agent_output=text))
        for name, text in texts.items()
    ]
    return Table(
        title="the longest that one request holds the event loop",
        columns=("what its rules do", "longest hold, CPU ms", "whole decision, CPU ms"),
        rows=rows,
        notes=[
            "Expressions: the costliest hostile inputs of tests/rules, four times in one policy, which take",
            "every step that a decision has. Words: a rule that names ten things, over texts that are slow.",
        ],
    )


def _costly() -> list[Hostile]:
    """Return the hostile inputs that compile and end only when their steps do."""
    return [each for each in HOSTILE if BUDGET in each.ends and _compiles(each.rule)]


def _compiles(rule: str) -> bool:
    try:
        compile_rule(rule)
    except RuleSyntax:
        return False
    return True


def _held(rounds: int, rules: list[str | NaturalRule], **sent: object) -> tuple[float, float]:
    """Return the milliseconds of processor between two turns of others, at most, and of the decision."""
    engine = _one_policy(*rules)
    request = Request(workspace_id="here", dry_run=True, **sent)
    runs = sorted(asyncio.run(_turns(engine, request)) for _ in range(rounds))
    return runs[len(runs) // 2]


async def _turns(engine: Engine, request: Request) -> tuple[float, float]:
    began = last = time.thread_time()
    longest = 0.0
    deciding = asyncio.ensure_future(engine.decide(request, CALLER))
    while not deciding.done():
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    deciding.result()
    return longest * 1000, (last - began) * 1000


def _one_policy(*rules: str | NaturalRule) -> Engine:
    snapshots = Snapshots()
    snapshots.publish(build(_material([_policy("p", *rules)], 1)))
    return _engine(snapshots)


def _in_force(count: int) -> list[Current]:
    policies = [_policy(f"applies-{n}", RULES[n % 5], RULES[(n + 1) % 5]) for n in range(10)]
    others = itertools.cycle(
        (
            lambda n: _policy(f"o{n}", RULES[n % 5], place=Place(workspace_id=ELSEWHERE)),
            lambda n: _policy(f"o{n}", RULES[n % 5], topic=f"topic {n}"),
            lambda n: _policy(f"o{n}", RULES[n % 5], conditions={"tool_call.name": f"tool{n}"}),
            lambda n: _policy(f"o{n}", RULES[n % 5], reach="bound"),
        )
    )
    return policies + [next(others)(n) for n in range(count - 10)]


def _policy(
    ident: str, *rules: str | NaturalRule, place: Place = EVERYWHERE, reach="place", **content
) -> Current:
    written = tuple(
        rule if isinstance(rule, NaturalRule) else DeterministicRule(id=f"r{n}", expr=rule)
        for n, rule in enumerate(rules, 1)
    )
    version = Version(
        policy_id=PolicyId(ident), number=1, content=Content(name=ident, rules=written, **content),
        digest=f"sha256:{ident}", author="bench", reason="", created_ms=0,
    )  # fmt: skip
    policy = Policy(
        id=PolicyId(ident), tenant_id=TENANT, place=place, reach=reach,
        created_by="bench", created_ms=0, updated_by="bench", updated_ms=0,
    )  # fmt: skip
    return Current(policy=policy, version=version)


def _material(policies: list[Current], revision: int) -> Material:
    workspaces = [Workspace(id=each, tenant_id=TENANT, name=each, created_ms=0) for each in (HERE, ELSEWHERE)]
    return Material(
        tenant_id=TENANT, revision=revision, policies=[outline(each) for each in policies],
        compiled={each.policy.id: compile_policy(each) for each in policies}, workspaces=workspaces,
    )  # fmt: skip


def _engine(snapshots: Snapshots) -> Engine:
    clock = SystemClock()
    return Engine(snapshots=snapshots, panel=Panel(offline=OfflineEvaluator()), clock=clock, ids=Ids(clock))


def _decide(engine: Engine, request: Request) -> Decision:
    """Run one decision to its end; without plain-language rules it never waits."""
    try:
        engine.decide(request, CALLER).send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the decision waited")


# Four shapes that all three can say, with another constant each time; `amount` breaks only the last rule.
def _shapes(count: int) -> list[tuple[str, str, object]]:
    shapes = [
        ("calls", "<=", 100),
        ("vendor_status", "!=", "x"),
        ("region", "in", ["eu", "us"]),
        ("spent", "<=", 1e6),
    ]
    found = [(field, op, f"{value}{n}" if op == "!=" else value) for n, (field, op, value) in
             zip(range(count - 1), itertools.cycle(shapes))]  # fmt: skip
    return [*found, ("amount", "<=", 5_000)]


def _facts(amount: int) -> dict[str, object]:
    return {
        "calls": 3,
        "vendor_status": "approved",
        "region": "eu",
        "spent": 1200,
        "amount": amount,
        "tool": "pay",
    }


# What a tool call brings along besides, read by no rule.
CALL_FACTS = {
    "user_intent": REQUEST["user_intent"],
    "tool_call": REQUEST["tool_call"],
    "tools_used": REQUEST["tools_used"],
    "retrieval_summary": REQUEST["retrieval_summary"],
    **REQUEST["metadata"],
}
del CALL_FACTS["amount"]


def _bylaw(count: int, facts: dict[str, object]) -> Callable[[], bool]:
    rules = [f"{field} {op} {value!r}" for field, op, value in _shapes(count)]
    engine = _one_policy(*rules)
    own = {key: value for key, value in facts.items() if key in Request.__struct_fields__}
    rest = {key: value for key, value in facts.items() if key not in own}
    request = read({"agent_id": "a", "workspace_id": "here", "dry_run": True, "metadata": rest, **own})
    return lambda: _decide(engine, request).outcome == "allow"


# A rule of the toolkit says what is denied, so each operator is turned round.
_AGAINST = {"<=": ("gt", ">"), "!=": ("eq", "=="), "in": ("not_in", None)}


def _agent_os(policies: ModuleType, count: int, facts: dict[str, object]) -> Callable[[], bool]:
    rules = []
    for n, (field, op, value) in enumerate(_shapes(count)):
        condition = {"field": field, "operator": _AGAINST[op][0], "value": value}
        rules.append({"name": f"r{n}", "action": "deny", "condition": condition})
    document = policies.PolicyDocument.model_validate(
        {"name": "p", "rules": rules, "defaults": {"action": "allow"}}
    )
    evaluator = policies.PolicyEvaluator(policies=[document])
    return lambda: evaluator.evaluate(facts).allowed


def _agentmesh(policy: ModuleType, count: int, facts: dict[str, object]) -> Callable[[], bool]:
    rules = []
    for n, (field, op, value) in enumerate(_shapes(count)):
        if op == "in":
            condition = " and ".join(f"{field} != '{each}'" for each in value)
        else:
            shown = f"'{value}'" if isinstance(value, str) else f"{value:.0f}"
            condition = f"{field} {_AGAINST[op][1]} {shown}"
        rules.append({"name": f"r{n}", "condition": condition, "action": "deny"})
    engine = policy.PolicyEngine()
    engine.load_policy(
        policy.Policy.model_validate(
            {"name": "p", "agents": ["*"], "rules": rules, "default_action": "allow"}
        )
    )
    return lambda: engine.evaluate("did:mesh:bench", facts).allowed


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _quantiles(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the median and the 99th percentile of `rounds` runs in microseconds."""
    for _ in range(rounds // 10):
        work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - began)
    times.sort()
    return times[rounds // 2] / 1000, times[rounds * 99 // 100] / 1000


def _interleaved(
    contenders: tuple[Callable[[], bool] | None, ...], rounds: int, blocks: int = 10
) -> list[float | None]:
    """Return the median of each in microseconds; they take turns: a busy machine is unfair to none."""
    times: list[list[float]] = [[] for _ in contenders]
    for _ in range(blocks):
        for found, work in zip(times, contenders, strict=True):
            if work is not None:
                found.append(_quantiles(work, max(20, rounds // blocks))[0])
    return [sorted(found)[len(found) // 2] if found else None for found in times]


def _publish(snapshots: Snapshots, policies: list[Current]) -> tuple[float, float]:
    """Return the seconds that compiling takes, and those of the snapshot over what is compiled."""
    began = time.perf_counter()
    material = _material(policies, 1)
    compiled = time.perf_counter()
    snapshots.publish(build(material))
    return compiled - began, time.perf_counter() - compiled
