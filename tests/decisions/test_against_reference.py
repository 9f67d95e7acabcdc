"""The engine agrees with the reference on random worlds, and keeps the laws of combining."""

from dataclasses import replace

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from bylaw.core.errors import Forbidden
from bylaw.decisions.request import read
from bylaw.evaluators.scripted import ScriptedEvaluator
from bylaw.policies.model import DeterministicRule, NaturalRule
from bylaw.policies.outcomes import RANK
from tests.decisions.world import World, agent, caller, place, policy
from tests.reference import decisions_evaluator as reference

EXPRESSIONS = [
    "amount < 10",
    "amount >= 3",
    "tool_call.name == 'refund'",
    "tier != 'gold'",
    "missing.field",
    "true",
]
TEXTS = ["be kind", "cite a source", "no gifts"]
PLACES = [place(), place("w1"), place("w2"), place("w1", "r1"), place("w2", "r3")]
CONDITIONS = [
    None,
    {"tier": "gold"},
    {"tier": ["gold", "lead"]},
    {"min_amount": 5},
    {"tool_call.name": ["refund", "pay"]},
    {"keywords": ["refund"]},
    {"tier": ["gold"], "max_amount": 9},
    {"odd": {"unknown": 1}},
]

MASKS = [
    None,
    {"fields": ["tool_result.customer.email", "user_intent"]},
    {"fields": ["tool_result.customer", "tool_result.orders.*.note"]},
    {"fields": ["tool_result.orders.id"], "personal_data": ["email"]},
    {"fields": ["tool_result.orders.*.*.note"], "personal_data": ["card", "phone"]},
    {"personal_data": ["iban", "email"]},
]
TEXTS_SEEN = [
    "a refund, please",
    "kim@example.org or +49 30 1234567",
    "4111 1111 1111 1111 12/27, DE89 3704 0044 0532 0130 00",
]
some_results = st.recursive(
    st.sampled_from([None, True, 3, 4111111111111111, *TEXTS_SEEN]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["customer", "orders", "email", "note", "id", "kim@example.org"]), inner
        )
    ),
    max_leaves=8,
)
some_rules = st.lists(
    st.sampled_from([*EXPRESSIONS, *(f"nl:{text}" for text in TEXTS), *(f"flag:{text}" for text in TEXTS)]),
    min_size=1,
    max_size=4,
)
policies = st.lists(
    st.builds(
        lambda rules, **content: (rules, content),
        some_rules,
        where=st.sampled_from(PLACES),
        reach=st.sampled_from(["place", "place", "place", "bound"]),
        topic=st.sampled_from([None, None, "Returns", "order-verification"]),
        conditions=st.sampled_from(CONDITIONS),
        action=st.sampled_from(["log", "alert", "review", "block"]),
        risk=st.sampled_from(["LOW", "MEDIUM", "HIGH"]),
        on_indeterminate=st.sampled_from([None, None, "allow", "flag", "block"]),
        mask=st.sampled_from(MASKS),
        evaluator=st.sampled_from([None, None, "offline", "model"]),
    ),
    max_size=6,
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "agent_id": st.sampled_from(["a1", "a2", "stranger"]),
        "workspace_id": st.sampled_from(["w1", "w2"]),
        "topics": st.sampled_from([[], ["returns"], ["Order Verification", "returns"], ["other"]]),
        "routed": st.sampled_from([{}, {"topics": ["Returns"]}, {"topics": ["order verification", "other"]}]),
        "phase": st.sampled_from(["input", "tool_call", "tool_result", "output", "decision"]),
        "user_intent": st.sampled_from(["hello", *TEXTS_SEEN]),
        "agent_output": st.sampled_from(TEXTS_SEEN),
        "tool_result": some_results,
        "tool_call": st.sampled_from([None, {"name": "refund", "arguments": {"amount": 4}}, {"name": "pay"}]),
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "amount": st.sampled_from([2, 5, 9, 12, "12", None]),
                "tier": st.sampled_from(["gold", "lead", ["gold", "x"], 1, None, {}]),
            },
        ),
        "policy_id": st.sampled_from(["p0", "p1", "p9"]),
        "policy_rules": st.lists(st.sampled_from([*EXPRESSIONS[:3], *TEXTS]), max_size=2),
    },
)
answers = st.fixed_dictionaries(
    {text: st.sampled_from(["satisfied", "violated", "not_applicable", "indeterminate"]) for text in TEXTS}
)


@st.composite
def worlds(draw, *, requiring: bool = True):
    made = [policy(f"p{number}", *rules, **content) for number, (rules, content) in enumerate(draw(policies))]
    bound = st.sampled_from([None, "p0", "p1"])
    in_force = {each.policy.id for each in made}
    agents = [
        agent(
            "a1",
            draw(bound),
            where=draw(st.sampled_from(PLACES)),
            require_policy=requiring and draw(st.booleans()),
        ),
        agent("a2", draw(bound)),
    ]
    said, model_said = draw(answers), draw(st.none() | answers)
    world = World(
        policies=made,
        agents=agents,
        dormant={"p0", "p1", "p9"} - in_force,
        requiring=frozenset(["w2"]) if requiring else frozenset(),
        evaluator=ScriptedEvaluator(said),
        model=None if model_said is None else ScriptedEvaluator(model_said),
        kept=draw(st.sampled_from([0, 1, 100])),
    )
    return world, (said, model_said)


