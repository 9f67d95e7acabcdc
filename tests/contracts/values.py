"""Values to store: each builder takes what a test cares about and invents the rest."""

from itertools import count

from bylaw.approvals.model import PendingApproval
from bylaw.core.ids import AgentId, ConnectionId, KeyId, PolicyId, RepoId, TenantId, UserId, WorkspaceId
from bylaw.decisions.effects import Occasion, PolicySnapshot
from bylaw.inbox.model import Remark
from bylaw.jobs.model import Job, JobId, Schedule
from bylaw.learning.mining.model import Draft
from bylaw.learning.model import Conversation, ConversationId, Message, ToolCall
from bylaw.learning.report import Finding, LearningSettings, Report, Run, RunId
from bylaw.notify.model import Attempt, Delivery, DeliveryId, Notice, NoticeId, Webhook, WebhookId
from bylaw.policies.content import content_digest
from bylaw.policies.model import (
    Content,
    Current,
    DeterministicRule,
    Example,
    Mask,
    NaturalRule,
    Policy,
    Source,
    Version,
)
from bylaw.review.events import Event
from bylaw.review.model import Alert, AttentionItem, Evaluation, ModelCall, Violation
from bylaw.search.store import Correction, CorrectionId, said_digest
from bylaw.tenancy.model import Agent, ApiKey, Connection, Credential, Place, Repo, Tenant, User, Workspace
from bylaw.tenancy.replies import Reply

A = TenantId("tenant-a")
B = TenantId("tenant-b")
START = 1_767_225_600_000

_numbers = count(1)


def fresh(prefix: str) -> str:
    return f"{prefix}-{next(_numbers):06}"


def place(workspace: str | None = None, repo: str | None = None) -> Place:
    return Place(
        workspace_id=None if workspace is None else WorkspaceId(workspace),
        repo_id=None if repo is None else RepoId(repo),
    )


def tenant(ident: str, **given) -> Tenant:
    return Tenant(**({"id": TenantId(ident), "name": ident, "created_ms": START} | given))


def workspace(tenant_id: TenantId = A, **given) -> Workspace:
    ident = WorkspaceId(fresh("ws"))
    return Workspace(**({"id": ident, "tenant_id": tenant_id, "name": "Shop", "created_ms": START} | given))


def repo(tenant_id: TenantId = A, **given) -> Repo:
    ident = RepoId(fresh("repo"))
    return Repo(**({"id": ident, "tenant_id": tenant_id, "name": "code", "created_ms": START} | given))


def user(tenant_id: TenantId = A, **given) -> User:
    ident = UserId(fresh("user"))
    made = {"id": ident, "tenant_id": tenant_id, "email": f"{ident}@example.org", "name": "Ada"}
    return User(**(made | {"created_ms": START} | given))


def key(tenant_id: TenantId = A, **given) -> ApiKey:
    ident = KeyId(fresh("key"))
    made = {"id": ident, "tenant_id": tenant_id, "name": "CI", "prefix": "sf_live_v1_abcd"}
    return ApiKey(
        **(
            made
            | {"sha256": fresh("hash"), "scopes": frozenset({"policy:read"}), "created_ms": START}
            | given
        )
    )


def session(tenant_id: TenantId = A, **given) -> ApiKey:
    return key(tenant_id, **({"is_session": True, "expires_ms": START + 1_000} | given))


def credential(tenant_id: TenantId = A, **given) -> Credential:
    made = {"tenant_id": tenant_id, "created_ms": START, "changed_ms": START}
    return Credential(**(made | given))


def agent(tenant_id: TenantId = A, **given) -> Agent:
    return Agent(**({"id": AgentId(fresh("agent")), "tenant_id": tenant_id, "created_ms": START} | given))


def content(**given) -> Content:
    rules = (
        DeterministicRule(id="cap", expr="amount < 5000", message="too much"),
        NaturalRule(id="tone", text="Never promise a refund", effect="flag"),
    )
    made = {"name": "Refunds", "topic": "Order-Verification", "rules": rules}
    example = Example(name="small", expect="pass", request={"amount": 12.5, "tags": ["a", None, True]})
    mask = Mask(fields=("tool_result.orders.*.email",), personal_data=("iban",))
    return Content(**(made | {"conditions": {"min_order": 5}, "examples": (example,), "mask": mask} | given))


