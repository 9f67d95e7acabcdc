"""What runs found in a conversation, for whoever may read it."""

from dataclasses import dataclass
from typing import Final

from bylaw.learning.conversations import read_conversation
from bylaw.learning.model import Conversation, ConversationId
from bylaw.learning.report import Finding, RunId
from bylaw.learning.store import LearningUnit
from bylaw.tenancy.principal import Acting

MOST_RUNS: Final = 50  # the newest that draw on a conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A rule that a conversation shows, and the run that found it."""

    run_id: RunId
    finding: Finding


async def read_learnt(
    acting: Acting[LearningUnit], ident: ConversationId
) -> tuple[Conversation, tuple[Found, ...]]:
    """Return a conversation and the rules that it shows, each once: as it was proposed, or else found last.

    Dry runs do not count. Raises: Forbidden; NotFound, also for a conversation out of the caller's sight.
    """
    conversation = await read_conversation(acting, ident)
    runs = acting.unit.learning.runs
    found: dict[str, Found] = {}
    for run_id in list(await runs.drawing_on(ident))[-MOST_RUNS:]:
        run = await runs.get(run_id)
        if run is None or run.report is None or run.dry_run:
            continue
        for finding in run.report.findings:
            draft = finding.draft
            before = found.get(draft.digest)
            is_proposed = before is not None and before.finding.policy_id is not None
            if ident in draft.supports and not is_proposed:
                found[draft.digest] = Found(run_id=run_id, finding=finding)
    return conversation, tuple(sorted(found.values(), key=lambda each: -each.finding.draft.confidence))
