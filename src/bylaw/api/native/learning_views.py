"""Learning as it goes over the wire: choices, runs with what they found, and imports."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from bylaw.api.problems import FieldProblem
from bylaw.api.shape import when
from bylaw.core.clock import rfc3339
from bylaw.learning.mining.model import Case, Draft, Kind, Quote, Tried
from bylaw.learning.recordings import Imported, ImportOutcome
from bylaw.learning.report import Cause, Choices, Finding, LearningSettings, MinerName, Run, RunStatus, Why
from bylaw.learning.standing import held
from bylaw.policies.model import Expectation

MOST_RECORDS: Final = 500  # of one import: it is one transaction, and others wait to write
_AS_IS: Final = Choices()  # without a choice
Share = Annotated[float, Meta(ge=0, le=1)]
FindingOutcome = Literal[
    "proposed", "duplicate", "rejected_before", "weak", "too_many", "unstorable", "forgotten"
]


class LearningChoices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a workspace learns; what is left out is as without a choice.

    `minimum_confidence`: what is less sure is not proposed. `most_per_conversation`: how many proposals one
    conversation bears in a run. `similarity`: from which on two rules say the same, as the embedder measures
    it. `suppress_days`: for how long a rejected rule is not proposed again. `miner`: `model` asks the
    configured model and mines offline where there is none or it fails. `keep_days`: a conversation that is
    over is forgotten so many days after it began, with what was learnt from it; 0 keeps it for good.
    """

    enabled: bool = _AS_IS.enabled
    minimum_confidence: Share = _AS_IS.minimum_confidence
    most_per_conversation: Annotated[int, Meta(ge=1, le=50)] = _AS_IS.most_per_conversation
    suppress_days: Annotated[int, Meta(ge=0, le=3_650)] = _AS_IS.suppress_days
    similarity: Share = _AS_IS.similarity
    miner: MinerName = _AS_IS.miner
    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = _AS_IS.keep_days


class LearningSettingsView(msgspec.Struct, frozen=True, kw_only=True):
    """How a workspace learns from its resolved conversations."""

    workspace_id: str
    enabled: bool
    minimum_confidence: float
    most_per_conversation: int
    suppress_days: int
    similarity: float
    miner: MinerName
    keep_days: int


class NewRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run to be started; a dry run proposes nothing and tells what it would."""

    workspace_id: str
    dry_run: bool = False


class EvidenceView(msgspec.Struct, frozen=True, kw_only=True):
    """Words of a conversation, personal data masked; messages are counted from 0."""

    conversation_id: str
    message: int
    speaker: str
    text: str


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule must pass or must find violated."""

    name: str
    expect: Expectation
    request: Mapping[str, object]


class TriedView(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of recorded calls; `samples` are conversations that do not keep to it."""

    satisfied: int
    violated: int
    undecided: int
    samples: tuple[str, ...]


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was found, and what became of it.

    `policy_id` is the policy that proposes it, `because_of` the one for which it is held back. `supports` are
    the conversations that show it, `against` how many show otherwise. `digest` names the rule in every run.
    """

    outcome: FindingOutcome
    kind: Kind
    text: str
    expr: str
    topic: str
    confidence: float
    supports: tuple[str, ...]
    against: int
    evidence: tuple[EvidenceView, ...]
    examples: tuple[CaseView, ...]
    tried: TriedView | None
    notes: tuple[str, ...]
    policy_id: str | None
    because_of: str | None
    digest: str


class RunItem(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list. `counts` says how many findings had which outcome; `read` how many conversations."""

    id: str
    workspace_id: str
    cause: Cause
    conversation_id: str | None
    dry_run: bool
    status: RunStatus
    asked_by: str
    created_at: str
    finished_at: str | None
    read: int
    counts: Mapping[str, int]


class RunView(RunItem, frozen=True, kw_only=True):
    """A run with what it found, the surest first."""

    miner: str
    embedder: str
    note: str
    findings: tuple[FindingView, ...]


class ConversationsToImport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recorded conversations of a workspace, each an object with `id` and `messages`.

    `learn`: what is new and resolved causes a run.
    """

    workspace_id: str
    conversations: Annotated[tuple[dict[str, object], ...], Meta(max_length=MOST_RECORDS)]
    learn: bool = True


class ConversationImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a conversation; `place` is counted from 0, `problems` say why it is refused."""

    place: int
    id: str
    outcome: ImportOutcome
    problems: tuple[FieldProblem, ...]


class ConversationImportView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every conversation of an import, in the order in which they were sent."""

    results: tuple[ConversationImportResult, ...]


def choices(sent: LearningChoices) -> Choices:
    """Return what was chosen."""
    return Choices(**msgspec.structs.asdict(sent))


def settings_view(settings: LearningSettings) -> LearningSettingsView:
    """Return how a workspace learns as it goes over the wire."""
    return LearningSettingsView(workspace_id=settings.id, **asdict(settings.choices))


def run_item(run: Run) -> RunItem:
    """Return a run as lists show it."""
    return RunItem(
        id=run.id,
        workspace_id=run.place.workspace_id or "",
        cause=run.cause,
        conversation_id=run.conversation_id,
        dry_run=run.dry_run,
        status=run.status,
        asked_by=run.asked_by,
        created_at=rfc3339(run.created_ms),
        finished_at=when(run.finished_ms),
        read=0 if run.report is None else run.report.read,
        counts={} if run.report is None else held(run.report.findings),
    )


def run_view(run: Run) -> RunView:
    """Return a run with what it found."""
    report = run.report
    return RunView(
        **msgspec.structs.asdict(run_item(run)),
        miner="" if report is None else report.miner,
        embedder="" if report is None else report.embedder,
        note="" if report is None else report.note,
        findings=() if report is None else tuple(map(finding_view, report.findings)),
    )


def import_view(imported: list[Imported]) -> ConversationImportView:
    """Return what became of an import."""
    return ConversationImportView(
        results=tuple(
            ConversationImportResult(
                place=each.place,
                id=each.id,
                outcome=each.outcome,
                problems=tuple(
                    FieldProblem(path=problem.path, code=problem.code, message=problem.message)
                    for problem in each.problems
                ),
            )
            for each in imported
        )
    )


def finding_view(finding: Finding) -> FindingView:
    """Return what became of a rule that was found as it goes over the wire."""
    draft = finding.draft
    return FindingView(
        outcome=_outcome(finding.held_back),
        kind=draft.kind,
        text=draft.text,
        expr=draft.expr,
        topic=draft.topic,
        confidence=draft.confidence,
        supports=draft.supports,
        against=draft.against,
        evidence=tuple(map(_evidence, draft.quotes)),
        examples=tuple(map(_case, draft.examples)),
        tried=_tried(draft),
        notes=finding.notes,
        policy_id=finding.policy_id,
        because_of=finding.because_of,
        digest=draft.digest,
    )


def _outcome(held_back: Why | None) -> FindingOutcome:
    return "proposed" if held_back is None else held_back


def _evidence(quote: Quote) -> EvidenceView:
    return EvidenceView(
        conversation_id=quote.conversation_id, message=quote.message, speaker=quote.speaker, text=quote.text
    )


def _case(case: Case) -> CaseView:
    return CaseView(name=case.name, expect=case.expect, request=case.request)


def _tried(draft: Draft) -> TriedView | None:
    tried: Tried | None = draft.tried
    if tried is None:
        return None
    return TriedView(
        satisfied=tried.satisfied, violated=tried.violated, undecided=tried.undecided, samples=tried.samples
    )
