"""The meaning of a decision, as slow and plain as possible: docs/explanation/combining.md in Python.

It looks at every policy, knows no snapshot, index or cache, and asks about every rule by itself. What one
rule or one set of conditions says is taken from `bylaw.rules`, which has references of its own.
"""

from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET

from bylaw import rules
from bylaw.decisions.model import Request
from bylaw.decisions.request import facts_of, text_of
from bylaw.policies.model import Content, Current, DeterministicRule, NaturalRule, topic_key
from bylaw.rules.conditions import compile_conditions
from tests.reference.masks import withhold

STRICTNESS = ["allow", "flag", "review", "block"]
RISKS = ["LOW", "MEDIUM", "HIGH"]
ACTIONS = {"log": "allow", "alert": "flag", "review": "review", "block": "block"}
UNDECIDED = {"log": "allow", "alert": "flag", "review": "review", "block": "review"}


@dataclass
class Answer:
    outcome: str
    compliant: bool
    posture: str
    risk: str
    # id → (via, conditions, status, outcome, status of each rule)
    policies: dict[str, tuple[str, str, str, str, list[str]]] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    masked: dict[str, object] = field(default_factory=dict)
    redactions: dict[str, dict] = field(default_factory=dict)


def given(value):
    return None if value is UNSET else value


def enclosing(world, workspace, repo):
    """All places that the ids lie in, as (workspace, repo)."""
    if repo is not None:
        workspace = next(owner for owner, name in world.repos if name == repo)
    found = {(None, None)}
    if workspace is not None:
        found.add((workspace, None))
    if repo is not None:
        found.add((workspace, repo))
    return found


def strictest(outcomes):
    return max(outcomes, key=STRICTNESS.index, default="allow")


def decide(
    world,
    request: Request,
    said: dict[str, str],
    model_said: dict[str, str] | None,
    extra: tuple = (),
    *,
    chooses=True,
    followed: frozenset[tuple[str, str]] = frozenset(),
) -> Answer:
    """What is decided; `said` and `model_said` hold answers by the text of a rule.

    `said` are those of the offline evaluator; `model_said` is None where there is no model. `extra` are the
    rules of the request. `chooses`: the caller has the scope to choose policies. `followed` are the rules
    (policy and rule id) that were decided when it was asked.
    """
    facts = facts_of(request)
    agent = next((each for each in world.agents if each.id == given(request.agent_id)), None)
    places = enclosing(world, given(request.workspace_id), given(request.repo_id))
    if agent is not None:
        places |= enclosing(world, agent.place.workspace_id, agent.place.repo_id)

    applied: list[tuple[Current, str, str]] = []
    for current in world.policies:
        via = how_selected(current, request, agent, places)
        if via is not None:
            content = current.version.content
            state = compile_conditions(content.conditions).evaluate(facts, lambda: text_of(request)).state
            if state != "does_not_apply":
                applied.append((current, via, state))

    # Deterministic rules, all of them.
    results = {
        current.policy.id: [
            "not_applicable" if (current.policy.id, rule.id) in followed else check(rule, facts)
            for rule in current.version.content.rules
        ]
        for current, _, _ in applied
    }
    of_request = [check(rule, facts) for rule in extra]

    # Plain-language rules, where they can still matter: first everything that the offline evaluator says of
    # them, then everything that the model says of what is then still open.
    everything = [
        (current.version.content, current.version.content.rules, results[current.policy.id])
        for current, _, _ in applied
    ]
    everything.append((EXTRA, extra, of_request))
    hear(everything, "offline", said)
    if model_said is not None:
        hear(everything, "model", model_said)
    for _, _, statuses in everything:
        statuses[:] = ["indeterminate" if status == "waiting" else status for status in statuses]

    answer = combine(applied, results, extra, of_request)

    # A required policy is not one that governs nobody until anybody names it.
    required = any(workspace in world.requiring for workspace, _ in places)
    required = required or (agent is not None and agent.require_policy)
    counted = [
        current
        for current, via, _ in applied
        if chooses or via != "explicit" or current.policy.reach == "place"
    ]
    if required and not counted:
        answer.outcome = "block"
    if answer.outcome != "block":
        mask(answer, request, [current for current, _, _ in applied])
    return answer


def mask(answer: Answer, request: Request, applied: list[Current]) -> None:
    """What is withheld; a policy whose mask does not fit is undecided, whatever its rules say."""
    contents = {current.policy.id: current.version.content for current in applied}
    masks = {ident: content.mask for ident, content in contents.items() if content.mask is not None}
    found = withhold(msgspec.to_builtins(request), masks)
    for ident in [ident for ident, places in found.failed.items() if places]:
        content, (via, state, status, outcome, statuses) = contents[ident], answer.policies[ident]
        undecided = content.on_indeterminate or UNDECIDED[content.action]
        status = status if status == "violated" else "indeterminate"
        answer.policies[ident] = (via, state, status, strictest([outcome, undecided]), statuses)
        answer.outcome = strictest([answer.outcome, undecided])
        answer.risk = max(answer.risk, content.risk, key=RISKS.index)
    if answer.outcome != "block":
        answer.masked, answer.redactions = found.shown, found.redactions


