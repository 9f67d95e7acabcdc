"""Who sees to what waits for people, as lists show it and are filtered by it."""

from typing import Annotated

import msgspec
from pydantic import Field

from bylaw.api.native.query import ListQuery
from bylaw.core.ids import UserId
from bylaw.tenancy.model import User


class HandsQuery(ListQuery):
    """In whose hands what is wanted has to be."""

    assignee_id: Annotated[UserId | None, Field(description="Only those that this person has.")] = None
    is_assigned: Annotated[bool | None, Field(description="Only those that somebody has, or nobody.")] = None


class PersonInCareView(msgspec.Struct, frozen=True, kw_only=True):
    """A person who sees to something, or could."""

    id: str
    name: str


def person_in_care(user: User | None) -> PersonInCareView | None:
    """Return a person as lists show them, None for nobody."""
    return None if user is None else PersonInCareView(id=user.id, name=user.full_name)
