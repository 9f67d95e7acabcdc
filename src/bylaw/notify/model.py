"""Webhooks, the notices that they are sent, and the deliveries of one to the other, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NewType

import msgspec

from bylaw.core.clock import rfc3339
from bylaw.core.ids import TenantId, WorkspaceId
from bylaw.tenancy.model import Place

WebhookId = NewType("WebhookId", str)
NoticeId = NewType("NoticeId", str)
DeliveryId = NewType("DeliveryId", str)

DeliveryStatus = Literal["pending", "delivered", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that is told of some types of notices, of the whole tenant or of one workspace.

    `sealed` holds the secret that signs, `sealed_before` the one before it, which signs as well until
    `overlap_ends_ms`. `stopped_reason` says why it was switched off by the server, empty when a person did it
    or nobody. `failing_since_ms` is the first failure since the last success.
    """

    id: WebhookId
    tenant_id: TenantId
    workspace_id: WorkspaceId | None = None
    url: str
    types: tuple[str, ...]
    description: str = ""
    sealed: str
    sealed_before: str = ""
    overlap_ends_ms: int = 0
    is_active: bool = True
    stopped_reason: str = ""
    failing_since_ms: int | None = None
    created_by: str
    created_ms: int
    deleted_ms: int | None = None
    revision: int = 1

    @property
    def place(self) -> Place:
        """Where it listens."""
        return Place(workspace_id=self.workspace_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that happened, as it is told: the same id and the same bytes however often.

    `created_ms` is when it happened; `workspace_id` where, empty for the whole tenant.
    """

    id: NoticeId
    tenant_id: TenantId
    type: str
    workspace_id: str = ""
    data: Mapping[str, object]
    created_ms: int

    def body(self) -> bytes:
        """Return what is sent."""
        said = {"type": self.type, "timestamp": rfc3339(self.created_ms), "data": self.data}
        return msgspec.json.encode(said, order="deterministic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to deliver: the status that was answered, or why there was none; a part of the answer.

    Units: `duration_ms` in milliseconds.
    """

    at_ms: int
    duration_ms: int
    status: int | None = None
    error: str = ""
    excerpt: str = ""
    retry_after_ms: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A notice on its way to a webhook. `tried` counts the attempts since it was last (re)played.

    `attempts` holds the latest ones, oldest first; `next_ms` is when the next is due, None for none.
    """

    id: DeliveryId
    tenant_id: TenantId
    webhook_id: WebhookId
    notice_id: NoticeId
    type: str
    status: DeliveryStatus = "pending"
    tried: int = 0
    replays: int = 0
    attempts: tuple[Attempt, ...] = ()
    next_ms: int | None = None
    created_ms: int
    revision: int = 1
