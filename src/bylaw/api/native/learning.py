"""Learning: conversations brought in, how workspaces learn from them, and the runs that propose policies."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.learning_views import (
    ConversationImportView,
    ConversationsToImport,
    LearningChoices,
    LearningSettingsView,
    NewRun,
    RunItem,
    RunView,
    choices,
    import_view,
    run_item,
    run_view,
    settings_view,
)
from bylaw.api.native.query import InWorkspace
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, body, needs
from bylaw.core.ids import WorkspaceId
from bylaw.learning import choosing, forgetting, recordings, runs
from bylaw.learning.conversations import WRITES
from bylaw.learning.model import ConversationId
from bylaw.learning.report import RunId
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["learning"], route_class=Route)

Reading = Annotated[Acting[Unit], needs(runs.READS)]


@router.post("/v1/conversations/import")
async def import_conversations(
    acting: Annotated[Acting[Unit], needs(WRITES)],
    sent: Annotated[ConversationsToImport, body(ConversationsToImport)],
) -> Reply[ConversationImportView]:
    """Import recorded conversations, each whole or not at all; one that is known stays as it is.

    Each is known as `workspace:id`, whatever ids other workspaces have.
    """
    workspace_id = WorkspaceId(sent.workspace_id)
    imported = await recordings.import_recordings(acting, workspace_id, sent.conversations, learn=sent.learn)
    return Reply(import_view(imported))


@router.delete("/v1/learning/conversations/{conversation_id:path}", status_code=204)
async def forget_conversation(
    acting: Annotated[Acting[Unit], needs(WRITES)], conversation_id: ConversationId
) -> Response:
    """Forget a conversation that was imported or that agents had, for good, with what was learnt from it.

    Its words go out of runs and out of the evidence of policies; proposals that wait for review and rest on
    nothing else are withdrawn. Approved policies stay. To forget it again changes nothing.
    """
    await forgetting.forget_conversation(acting, conversation_id)
    return Response(status_code=204)


@router.get("/v1/workspaces/{workspace_id}/learning")
async def read_learning(acting: Reading, workspace_id: WorkspaceId) -> Reply[LearningSettingsView]:
    """Read how a workspace learns."""
    settings = await choosing.read_settings(acting, workspace_id)
    return Reply(settings_view(settings), revision=settings.revision)


@router.put("/v1/workspaces/{workspace_id}/learning")
async def choose_learning(
    acting: Annotated[Acting[Unit], needs("workspaces:write")],
    workspace_id: WorkspaceId,
    chosen: Annotated[LearningChoices, body(LearningChoices)],
    revision: Revision,
) -> Reply[LearningSettingsView]:
    """Choose how a workspace learns; what is left out is as without a choice."""
    settings = await choosing.choose(acting, workspace_id, choices(chosen), revision=revision)
    return Reply(settings_view(settings), revision=settings.revision)


@router.post("/v1/learning/runs", status_code=202)
async def start_run(
    acting: Annotated[Acting[Unit], needs(runs.STARTS)], new: Annotated[NewRun, body(NewRun)]
) -> Reply[RunItem]:
    """Start a run over the resolved conversations of a workspace; a job carries it out."""
    return Reply(run_item(await runs.start_run(acting, WorkspaceId(new.workspace_id), dry_run=new.dry_run)))


@router.get("/v1/learning/runs")
async def list_runs(acting: Reading, query: Annotated[InWorkspace, Query()]) -> Reply[Page[RunItem]]:
    """List runs, newest first."""
    found = await runs.list_runs(acting, query.part, workspace_id=query.workspace_id)
    return Reply(page(found, run_item))


@router.get("/v1/learning/runs/{run_id}")
async def read_run(acting: Reading, run_id: RunId) -> Reply[RunView]:
    """Read one run with what it found, what it proposes, and what it holds back and why."""
    return Reply(run_view(await runs.read_run(acting, run_id)))
