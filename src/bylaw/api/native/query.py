"""What is asked in the query of a native route: nothing else than what it knows."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import MAX_LIMIT, Slice


class StrictQuery(BaseModel):
    """Parameters of a query; one that is not of the route is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListQuery(StrictQuery):
    """How a list is cut."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most items to return.")] = 50
    cursor: Annotated[str | None, Field(description="`next_cursor` of the page before.")] = None

    @property
    def part(self) -> Slice:
        """Return the part that is wanted."""
        return Slice(limit=self.limit, cursor=self.cursor)


class InWorkspace(ListQuery):
    """A list that may be cut to one workspace."""

    workspace_id: Annotated[WorkspaceId | None, Field(description="Only those of this workspace.")] = None
