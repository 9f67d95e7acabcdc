"""Things of the inbox, and remarks about them, as values."""

from dataclasses import dataclass
from typing import Literal

from bylaw.approvals.model import PendingApproval
from bylaw.core.ids import TenantId, UserId
from bylaw.review.model import AttentionItem
from bylaw.tenancy.model import User

Thing = AttentionItem | PendingApproval
Noun = Literal["attention", "approval"]
RemarkKind = Literal["comment", "assigned", "unassigned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What somebody wrote about a thing, or that they put it into other hands; it never changes.

    `about` is the id of the thing, `receipt_id` the decision that the thing came from, empty without one.
    `assignee` is who got the thing, or had it until now. `text` is None once it is erased.
    """

    id: str
    tenant_id: TenantId
    about: str
    receipt_id: str
    kind: RemarkKind
    author: str
    assignee: UserId | None = None
    text: str | None = ""
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """Who sees to a thing, and how many comments there are about it."""

    assignee: User | None
    comments: int


def noun_of(thing: Thing) -> Noun:
    """Return what kind of thing it is."""
    return "attention" if isinstance(thing, AttentionItem) else "approval"
