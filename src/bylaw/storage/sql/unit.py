"""One transaction of one tenant, in SQL."""

from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, TenantId
from bylaw.storage.sql.changes import SqlChanges, SqlOutbox, SqlReplies
from bylaw.storage.sql.conversations import SqlConversations
from bylaw.storage.sql.corrections import SqlCorrections
from bylaw.storage.sql.events import SqlEvents
from bylaw.storage.sql.inbox import SqlRemarks
from bylaw.storage.sql.jobs import SqlJobs
from bylaw.storage.sql.learning import SqlLearning
from bylaw.storage.sql.policies import SqlPolicies
from bylaw.storage.sql.review import SqlApprovals, SqlReview
from bylaw.storage.sql.session import Session
from bylaw.storage.sql.tenancy import SqlDirectory
from bylaw.storage.sql.vectors import SqlVectors
from bylaw.storage.sql.webhooks import SqlNotify


class SqlUnit:
    """All that one tenant holds, inside one transaction."""

    def __init__(self, session: Session, tenant_id: TenantId, *, ids: Ids, clock: Clock) -> None:
        self.tenant_id = tenant_id
        self.tenancy = SqlDirectory(session, tenant_id)
        self.policies = SqlPolicies(session, tenant_id)
        self.vectors = SqlVectors(session, tenant_id)
        self.corrections = SqlCorrections(session, tenant_id)
        self.review = SqlReview(session, tenant_id)
        self.approvals = SqlApprovals(session, tenant_id)
        self.remarks = SqlRemarks(session, tenant_id)
        self.conversations = SqlConversations(session, tenant_id)
        self.learning = SqlLearning(session, tenant_id)
        self.events = SqlEvents(session, tenant_id)
        self.notify = SqlNotify(session, tenant_id)
        self.changes = SqlChanges(session, tenant_id)
        self.outbox = SqlOutbox(session, tenant_id, ids=ids, clock=clock)
        self.jobs = SqlJobs(session, tenant_id, ids=ids, clock=clock)
        self.replies = SqlReplies(session, tenant_id)