def version(policy_id: PolicyId, number: int = 1, **given) -> Version:
    said = given.pop("content", None) or content()
    made = {"policy_id": policy_id, "number": number, "content": said, "digest": content_digest(said)}
    return Version(**(made | {"author": "ada", "reason": "", "created_ms": START + number} | given))


def current(stored: Policy, first: Version | None = None, **given) -> Current:
    return Current(policy=stored, version=version(stored.id, **given) if first is None else first)


def policy(tenant_id: TenantId = A, **given) -> Policy:
    ident = PolicyId(fresh("pol"))
    made = {"id": ident, "tenant_id": tenant_id, "created_by": "ada", "created_ms": START}
    source = Source(type="manual", confidence=0.5, evidence=("a quote",))
    return Policy(**(made | {"updated_by": "ada", "updated_ms": START, "source": source} | given))


def occasion(tenant_id: TenantId = A, **given) -> Occasion:
    made = {"tenant_id": tenant_id, "receipt_id": fresh("rcpt"), "at_ms": START, "phase": "tool_call"}
    return Occasion(**(made | given))


def snapshot(**given) -> PolicySnapshot:
    made = {"id": "pol-1", "name": "Refunds", "version": 1, "digest": "sha256:00", "risk": "HIGH"}
    return PolicySnapshot(**(made | {"action": "block"} | given))


def violation(tenant_id: TenantId = A, **given) -> Violation:
    where = given.pop("occasion", None) or occasion(tenant_id)
    made = {"id": fresh("vio"), "occasion": where, "policy": snapshot(), "explanation": "amount is 9000"}
    return Violation(**(made | {"block": True} | given))


def alert(tenant_id: TenantId = A, **given) -> Alert:
    where = given.pop("occasion", None) or occasion(tenant_id)
    return Alert(
        **({"id": fresh("alert"), "occasion": where, "policy": snapshot(), "message": "look"} | given)
    )


def attention(tenant_id: TenantId = A, **given) -> AttentionItem:
    where = given.pop("occasion", None) or occasion(tenant_id)
    made = {"id": fresh("att"), "occasion": where, "policy": snapshot(), "type": "policy_review"}
    return AttentionItem(**(made | {"reason": "a human should look"} | given))


def approval(tenant_id: TenantId = A, **given) -> PendingApproval:
    where = given.pop("occasion", None) or occasion(tenant_id)
    made = {"id": fresh("appr"), "occasion": where, "tool": "refund", "call_digest": "sha256:11"}
    return PendingApproval(
        **(made | {"policies": (snapshot(),), "reason": "", "expires_ms": START + 60_000} | given)
    )


def conversation(tenant_id: TenantId = A, **given) -> Conversation:
    ident = ConversationId(fresh("conv"))
    said = (
        Message(speaker="contact", text="Straße 7, where is my order?", at_ms=START),
        Message(
            speaker="human",
            text="On its way.",
            at_ms=START + 1,
            calls=(ToolCall(name="find", arguments={"order": ["7"]}, result="{}"),),
        ),
    )
    made = {"id": ident, "tenant_id": tenant_id, "place": Place(), "contact_name": "Ada", "messages": said}
    return Conversation(**(made | {"created_ms": START} | given))


def learning_settings(tenant_id: TenantId = A, **given) -> LearningSettings:
    return LearningSettings(
        **({"id": WorkspaceId(fresh("ws")), "tenant_id": tenant_id, "created_ms": START} | given)
    )


def report() -> Report:
    """A report that draws on one conversation."""
    draft = Draft(kind="outcome", text="Ask first.", quotes=(), supports=("c",), confidence=0.5)
    return Report(miner="offline", embedder="none", read=1, findings=(Finding(draft=draft),))


