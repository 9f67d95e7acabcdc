"""What is asked in the query of a list; what is not known is passed over, and a blank filter is none."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bylaw.api.compat.flashback.translate import place_of, providers_of
from bylaw.core.errors import InvalidInput
from bylaw.core.paging import Slice
from bylaw.policies.model import Risk
from bylaw.review.store import ReviewFilter

MOST: Final = 100
# No tenant holds so many: whoever skips more gets nothing, however large the number.
_BEYOND: Final = 1_000_000_000
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

_no_blank = BeforeValidator(lambda sent: None if sent == "" else sent)
Id = Annotated[str | None, _no_blank]
Words = Annotated[str | None, _no_blank]


class Query(BaseModel):
    """Parameters of a query."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class PolicyQuery(Query):
    """Which policies are wanted."""

    org_id: Annotated[str, Field(alias="orgId", min_length=1, description="The organisation.")]
    workspace_id: Annotated[Id, Field(alias="workspaceId", description="A workspace of it.")] = None
    repo_id: Annotated[Id, Field(alias="repoId", description="A repo of it.")] = None
    match: Annotated[
        Literal["filter", "exact", "effective"],
        Field(
            description=(
                "`filter`: of that place and everything inside it; `exact`: of that place only;"
                " `effective`: what is in force there, wider policies included."
            )
        ),
    ] = "filter"


class PartQuery(Query):
    """Which part of a list is wanted, from when to when."""

    workspace_id: Annotated[Id, Field(alias="workspaceId", description="Those of this workspace.")] = None
    repo_id: Annotated[Id, Field(alias="repoId", description="Those of this repo.")] = None
    since: Annotated[Words, Field(alias="from", description="At this moment or day, or later.")] = None
    until: Annotated[Words, Field(alias="to", description="At this moment or day, or earlier.")] = None
    skip: Annotated[int, Field(ge=0, description="How many to skip.")] = 0
    take: Annotated[int, Field(ge=0, description="Most to return; more than 100 are 100.")] = 50

    @property
    def taken(self) -> int:
        """Return how many are returned at most."""
        return min(self.take, MOST)

    @property
    def part(self) -> Slice:
        """Return the part that is wanted, with the number of all."""
        return Slice(limit=max(self.taken, 1), offset=min(self.skip, _BEYOND), total=True)

    @property
    def span(self) -> tuple[int | None, int | None]:
        """Return the first moment that is wanted, and the first after. Raises: InvalidInput."""
        return _start(self.since, path="from"), _end(self.until, path="to")


class RecordQuery(PartQuery):
    """Which violations or alerts are wanted; filters combine with AND."""

    llm_types: Annotated[
        Words, Field(alias="llmType", description="Types of model, with commas between them.")
    ] = None
    llm_models: Annotated[Words, Field(alias="llmModel", description="Models, with commas between them.")] = (
        None
    )
    hosts: Annotated[Words, Field(alias="host", description="Hosts, with commas between them.")] = None

    def where(self, policy_id: str | None = None) -> ReviewFilter:
        """Return the filter that is meant. Raises: InvalidInput."""
        from_ms, to_ms = self.span
        return ReviewFilter(
            within=None if self.workspace_id is None else (place_of(self.workspace_id, None),),
            repo_id=self.repo_id,
            policy_ids=None if policy_id is None else frozenset({policy_id}),
            from_ms=from_ms,
            to_ms=to_ms,
            models=words(self.llm_models),
            providers=providers_of(words(self.llm_types)),
            hosts=words(self.hosts),
        )


def words(text: str | None) -> frozenset[str] | None:
    """Return the words of a list with commas, or None when it has none."""
    found = frozenset(each.strip() for each in (text or "").split(",") if each.strip())
    return found or None


def risks(text: str | None) -> frozenset[Risk] | None:
    """Return the severities of a list with commas. Raises: InvalidInput that names those there are."""
    found = words(text)
    if found is None:
        return None
    every: tuple[Risk, ...] = get_args(Risk)
    if not found <= set(every):
        message = f"There is no such severity; there are {', '.join(every)}."
        raise InvalidInput.of("severity", "unknown_value", message)
    return frozenset(risk for risk in every if risk in found)


def _start(text: str | None, *, path: str) -> int | None:
    return None if text is None else _ms(_moment(text, path))


def _end(text: str | None, *, path: str) -> int | None:
    """Return the first moment after `text`: a day is meant as a whole."""
    if text is None:
        return None
    whole = timedelta(days=1) if _DAY.fullmatch(text) else timedelta(milliseconds=1)
    try:
        return _ms(_moment(text, path) + whole)
    except OverflowError:
        return None


def _moment(text: str, path: str) -> datetime:
    """Return the moment that `text` names, in UTC unless it says otherwise. Raises: InvalidInput."""
    try:
        # A plus sign that was not escaped arrives as a space.
        moment = datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", text))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        message = "Write a day or a moment as ISO 8601: 2026-01-31, or 2026-01-31T09:00:00.000Z."
        raise InvalidInput.of(path, "bad_time", message) from None


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
