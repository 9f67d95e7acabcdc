"""What goes over the wire, field for field in the order in which the contract shows it.

Input is read leniently: what is not known is passed over. Output is exact.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bylaw.learning.model import ConversationStatus, Speaker
from bylaw.policies.model import Status
from bylaw.review.model import AttentionStatus

Conditions = dict[str, object]
Said = Annotated[str, Meta(min_length=1)]


class _Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a request or an answer."""


class NewEntry(_Wire, frozen=True):
    """An entry to be made. `status` (additive): `pending_review` lets it wait; otherwise it is in force."""

    topic: Said
    rule_text: Said
    conditions: Conditions | None = None
    source_type: Said = "manual"
    source_conversation_id: str | None = None
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None
    status: Literal["approved", "pending_review"] | None = None


class EntryChange(_Wire, frozen=True):
    """The fields that are to change; others stay. `conditions` are replaced whole, null clears them."""

    topic: Said | UnsetType = UNSET
    rule_text: Said | UnsetType = UNSET
    conditions: Conditions | UnsetType | None = UNSET


class Rejection(_Wire, frozen=True):
    """Why a proposal is rejected."""

    reason: str | None = None


class Entry(_Wire, frozen=True):
    """A policy entry. `workspaceId` is null when it holds in the whole tenant."""

    id: str
    tenant_id: str
    workspace_id: str | None
    topic: str
    rule_text: str
    conditions: Conditions | None
    source_type: str
    source_conversation_id: str | None
    status: Status
    confidence: float | None
    created_at: str
    updated_at: str


class EntryPart(_Wire, frozen=True):
    """An entry in a list: whole, or the fields that `fields` or `view` ask for."""

    id: str | UnsetType = UNSET
    tenant_id: str | UnsetType = UNSET
    workspace_id: str | UnsetType | None = UNSET
    topic: str | UnsetType = UNSET
    rule_text: str | UnsetType = UNSET
    conditions: Conditions | UnsetType | None = UNSET
    source_type: str | UnsetType = UNSET
    source_conversation_id: str | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    confidence: float | UnsetType | None = UNSET
    created_at: str | UnsetType = UNSET
    updated_at: str | UnsetType = UNSET


class Entries(_Wire, frozen=True):
    """A part of a list; `total` counts all that match."""

    items: tuple[EntryPart, ...]
    total: int


class Done(_Wire, frozen=True):
    """It was done."""

    ok: Literal[True] = True


class Failure(_Wire, frozen=True):
    """What went wrong, for a person; the stable code is in `X-Error-Code`."""

    error: str


class NewMessage(_Wire, frozen=True):
    """Something that was said: by the `contact`, the `agent` or a `human` colleague."""

    speaker: Speaker
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    created_at: str | None = None


class NewConversation(_Wire, frozen=True):
    """A conversation that was had elsewhere; `id` is what decisions call `conversation_id`."""

    workspace_id: Said
    messages: tuple[NewMessage, ...] = ()
    id: str | None = None
    channel_id: str = ""
    contact_id: str = ""
    contact_name: str = ""
    contact_email: str = ""
    account_id: str = ""
    account_name: str = ""
    status: ConversationStatus = "open"
    human_managed: bool = False


class Outcome(_Wire, frozen=True):
    """How a conversation ended, in words that are kept."""

    outcome: str | None = None


class Message(_Wire, frozen=True):
    """Something that was said."""

    speaker: Speaker
    text: str
    created_at: str


class Conversation(_Wire, frozen=True, kw_only=True):
    """A conversation in a list; `lastMessageAt` is when it began while nothing was said."""

    id: str
    workspace_id: str | None
    channel_id: str
    contact_id: str
    status: ConversationStatus
    last_message_preview: str
    last_message_at: str
    contact_name: str | UnsetType = UNSET
    contact_email: str | UnsetType = UNSET
    account_id: str | UnsetType = UNSET
    account_name: str | UnsetType = UNSET
    human_managed: bool
    outcome: str | None
    created_at: str


class WholeConversation(Conversation, frozen=True, kw_only=True):
    """A conversation with what was said."""

    messages: tuple[Message, ...]


class Conversations(_Wire, frozen=True):
    """A part of a list; send `nextCursor` as `cursor` for the next, it is left out on the last."""

    data: tuple[Conversation, ...]
    next_cursor: str | UnsetType = UNSET


class ApiKey(_Wire, frozen=True):
    """A key without its text; `brandId` is always null here."""

    id: str
    name: str
    key_prefix: str
    scopes: tuple[str, ...]
    brand_id: None
    workspace_id: str | None
    last_used_at: str | None
    expires_at: str | None
    created_at: str


class AttentionItem(_Wire, frozen=True):
    """Something that a person should look at; `policyId` and `receiptId` (additive) say what raised it."""

    id: str
    tenant_id: str
    conversation_id: str | None
    type: str
    reason: str
    status: AttentionStatus
    created_at: str
    resolved_at: str | None
    policy_id: str | None
    receipt_id: str