def run(tenant_id: TenantId = A, **given) -> Run:
    made = {"id": RunId(fresh("run")), "tenant_id": tenant_id, "place": Place(), "cause": "asked"}
    return Run(**(made | {"asked_by": "user:ada", "created_ms": START} | given))


def evaluation(tenant_id: TenantId = A, **given) -> Evaluation:
    where = given.pop("occasion", None) or occasion(tenant_id)
    return Evaluation(**({"id": fresh("evl"), "occasion": where, "tokens_in": 10, "tokens_out": 3} | given))


def model_call(tenant_id: TenantId = A, **given) -> ModelCall:
    made = {"id": fresh("cal"), "occasion": given.pop("occasion", None) or occasion(tenant_id)}
    used = {"connection_id": fresh("con"), "tokens_in": 7, "tokens_out": 5}
    return ModelCall(**(made | used | given))


def job(tenant_id: TenantId = A, **given) -> Job:
    made = {"id": JobId(fresh("job")), "tenant_id": tenant_id, "kind": "mine", "payload": {}}
    return Job(**(made | {"due_ms": START, "created_ms": START} | given))


def schedule(tenant_id: TenantId = A, **given) -> Schedule:
    made = {"tenant_id": tenant_id, "name": "nightly", "kind": "mine", "cron": "0 3 * * *", "payload": {}}
    return Schedule(**(made | {"next_ms": START} | given))


def event(**given) -> Event:
    made = {"entry_id": fresh("entry"), "at_ms": START, "noun": "policy", "change": "created"}
    return Event(**(made | {"ident": "p", "word": "created", "author": "user:ada", "who": "ada"} | given))


def connection(tenant_id: TenantId = A, **given) -> Connection:
    made = {
        "id": ConnectionId(fresh("conn")),
        "tenant_id": tenant_id,
        "name": fresh("openai"),
        "provider": "openai",
    }
    made |= {"endpoint": "", "shown": "", "sealed": "", "created_by": "ada", "created_ms": START}
    return Connection(**(made | given))


def webhook(tenant_id: TenantId = A, **given) -> Webhook:
    made = {"id": WebhookId(fresh("hook")), "tenant_id": tenant_id, "url": "https://hooks.example.org/a"}
    made |= {"types": ("*",), "sealed": "v1.k.s", "created_by": "ada", "created_ms": START}
    return Webhook(**(made | given))


def notice(tenant_id: TenantId = A, **given) -> Notice:
    made = {"id": NoticeId(fresh("ntc")), "tenant_id": tenant_id, "type": "policy.created"}
    made |= {"data": {"policy": {"id": "p"}}, "created_ms": START}
    return Notice(**(made | given))


def delivery(tenant_id: TenantId = A, **given) -> Delivery:
    made = {"id": DeliveryId(fresh("dlv")), "tenant_id": tenant_id, "webhook_id": WebhookId("wh")}
    made |= {"notice_id": NoticeId("n"), "type": "policy.created", "created_ms": START, "next_ms": START}
    made |= {"attempts": (Attempt(at_ms=START, duration_ms=7, status=500, error="no", excerpt="oh"),)}
    return Delivery(**(made | given))


def correction(tenant_id: TenantId = A, **given) -> Correction:
    text = given.pop("text", "where is my parcel")
    made = {"id": CorrectionId(fresh("cor")), "tenant_id": tenant_id, "digest": said_digest(text)}
    return Correction(**(made | {"text": text, "created_by": "user:ada", "created_ms": START} | given))


def reply(**given) -> Reply:
    made = {"caller": "key:1", "key": fresh("idem"), "digest": "d", "status": 201}
    return Reply(
        **(made | {"headers": (("etag", '"1"'),), "body": b'{"a":"\x00"}', "created_ms": START} | given)
    )


def remark(tenant_id: TenantId = A, **given) -> Remark:
    made = {"id": fresh("remark"), "tenant_id": tenant_id, "about": "att-1", "receipt_id": "rcpt-1"}
    told = {"kind": "comment", "author": "user:ada", "text": "I called them.", "created_ms": START}
    return Remark(**(made | told | given))
