"""A decision as values: what is asked, and what is answered. They are the native wire as well.

An optional field of a request is `UNSET` when it was not sent and None when it was sent as null: rules can
tell the two apart. In the parts of a decision, a field at its default is left out.
"""

from typing import Annotated, Final, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from bylaw.policies.model import Action, Effect, Outcome, PersonalData, Phase, Risk

Posture = Literal["governed", "ungoverned"]
RuleStatus = Literal["satisfied", "violated", "flagged", "not_applicable", "indeterminate"]
PolicyStatus = Literal["satisfied", "violated", "flagged", "indeterminate", "not_judged"]
RuleSource = Literal["policy", "request"]
Basis = Literal["deterministic", "pattern", "structured", "similarity", "model", "human"]
AttentionType = Literal["approval", "policy_review", "escalation"]
Via = Literal["place", "bound", "explicit"]

# An id is stored in any database and signed as UTF-8: it holds no NUL and no half of a surrogate pair.
STORABLE: Final = r"^[^\x00\ud800-\udfff]*$"
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256, pattern=STORABLE)]
OptionalId = Id | UnsetType | None
OptionalText = str | UnsetType | None
Object = dict[str, object]
_UNSAID: Final = cast("Phase", "")


class _Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a request: unknown fields are refused, fields that were not sent are left out."""


class ToolCall(_Asked, frozen=True, kw_only=True):
    """A call of a tool that an agent is about to make, or has made."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    arguments: Object = msgspec.field(default_factory=dict)
    id: OptionalId = UNSET


class ExtraExpression(_Asked, frozen=True, kw_only=True, tag_field="type", tag="deterministic"):
    """A deterministic rule for this call only."""

    expr: Annotated[str, msgspec.Meta(min_length=1)]
    id: Id | UnsetType = UNSET
    message: str = ""


class ExtraText(_Asked, frozen=True, kw_only=True, tag_field="type", tag="nl"):
    """A rule in plain language for this call only; `effect` is read from the wording when it is not given."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    id: Id | UnsetType = UNSET
    effect: Effect | UnsetType = UNSET
    message: str = ""


ExtraRule = Annotated[str, msgspec.Meta(min_length=1)] | ExtraExpression | ExtraText


class Routed(_Asked, frozen=True, kw_only=True):
    """Where likeness leads from what the customer said: to `topics`, or to none, and `why`.

    They leave out policies of other topics that can do no more than note and alert, and are judged by their
    words. Without any nothing is left out. `margin`, 0 to 1, is how far the best leads, `embedder` who
    compared meanings.
    """

    topics: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] = ()
    margin: float = 0.0
    embedder: str = ""
    why: str = ""


class Request(_Asked, frozen=True, kw_only=True):
    """What is asked: who acts, where, in which phase, and what is said or done.

    A request that does not say its `phase` is in that of what it carries: `tool_result` with a tool's result,
    else `tool_call` with a call, else `output` with an agent's output alone, `input` with what was said to it
    alone, and `decision` otherwise. So no policy for a phase is passed by leaving the field out.
    `policy_id` names the policy that replaces the agent's bound one. `policy_rules` hold for this call only
    and only add. `route` has topics found where none are given, by what the customer said first; what came of
    it stands in `routed`, and where that is there, nobody is asked again. `approval_id` names the approval
    that this exact call spends. `outcome_of` is the receipt of the decision whose outcome this reports,
    `follows` that of the one on what was asked, where this is about its answer.
    Units: `deadline_ms` in milliseconds from the call.
    """

    agent_id: OptionalId = UNSET
    user_id: OptionalId = UNSET
    conversation_id: OptionalId = UNSET
    workspace_id: OptionalId = UNSET
    repo_id: OptionalId = UNSET
    phase: Phase = msgspec.field(default_factory=lambda: _UNSAID)
    user_intent: OptionalText = UNSET
    agent_output: OptionalText = UNSET
    messages: list[Object] | UnsetType | None = UNSET
    tool_call: ToolCall | UnsetType | None = UNSET
    tool_result: object = UNSET
    tools_used: list[str] | UnsetType | None = UNSET
    retrieval_summary: OptionalText = UNSET
    rationale: OptionalText = UNSET
    model: OptionalText = UNSET
    provider: OptionalText = UNSET
    host: OptionalText = UNSET
    platform: OptionalText = UNSET
    metadata: Object | UnsetType | None = UNSET
    topics: Annotated[list[str], msgspec.Meta(max_length=100)] | UnsetType | None = UNSET
    route: bool = False
    routed: Routed | UnsetType = UNSET
    policy_id: OptionalId = UNSET
    policy_rules: Annotated[list[ExtraRule], msgspec.Meta(max_length=100)] | UnsetType | None = UNSET
    approval_id: OptionalId = UNSET
    outcome_of: OptionalId = UNSET
    follows: OptionalId = UNSET
    dry_run: bool = False
    deadline_ms: Annotated[int, msgspec.Meta(ge=1, le=600_000)] | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        """Settle the phase."""
        if self.phase == _UNSAID:
            msgspec.structs.force_setattr(self, "phase", _phase_of(self))


def _phase_of(request: Request) -> Phase:
    """Return the phase of what `request` carries."""
    if not _is_missing(request.tool_result):
        return "tool_result"
    if not _is_missing(request.tool_call):
        return "tool_call"
    is_said = not (_is_missing(request.user_intent) and _is_missing(request.messages))
    if not _is_missing(request.agent_output):
        return "decision" if is_said else "output"
    return "input" if is_said else "decision"


def _is_missing(value: object) -> bool:
    return value is UNSET or value is None


class _Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a decision."""


