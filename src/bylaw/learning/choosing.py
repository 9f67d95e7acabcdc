"""How a workspace learns: read, and chosen by who may change the workspace."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Final

from bylaw.core.errors import InvalidInput, Problem
from bylaw.core.ids import WorkspaceId
from bylaw.learning.report import Choices, LearningSettings
from bylaw.learning.store import LearningUnit
from bylaw.tenancy.model import Place
from bylaw.tenancy.places import read_workspace
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision

_BETWEEN: Final[Mapping[str, tuple[float, float]]] = {
    "minimum_confidence": (0.0, 1.0),
    "similarity": (0.0, 1.0),
    "most_per_conversation": (1, 50),
    "suppress_days": (0, 3_650),
    "keep_days": (0, 36_500),
}


async def read_settings(acting: Acting[LearningUnit], workspace_id: WorkspaceId) -> LearningSettings:
    """Return how a workspace learns; revision 0 where nobody chose. Raises: Forbidden, NotFound."""
    workspace = await read_workspace(acting, workspace_id)
    acting.principal.require("conversations:read", Place(workspace_id=workspace_id))
    stored = await acting.unit.learning.settings.get(workspace.id)
    return _default(acting, workspace_id) if stored is None else stored


async def choose(
    acting: Acting[LearningUnit], workspace_id: WorkspaceId, choices: Choices, *, revision: int | None
) -> LearningSettings:
    """Store how a workspace learns, and return it.

    Raises: Forbidden; NotFound; InvalidInput that names what is out of its range; PreconditionFailed.
    """
    await read_workspace(acting, workspace_id)
    acting.principal.require("workspaces:write", Place(workspace_id=workspace_id))
    _check(choices)
    stored = await acting.unit.learning.settings.get(workspace_id)
    current = _default(acting, workspace_id) if stored is None else stored
    require_revision(current.revision, revision)
    chosen = replace(current, choices=choices, revision=current.revision + 1)
    if stored is None:
        await acting.unit.learning.settings.add(chosen)
    else:
        await acting.unit.learning.settings.save(chosen)
    return chosen


async def choices_of(unit: LearningUnit, workspace_id: WorkspaceId) -> Choices:
    """Return how a workspace learns, for the loop itself."""
    stored = await unit.learning.settings.get(workspace_id)
    return Choices() if stored is None else stored.choices


def _default(acting: Acting[LearningUnit], workspace_id: WorkspaceId) -> LearningSettings:
    return LearningSettings(
        id=workspace_id,
        tenant_id=acting.unit.tenant_id,
        created_ms=acting.clock.now_ms(),
        revision=0,
    )


def _check(choices: Choices) -> None:
    values = asdict(choices)
    problems = [
        Problem(path=name, code="out_of_range", message=f"It lies between {least} and {most}.")
        for name, (least, most) in _BETWEEN.items()
        if not least <= values[name] <= most
    ]
    if problems:
        raise InvalidInput("The workspace cannot learn so.", *problems)