def usable(world: World, request: dict) -> dict:
    """The request, without the id of a policy that may not be named."""
    named = next((each.policy for each in world.policies if each.policy.id == request.get("policy_id")), None)
    if named is None or named.place != place():
        request = {key: value for key, value in request.items() if key != "policy_id"}
    return request


def extra_of(request: dict) -> tuple:
    return tuple(
        DeterministicRule(id=f"x{n}", expr=text)
        if text in EXPRESSIONS
        else NaturalRule(id=f"x{n}", text=text)
        for n, text in enumerate(request.get("policy_rules", ()), 1)
    )


def redactions(decision) -> dict:
    return {
        each.id: {(found.path, found.kind): found.count for found in each.mask.redactions}
        for each in decision.policies
        if each.mask is not None and each.mask.redactions
    }


def decide(world: World, request: dict):
    return world.decide(caller("decisions:write", "policy:write"), **request)


@settings(max_examples=400, deadline=None)
@given(worlds(), requests, st.booleans())
def test_the_engine_decides_as_the_reference_does(made, request, chooses):
    world, said = made
    request = usable(world, request)
    try:
        scopes = ["decisions:write", "policy:write"] if chooses else ["decisions:write"]
        decision = world.decide(caller(*scopes), **request)
    except Forbidden:
        reject()
    wanted = reference.decide(world, read(request), *said, extra_of(request), chooses=chooses)
    assert (decision.outcome, decision.compliant, decision.posture, decision.risk) == (
        wanted.outcome, wanted.compliant, wanted.posture, wanted.risk,
    )  # fmt: skip
    found = {
        each.id: (each.via, each.conditions.state, each.outcome, [rule.status for rule in each.rules])
        for each in decision.policies
    }
    assert found == {
        ident: (via, state, outcome, statuses)
        for ident, (via, state, _, outcome, statuses) in wanted.policies.items()
    }
    assert [rule.status for rule in decision.extra_rules] == wanted.extra
    assert (decision.masked or {}) == wanted.masked
    assert redactions(decision) == {
        ident: +counts for ident, counts in wanted.redactions.items() if counts.total()
    }
    for each in decision.policies:
        status = wanted.policies[each.id][2]
        skipped = status == "satisfied" and "not_needed" in {rule.code for rule in each.rules}
        assert each.status == ("not_judged" if skipped else status)


@settings(max_examples=100, deadline=None)
@given(worlds(), requests, st.randoms(use_true_random=False))
def test_the_order_of_policies_and_rules_changes_nothing(made, request, random):
    world, _ = made
    request = usable(world, request)
    before = decide(world, request)
    shuffled = list(world.policies)
    random.shuffle(shuffled)
    for index, current in enumerate(shuffled):
        rules = list(current.version.content.rules)
        random.shuffle(rules)
        content = replace(current.version.content, rules=tuple(rules))
        shuffled[index] = replace(current, version=replace(current.version, content=content))
    after = decide(replace(world, policies=shuffled), request)
    assert (after.outcome, after.compliant, after.risk) == (before.outcome, before.compliant, before.risk)
    assert [each.id for each in after.policies] == [each.id for each in before.policies]
    assert after.effective_rules_digest == before.effective_rules_digest
    assert (after.masked, redactions(after)) == (before.masked, redactions(before))


@settings(max_examples=150, deadline=None)
@given(worlds(requiring=False), requests, some_rules, st.sampled_from(["log", "alert", "review", "block"]))
def test_another_policy_never_weakens_the_outcome(made, request, rules, action):
    world, _ = made
    request = usable(world, request)
    before = decide(world, request)
    after = decide(replace(world, policies=[*world.policies, policy("p7", *rules, action=action)]), request)
    assert RANK[after.outcome] >= RANK[before.outcome]
    assert before.compliant >= after.compliant


@settings(max_examples=150, deadline=None)
@given(worlds(requiring=False), requests, some_rules)
def test_another_rule_never_weakens_the_outcome(made, request, rules):
    world, _ = made
    request = usable(world, request)
    before = decide(world, request)
    grown = []
    for current in world.policies:
        more = policy("other", *rules).version.content.rules
        fresh = tuple(replace(rule, id=f"more{n}") for n, rule in enumerate(more))
        content = replace(current.version.content, rules=(*current.version.content.rules, *fresh))
        version = replace(current.version, content=content, digest="sha256:grown")
        grown.append(replace(current, version=version))
    after = decide(replace(world, policies=grown), request)
    assert RANK[after.outcome] >= RANK[before.outcome]
    assert before.compliant >= after.compliant


@settings(max_examples=50, deadline=None)
@given(worlds(), requests)
def test_the_same_inputs_give_the_same_decision(made, request):
    world, _ = made
    request = usable(world, request)
    assert decide(world, request) == decide(world, request)
