"""What the API needs from storage: one transaction per request, and the operator's view over all tenants."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bylaw.approvals.store import Approvals
from bylaw.core.ids import RepoId, TenantId
from bylaw.decisions.model import Request
from bylaw.decisions.passage import Passage
from bylaw.inbox.store import Remarks
from bylaw.jobs.store import Backlog, Jobs
from bylaw.learning.store import Conversations, Learning
from bylaw.notify.store import Notify
from bylaw.policies.store import Policies
from bylaw.providers.model import Ask, Failed
from bylaw.review.events import Events
from bylaw.review.store import Review
from bylaw.search.store import Corrections, Vectors
from bylaw.tenancy.changes import Changes, KnownLogs, Outbox, Progress, Queue
from bylaw.tenancy.model import Connection, Provider
from bylaw.tenancy.principal import Principal
from bylaw.tenancy.replies import Replies
from bylaw.tenancy.store import Directory, OperatorUnit


class Unit(Protocol):
    """One transaction of one tenant: commits when its block ends well, and rolls back otherwise."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def tenancy(self) -> Directory:
        """Its places, people, keys and agents."""

    @property
    def policies(self) -> Policies:
        """Its policies."""

    @property
    def vectors(self) -> Vectors:
        """What its policies mean, as numbers."""

    @property
    def corrections(self) -> Corrections:
        """Where people say that messages lead."""

    @property
    def review(self) -> Review:
        """What its decisions left for people."""

    @property
    def approvals(self) -> Approvals:
        """Its calls that wait for a person."""

    @property
    def remarks(self) -> Remarks:
        """What people say about either."""

    @property
    def conversations(self) -> Conversations:
        """Its conversations."""

    @property
    def learning(self) -> Learning:
        """How it learns, and what it found."""

    @property
    def events(self) -> Events:
        """What people changed."""

    @property
    def notify(self) -> Notify:
        """Whom it tells what."""

    @property
    def changes(self) -> Changes:
        """Its change counter."""

    @property
    def outbox(self) -> Outbox:
        """Its entries for the log."""

    @property
    def jobs(self) -> Jobs:
        """Its work that outlives a request."""

    @property
    def replies(self) -> Replies:
        """Its answers kept for repeats."""


class SystemUnit(OperatorUnit, Protocol):
    """One transaction of the operator, over all tenants."""

    @property
    def replies(self) -> Replies:
        """The operator's answers kept for repeats."""

    async def drop_replies(self, *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` kept answers, of anybody, that are older; return how many it were."""

    async def untallied(self, *, before_ms: int, limit: int) -> Sequence[tuple[TenantId, int]]:
        """Return up to `limit` days, each of a tenant, with outdated hours that were over at `before_ms`."""

    @property
    def queue(self) -> Queue:
        """The entries of every tenant that wait for the log."""

    @property
    def progress(self) -> Progress:
        """How far the effects of each log are projected."""

    @property
    def backlog(self) -> Backlog:
        """The jobs of every tenant."""

    async def probe(self) -> None:
        """Look at every table. Raises: Unavailable or Corrupt when one cannot be read."""

    @property
    def known_logs(self) -> KnownLogs:
        """How far each log was when it was last seen."""

    def of(self, tenant_id: TenantId) -> Unit:
        """Return what a tenant holds, inside this transaction; its own writers are not waited for."""


class Gateway(Protocol):
    """Passes calls of models on, as far as policies allow."""

    async def pass_on(self, caller: Principal, repo_id: RepoId, ask: Ask, context: Request) -> Passage:
        """Return what becomes of a call in a repo, where the caller may ask. Raises: NotFound."""

    async def models(
        self, caller: Principal, repo_id: RepoId, *, providers: Collection[Provider] | None = None
    ) -> Sequence[tuple[Connection, str]] | Failed:
        """Return the models there are for a repo, each with its connection; why if nobody lists any.

        Only those of `providers` are asked, None for all. Raises: NotFound for the repo.
        """


class ControlStore(Protocol):
    """Everything but receipts, in transactions; there is no query outside of one.

    Those that write run one after another inside a tenant, so what one has read still holds when it writes.
    Those with `writes=False` see one state, wait for nobody and refuse to write. After an error of the store
    a transaction is over and keeps nothing, unless the error is InvalidInput, PreconditionFailed, or a
    Conflict that its method names.
    """

    def begin(self, tenant_id: TenantId, *, writes: bool = True) -> AbstractAsyncContextManager[Unit]:
        """Return the transaction of one tenant."""

    def system(self, *, writes: bool = True) -> AbstractAsyncContextManager[SystemUnit]:
        """Return the transaction of the operator."""

    def when_enqueued(self, tell: Callable[[], None]) -> None:
        """Have `tell` called after each commit by which a job was enqueued here: a mere hint."""

    async def checkpoint(self) -> None:
        """Bring what other processes wrote back into the file, where the database is one."""

    async def close(self) -> None:
        """Let go of every connection."""
