"""Shapes that several resources share on the wire."""

from bylaw.core.clock import from_rfc3339, rfc3339
from bylaw.core.errors import InvalidInput, Problem
from bylaw.core.ids import RepoId, WorkspaceId
from bylaw.tenancy.model import Place


def when(ms: int | None) -> str | None:
    """Return a moment as RFC 3339, or None."""
    return None if ms is None else rfc3339(ms)


def moment(text: str | None, *, path: str) -> int | None:
    """Return milliseconds since the epoch, or None. Raises: InvalidInput that names `path`."""
    if text is None:
        return None
    try:
        return from_rfc3339(text)
    except ValueError:
        message = "Write a moment as RFC 3339 with an offset: 2026-01-01T00:00:00Z."
        raise InvalidInput(
            f"{path}: {message}", Problem(path=path, code="bad_time", message=message)
        ) from None


def place_of(workspace_id: str | None, repo_id: str | None) -> Place:
    """Return the place that two optional ids name."""
    return Place(
        workspace_id=None if workspace_id is None else WorkspaceId(workspace_id),
        repo_id=None if repo_id is None else RepoId(repo_id),
    )