class Judgement(_Answered, frozen=True, kw_only=True, omit_defaults=True):
    """Which evaluator judged: its id, and for a model which one, under which prompt, at what cost.

    One judgement is shared by all rules that were asked about at once. `cached`: the verdicts were known from
    before, at no cost.
    Units: `duration_ms` in milliseconds, `cost_micros` in millionths of the currency in which tokens are
    paid, 0 where nobody said what they cost.
    """

    evaluator: str
    model: str = ""
    prompt_digest: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    duration_ms: int = 0
    cached: bool = False
    cost_micros: int = 0


class RuleResult(_Answered, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule came to.

    `code` is a stable word for why a rule is indeterminate or was not judged, `path` the field to blame,
    `message` the sentence for a person. `evidence` quotes the facts word for word. `text` is the wording of a
    rule that came with the request; those of a policy are found through its digest.
    """

    id: str
    kind: Literal["deterministic", "nl"]
    status: RuleStatus
    effect: Effect = "reject"
    source: RuleSource = "policy"
    basis: Basis = "deterministic"
    code: str = ""
    path: str = ""
    message: str = ""
    rationale: str = ""
    evidence: tuple[str, ...] = ()
    confidence: float | None = None
    judgement: Judgement | None = None
    text: str = ""


class ConditionResult(_Answered, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a policy's conditions hold.

    What leaves it `undetermined`: `missing` keys have no fact, `unclear` ones do not compare with it.
    """

    state: Literal["applies", "undetermined"]
    missing: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


class Redaction(_Answered, frozen=True, kw_only=True):
    """What was withheld at a path, as a policy writes it: whole fields, or personal data of a kind."""

    path: str
    kind: Literal["field"] | PersonalData
    count: int


class MaskResult(_Answered, frozen=True, kw_only=True, omit_defaults=True):
    """What a policy's mask withheld.

    `code` says why it could not be carried out as it is written, `path` where; more is withheld then.
    """

    redactions: tuple[Redaction, ...] = ()
    code: Literal["", "mask_shape", "mask_doubt", "mask_budget"] = ""
    path: str = ""
    message: str = ""


class PolicyResult(_Answered, frozen=True, kw_only=True, omit_defaults=True):
    """What one policy version that applied came to.

    `via`: it governs the place, is bound to the agent, or was named by the request. `outcome` is what the
    policy asks for; an approval that was spent on it is named by `approval_id` and `approved_by`. `mask` is
    there when its mask withheld something.
    """

    id: str
    version: int
    digest: str
    name: str
    topic: str | None
    risk: Risk
    action: Action
    via: Via
    conditions: ConditionResult
    status: PolicyStatus
    outcome: Outcome
    rules: tuple[RuleResult, ...]
    approval_id: str = ""
    approved_by: str = ""
    mask: MaskResult | None = None


class ForeignPolicy(_Answered, frozen=True, kw_only=True):
    """A policy that applied and lies where the caller may not look: what it came to, and no word of its own.

    It is of the place that the agent comes from. `message` says just that.
    """

    id: str
    version: int
    digest: str
    outcome: Outcome
    message: str


class Combined(msgspec.Struct, frozen=True, kw_only=True):
    """What the results of all rules come to; `attention`: policies with a rule that asks for a person.

    `masked` is what there is to show in place of what was sent.
    """

    outcome: Outcome
    compliant: bool
    posture: Posture
    risk: Risk
    reasons: tuple[str, ...]
    policies: tuple[PolicyResult, ...]
    extra_rules: tuple[RuleResult, ...]
    extra_outcome: Outcome
    attention: frozenset[str]
    masked: Object | UnsetType = UNSET


class Obligation(_Answered, frozen=True, kw_only=True, omit_defaults=True):
    """Something that has to follow: a human's approval of the tool call, or a human's attention.

    `id` is that of the pending approval or the attention item, empty on a dry run. `policy_id` is the policy
    that asks for attention, empty for the rules of the request. `type` is that of the attention item.
    """

    kind: Literal["approval", "attention"]
    id: str
    reason: str
    policy_id: str = ""
    type: AttentionType | Literal[""] = ""


class ReceiptPointer(_Answered, frozen=True, kw_only=True):
    """Where the receipt lies: the log (its origin) and the index of its leaf."""

    origin: str
    index: int


class Decision(_Answered, frozen=True, kw_only=True):
    """What is answered.

    `compliant`: no rule is violated, and none that rejects is indeterminate. `posture` is `ungoverned` when
    nothing applied. `policies` are those that applied, sorted by id; `extra_rules` came with the request.
    `elsewhere` are policies that applied as well and that the caller may not see: it is there when any did.
    `reasons` say in plain sentences what led to the outcome. `receipt_id` and `receipt` are None on a dry
    run. `masked` are the parts of the request to show in place of those that were sent, by name: it is there
    when masks withheld something, unless the outcome is a block. `routed`: where routing led, if it was asked
    for. `effective_rules_digest` covers all policies
    and rules that were applied. `snapshot_revision` is the tenant's change counter that the decision saw.
    Units: `duration_us` in microseconds; `decided_at` is RFC 3339.
    """

    receipt_id: str | None
    outcome: Outcome
    compliant: bool
    posture: Posture
    risk: Risk
    reasons: tuple[str, ...]
    policies: tuple[PolicyResult, ...]
    extra_rules: tuple[RuleResult, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    evaluators: tuple[Judgement, ...] = ()
    workspace_id: str | None
    repo_id: str | None
    extra_rules_digest: str
    effective_rules_digest: str
    snapshot_revision: int
    decided_at: str
    duration_us: int
    dry_run: bool = False
    masked: Object | UnsetType = UNSET
    routed: Routed | UnsetType = UNSET
    elsewhere: tuple[ForeignPolicy, ...] | UnsetType = UNSET
    receipt: ReceiptPointer | None = None
