"""Values of the nouns as flat rows, and back: the same for every store."""

from dataclasses import Field, dataclass
from typing import ClassVar, Protocol, TypeVar, assert_never, cast

import msgspec

from bylaw.approvals.model import PendingApproval
from bylaw.core.errors import Corrupt
from bylaw.core.ids import PolicyId
from bylaw.jobs.model import Job
from bylaw.learning.model import Conversation
from bylaw.learning.model import search_text as conversation_text
from bylaw.learning.report import Run
from bylaw.policies.content import ContentDocument, document, restore_content
from bylaw.policies.model import Policy, Version, search_text, topic_key
from bylaw.review.model import Alert, AttentionItem, Evaluation, ModelCall, Violation
from bylaw.storage.text import lines
from bylaw.tenancy.model import User
from bylaw.tenancy.replies import Reply

T = TypeVar("T")
Left = Violation | Alert | AttentionItem | PendingApproval | Evaluation | ModelCall


class Row(Protocol):
    """A row as it is read: its columns by name."""

    def __getitem__(self, name: str, /) -> object:
        """Return what a column holds."""


class Value(Protocol):
    """A dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[object]]]


V = TypeVar("V", bound=Value)

_PLACE = ("workspace_id", "repo_id")


def to_row(item: object) -> dict[str, object]:
    """Return the fields of a value by name, its place as two columns."""
    row: dict[str, object] = msgspec.to_builtins(item)
    place = row.pop("place", None)
    if isinstance(place, dict):
        row.update(place)
    return row


def from_row(kind: type[V], row: Row) -> V:
    """Return the value of `kind` that was stored as `row`; columns that it does not have are left out.

    Raises: Corrupt when the row does not hold one.
    """
    names = kind.__dataclass_fields__
    data = {name: row[name] for name in names if name != "place"}
    if "place" in names:
        data["place"] = {name: row[name] for name in _PLACE}
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise Corrupt(f"A stored {kind.__name__} cannot be read: {error}.", place=kind.__name__) from error


def user_row(user: User) -> dict[str, object]:
    """Return a user as a row, with what their e-mail address is compared by."""
    return {**to_row(user), "email_key": user.email.casefold()}


def reply_row(reply: Reply) -> dict[str, object]:
    """Return a kept answer as a row, its body as it is."""
    return {**to_row(reply), "body": reply.body}


def conversation_row(conversation: Conversation) -> dict[str, object]:
    """Return a conversation as a row, with what it is looked for by."""
    return {**to_row(conversation), "search_text": conversation_text(conversation)}


def source_rows(run: Run) -> list[dict[str, object]]:
    """Return on which conversations the report of a run draws, a row for each."""
    drawn = () if run.report is None else sorted(run.report.drawn_on)
    return [{"tenant_id": run.tenant_id, "conversation_id": each, "run_id": run.id} for each in drawn]


def job_row(job: Job) -> dict[str, object]:
    """Return a job as a row, with the key that it holds while it is live."""
    return {**to_row(job), "live_key": job.dedupe if job.is_live else None}


def policy_row(policy: Policy) -> dict[str, object]:
    """Return a policy as a row, with what it is looked for by."""
    return {**to_row(policy), "source_type": policy.source.type, "current": policy.current}


def version_row(version: Version) -> dict[str, object]:
    """Return a version as a row, with what it is looked for by."""
    content = version.content
    return {
        "policy_id": version.policy_id,
        "number": version.number,
        "content": document(content),
        "digest": version.digest,
        "author": version.author,
        "reason": version.reason,
        "created_ms": version.created_ms,
        "topic_key": None if content.topic is None else topic_key(content.topic),
        "action": content.action,
        "risk": content.risk,
        "search_text": search_text(content),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredVersion:
    """A version as its row holds it."""

    policy_id: PolicyId
    number: int
    content: dict[str, object]
    digest: str
    author: str
    reason: str
    created_ms: int


def version_of(row: Row) -> Version:
    """Return the version that was stored as `row`. Raises: Corrupt."""
    stored = from_row(_StoredVersion, row)
    return Version(
        policy_id=stored.policy_id,
        number=stored.number,
        content=restore_content(cast("ContentDocument", stored.content)),
        digest=stored.digest,
        author=stored.author,
        reason=stored.reason,
        created_ms=stored.created_ms,
    )


def left_row(item: Left) -> dict[str, object]:
    """Return what a decision left for people as a row: the whole item, and what it is looked for by."""
    occasion = item.occasion
    return {
        "tenant_id": occasion.tenant_id,
        "id": item.id,
        "at_ms": occasion.at_ms,
        "receipt_id": occasion.receipt_id,
        "conversation_id": occasion.conversation_id,
        "workspace_id": occasion.workspace_id,
        "repo_id": occasion.repo_id,
        "item": msgspec.to_builtins(item),
        **_sought(item),
    }


def _sought(item: Left) -> dict[str, object]:
    occasion = item.occasion
    match item:
        case AttentionItem():
            policy_id = None if item.policy is None else item.policy.id
            return {
                "policy_id": policy_id,
                "status": item.status,
                "type": item.type,
                "assignee": item.assignee,
                "revision": item.revision,
            }
        case PendingApproval():
            return {
                "agent_id": occasion.agent_id,
                "policy_ids": lines(policy.id for policy in item.policies),
                "status": item.status,
                "expires_ms": item.expires_ms,
                "assignee": item.assignee,
                "revision": item.revision,
            }
        case Evaluation():
            return {
                "policy_id": item.policy_id,
                "user_id": occasion.user_id,
                "key_id": occasion.key_id,
                "model": occasion.model,
                "tokens_in": item.tokens_in,
                "tokens_out": item.tokens_out,
            }
        case ModelCall():
            return {
                "connection_id": item.connection_id,
                "tokens_in": item.tokens_in,
                "tokens_out": item.tokens_out,
            }
        case Violation() | Alert():
            verdict = {"risk": item.policy.risk, "block": item.block} if isinstance(item, Violation) else {}
            return {
                "policy_id": item.policy.id,
                "agent_id": occasion.agent_id,
                "user_id": occasion.user_id,
                "key_id": occasion.key_id,
                "model": occasion.model,
                "provider": occasion.provider,
                "host": occasion.host,
                **verdict,
            }
        case _:
            assert_never(item)


def item_of(kind: type[T], row: Row) -> T:
    """Return the whole item of `kind` inside a row. Raises: Corrupt."""
    try:
        return msgspec.convert(row["item"], kind)
    except msgspec.ValidationError as error:
        raise Corrupt(f"A stored {kind.__name__} cannot be read: {error}.", place=kind.__name__) from error