def how_selected(current: Current, request: Request, agent, places) -> str | None:
    policy, topics = current.policy, given(request.topics)
    where = (policy.place.workspace_id, policy.place.repo_id)
    bound = None if agent is None else agent.policy_id
    if policy.id == (given(request.policy_id) or bound):
        return "bound" if policy.id == bound else "explicit"
    if policy.reach == "bound" or where not in places:
        return None
    topic = current.version.content.topic
    routed = given(request.routed)
    if not topics and routed is not None and not never_left_out(current.version.content):
        topics = routed.topics
    if topics and topic is not None and topic_key(topic) not in {topic_key(each) for each in topics}:
        return None
    return "place"


def never_left_out(content: Content) -> bool:
    """Whether likeness keeps a policy: only what at most flags, and lies with judges alone, may go."""
    worst = strictest([ACTIONS[content.action], content.on_indeterminate or UNDECIDED[content.action]])
    judged = [rule for rule in content.rules if isinstance(rule, NaturalRule)]
    asks = [rule for rule in content.rules if rule.attention]
    return worst in {"review", "block"} or not judged or asks != [] or content.mask is not None


def check(rule, facts) -> str:
    """The status of a deterministic rule; `waiting` for one in plain language."""
    if isinstance(rule, DeterministicRule):
        return rules.compile(rule.expr).evaluate(facts).status
    return "waiting"


def hear(everything, evaluator: str, said: dict[str, str]) -> None:
    """Replace what waits, matters and is decided by `evaluator`; who is late or unsure leaves it waiting."""
    so_far = [outcome_of(content, statuses) for content, _, statuses in everything]
    blocked = strictest(so_far) == "block"
    before = [list(statuses) for _, _, statuses in everything]
    for (content, written, statuses), known in zip(everything, before, strict=True):
        for index, rule in enumerate(written):
            if known[index] != "waiting":
                continue
            if blocked or not can_matter(content, known, rule):
                statuses[index] = "not_applicable"
            elif content.evaluator in {None, evaluator}:
                answer = said.get(rule.text, "indeterminate")
                if answer == "violated" and rule.effect == "flag":
                    answer = "flagged"
                statuses[index] = "waiting" if answer == "indeterminate" else answer


EXTRA = Content(name="extra", rules=())


def outcome_of(content: Content, statuses: list[str]) -> str:
    """The strictest of what occurred."""
    undecided = content.on_indeterminate or UNDECIDED[content.action]
    wanted = {"violated": ACTIONS[content.action], "indeterminate": undecided, "flagged": "flag"}
    return strictest([wanted[status] for status in statuses if status in wanted])


def extra_outcome(extra, statuses: list[str]) -> str:
    return outcome_of(EXTRA, statuses) if extra else "allow"


def can_matter(content: Content, statuses: list[str], rule: NaturalRule) -> bool:
    """Whether some answer about the rule makes its policy's status or outcome another one."""
    if "violated" not in statuses:
        return True
    now = outcome_of(content, statuses)
    worst = "violated" if rule.effect == "reject" else "flagged"
    possible = [outcome_of(content, [*statuses, answer]) for answer in (worst, "indeterminate")]
    return any(STRICTNESS.index(each) > STRICTNESS.index(now) for each in possible)


def status_of(statuses: list[str]) -> str:
    for status in ("violated", "indeterminate", "flagged"):
        if status in statuses:
            return status
    return "satisfied"


def combine(applied, results, extra, of_request) -> Answer:
    outcomes, risks, compliant = [], ["LOW"], True
    policies = {}
    for current, via, state in applied:
        content, statuses = current.version.content, results[current.policy.id]
        outcome = outcome_of(content, statuses)
        outcomes.append(outcome)
        status = status_of(statuses)
        risks += [content.risk] if status in {"violated", "indeterminate"} else []
        risks += ["HIGH"] if "flagged" in statuses else []
        compliant &= complies(content.rules, statuses)
        policies[current.policy.id] = (via, state, status, outcome, statuses)
    compliant &= complies(extra, of_request)
    outcomes.append(extra_outcome(extra, of_request))
    if {"violated", "indeterminate", "flagged"} & set(of_request):
        risks.append("HIGH")
    return Answer(
        outcome=strictest(outcomes),
        compliant=compliant,
        posture="governed" if applied or extra else "ungoverned",
        risk=max(risks, key=RISKS.index),
        policies=policies,
        extra=of_request,
    )


def complies(rules_, statuses) -> bool:
    """No rule is violated, and none that rejects is undecided."""
    return all(
        status != "violated"
        and not (status == "indeterminate" and getattr(rule, "effect", "reject") == "reject")
        for rule, status in zip(rules_, statuses, strict=True)
    )
