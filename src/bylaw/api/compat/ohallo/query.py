"""What is asked in the query of a list; what is not known is passed over, and a blank filter is none."""

from typing import Annotated, Final, Literal

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bylaw.api.compat.ohallo.translate import COMPACT, FIELDS
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import Slice
from bylaw.learning.model import ConversationStatus
from bylaw.learning.store import ConversationFilter
from bylaw.policies.model import Status
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy.model import Place

MOST: Final = 100
MOST_ATTENTION: Final = 1_000
# No tenant holds so many: whoever skips more gets nothing, however large the number.
_BEYOND: Final = 1_000_000

_no_blank = BeforeValidator(lambda sent: None if sent == "" else sent)


class _Query(BaseModel):
    """Parameters of a query."""

    model_config = ConfigDict(frozen=True)


class EntryView(_Query):
    """How a list of entries is cut and shown."""

    limit: Annotated[int, Field(ge=1, description="Most items to return; more than 100 are 100.")] = 50
    offset: Annotated[int, Field(ge=0, description="How many items to skip.")] = 0
    envelope: Annotated[
        Literal["object", "array"] | None,
        _no_blank,
        Field(
            description="`array`: the items alone, as with `Accept: application/json; profile=array`;"
            " `X-Total-Count` has their number in any case."
        ),
    ] = None
    view: Annotated[
        Literal["full", "compact"], Field(description=f"`compact`: only {', '.join(COMPACT)}.")
    ] = "full"
    fields: Annotated[
        str | None, _no_blank, Field(description="The fields to show, with commas between them.")
    ] = None

    @property
    def part(self) -> Slice:
        """Return the part that is wanted, with the number of all."""
        return Slice(limit=min(self.limit, MOST), offset=min(self.offset, _BEYOND), total=True)

    @property
    def shown(self) -> tuple[str, ...]:
        """Return the fields that are wanted. Raises: InvalidInput that names those there are."""
        if self.fields is None:
            return COMPACT if self.view == "compact" else FIELDS
        wanted = tuple(name.strip() for name in self.fields.split(","))
        unknown = [name for name in wanted if name not in FIELDS]
        if unknown:
            message = f"There is no field {unknown[0][:60]!r}; there are {', '.join(FIELDS)}."
            raise InvalidInput.of("fields", "unknown_value", message)
        return wanted


def accepts_array(request: Request) -> bool:
    """Return whether `Accept` asks for the items of a list alone. What it says else is passed over."""
    accepted = ",".join(request.headers.getlist("accept")).lower().replace(" ", "").replace('"', "")
    kinds = (each.split(";") for each in accepted.split(","))
    return any(kind == "application/json" and "profile=array" in said for kind, *said in kinds)


class EntryQuery(EntryView):
    """Which entries are wanted; filters combine with AND."""

    topic: Annotated[str | None, _no_blank, Field(description="Only those of this topic.")] = None
    status: Annotated[Status | None, _no_blank, Field(description="Only those with this status.")] = None

    def where(self, place: Place) -> PolicyFilter:
        """Return the filter that is meant: what holds in `place`, and everything inside it."""
        if self.status == "archived":
            # What is approved and switched off is shown as archived.
            return self._filter(place, "approved", "archived", in_force=False)
        if self.status == "approved":
            return self._filter(place, "approved", in_force=True)
        return self._filter(place, *(() if self.status is None else (self.status,)))

    def _filter(self, place: Place, *statuses: Status, in_force: bool | None = None) -> PolicyFilter:
        return PolicyFilter(
            place=place,
            match="near",
            statuses=frozenset(statuses) or None,
            in_force=in_force,
            topic=self.topic,
        )


class SearchQuery(EntryView):
    """What is searched for."""

    q: Annotated[str, Field(description="What is looked for, in words or by meaning; blank finds nothing.")]


class ConversationQuery(_Query):
    """Which conversations are wanted; filters combine with AND."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)

    workspace_id: Annotated[str | None, _no_blank, Field(description="Only those of this workspace.")] = None
    status: Annotated[
        ConversationStatus | None, _no_blank, Field(description="Only those with this status.")
    ] = None
    contact_id: Annotated[str | None, _no_blank, Field(description="Only those with this contact.")] = None
    account_id: Annotated[str | None, _no_blank, Field(description="Only those of this account.")] = None
    q: Annotated[
        str | None, _no_blank, Field(description="Found in names, addresses and messages, whatever the case.")
    ] = None
    human_managed: Annotated[
        bool | None, _no_blank, Field(description="Whether a person has taken over.")
    ] = None
    has_attention: Annotated[
        bool | None, _no_blank, Field(description="Whether an attention item of it is open.")
    ] = None
    limit: Annotated[int, Field(ge=1, description="Most items to return; more than 100 are 100.")] = 50
    cursor: Annotated[str | None, _no_blank, Field(description="`nextCursor` of the page before.")] = None

    @property
    def part(self) -> Slice:
        """Return the part that is wanted."""
        return Slice(limit=min(self.limit, MOST), cursor=self.cursor)

    @property
    def where(self) -> ConversationFilter:
        """Return the filter that is meant."""
        workspace = None if self.workspace_id is None else Place(workspace_id=WorkspaceId(self.workspace_id))
        return ConversationFilter(
            within=None if workspace is None else (workspace,),
            status=self.status,
            contact_id=self.contact_id,
            account_id=self.account_id,
            human_managed=self.human_managed,
            has_attention=self.has_attention,
            text=self.q,
        )


class AttentionQuery(_Query):
    """Which attention items are wanted."""

    status: Annotated[
        Literal["open", "resolved"] | None, _no_blank, Field(description="Only those with this status.")
    ] = None
    limit: Annotated[int, Field(ge=1, description="Most items to return; more than 1000 are 1000.")] = 1_000
