"""Every common list and look-up finds its rows by an index, on both databases."""

# ruff: noqa: S608 - the names of tables are our own

import re

import pytest
from sqlalchemy import UniqueConstraint, event, text

from bylaw.approvals.store import ApprovalFilter
from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.core.paging import Slice
from bylaw.learning.store import ConversationFilter
from bylaw.notify.store import DeliveryFilter
from bylaw.policies.searching import words_of
from bylaw.policies.store import PolicyFilter
from bylaw.review.store import AttentionFilter, ReviewFilter
from bylaw.storage.control import open_control
from bylaw.storage.sql.tables import metadata
from bylaw.storage.sql.types import Int64
from tests.contracts.test_transactions import write_everything
from tests.contracts.values import START, A, B, place, tenant

ROWS = 4000
PAGE = Slice(limit=50)
COUNTED = Slice(limit=50, total=True)

# What is read on the way of a request, by name.
READS = {
    "a workspace": lambda unit: unit.tenancy.workspaces.get("id-7"),
    "workspaces": lambda unit: unit.tenancy.workspaces.list(PAGE),
    "repos of a workspace": lambda unit: unit.tenancy.repos.list(PAGE, only=frozenset({"id-7"})),
    "users": lambda unit: unit.tenancy.users.list(PAGE),
    "users of a workspace": lambda unit: unit.tenancy.users.list(PAGE, workspace_id="id-7"),
    "keys": lambda unit: unit.tenancy.keys.list(PAGE),
    "keys within a workspace": lambda unit: unit.tenancy.keys.list(PAGE, within=place("id-7")),
    "agents": lambda unit: unit.tenancy.agents.list(PAGE),
    "agents that are governed": lambda unit: unit.tenancy.agents.governed(PAGE),
    "agents of a policy": lambda unit: unit.tenancy.agents.list(PAGE, policy_id="id-7"),
    "a policy": lambda unit: unit.policies.get("id-7"),
    "a version": lambda unit: unit.policies.version("id-7", 1),
    "versions": lambda unit: unit.policies.versions("id-7", PAGE),
    "policies": lambda unit: unit.policies.list(PolicyFilter(), PAGE),
    "policies of a workspace": lambda unit: unit.policies.list(PolicyFilter(place=place("id-7")), PAGE),
    "policies that govern": lambda unit: unit.policies.list(
        PolicyFilter(place=place("id-7"), match="effective"), PAGE
    ),
    "policies that wait": lambda unit: unit.policies.list(
        PolicyFilter(statuses=frozenset({"pending_review"})), PAGE
    ),
    "policies by slug": lambda unit: unit.policies.list(PolicyFilter(slugs=frozenset({"id-7"})), PAGE),
    "policies by id": lambda unit: unit.policies.currents([f"id-{n}" for n in range(32)]),
    "outlines of policies": lambda unit: unit.policies.outlines(PAGE),
    "policies of a topic": lambda unit: unit.policies.list(PolicyFilter(topic="id-7"), PAGE),
    "conversations": lambda unit: unit.conversations.list(ConversationFilter(), PAGE),
    "conversations of a workspace": lambda unit: unit.conversations.list(
        ConversationFilter(within=(place("id-7"),)), PAGE
    ),
    "policies around a workspace": lambda unit: unit.policies.list(
        PolicyFilter(place=place("id-7"), match="near"), PAGE
    ),
    "violations": lambda unit: unit.review.violations.list(ReviewFilter(), PAGE),
    "violations of a policy": lambda unit: unit.review.violations.list(
        ReviewFilter(policy_ids=frozenset({"id-7"})), PAGE
    ),
    "violations of an agent": lambda unit: unit.review.violations.list(ReviewFilter(agent_id="id-7"), PAGE),
    "alerts of a conversation": lambda unit: unit.review.alerts.list(
        ReviewFilter(conversation_id="id-7"), PAGE
    ),
    "alerts of a receipt": lambda unit: unit.review.alerts.list(ReviewFilter(receipt_id="id-7"), PAGE),
    "alerts of a workspace": lambda unit: unit.review.alerts.list(
        ReviewFilter(within=(place("id-7"),)), PAGE
    ),
    "open attention": lambda unit: unit.review.attention.list(AttentionFilter(status="open"), PAGE),
    "pending approvals": lambda unit: unit.approvals.list(ApprovalFilter(status="pending"), PAGE),
    "open attention of a person": lambda unit: unit.review.attention.list(
        AttentionFilter(status="open", assignee="id-7"), PAGE
    ),
    "pending approvals of a person": lambda unit: unit.approvals.list(
        ApprovalFilter(status="pending", assignee="id-7"), PAGE
    ),
    "remarks about an item": lambda unit: unit.remarks.list("id-7", PAGE),
    "comments about items": lambda unit: unit.remarks.comments([f"id-{n}" for n in range(50)]),
    "approvals of an agent": lambda unit: unit.approvals.list(ApprovalFilter(agent_id="id-7"), PAGE),
    "policies of a repo": lambda unit: unit.policies.list(
        PolicyFilter(place=place("id-7", "r"), match="exact"), PAGE
    ),
    "policies that wait, and how many": lambda unit: unit.policies.list(
        PolicyFilter(place=place("id-7"), match="near", waits=True), COUNTED
    ),
    "a search": lambda unit: unit.policies.search(words_of("refund77"), PolicyFilter(), COUNTED),
    "a search in a workspace": lambda unit: unit.policies.search(
        words_of("refund77"), PolicyFilter(place=place("id-7"), match="near"), COUNTED
    ),
    "violations, and how many": lambda unit: unit.review.violations.list(ReviewFilter(), COUNTED),
    "violations far down": lambda unit: unit.review.violations.list(
        ReviewFilter(policy_ids=frozenset({"id-7"})), Slice(limit=50, offset=ROWS, total=True)
    ),
    "violations of a repo, and how many": lambda unit: unit.review.violations.list(
        ReviewFilter(repo_id="id-7"), COUNTED
    ),
    "violations of a provider, and how many": lambda unit: unit.review.violations.list(
        ReviewFilter(providers=frozenset({"id-7"})), COUNTED
    ),
    "alerts of a provider, and how many": lambda unit: unit.review.alerts.list(
        ReviewFilter(providers=frozenset({"id-7"})), COUNTED
    ),
    "policies that say this": lambda unit: unit.policies.search(
        (), PolicyFilter(digests=frozenset({"sha256:7"})), PAGE
    ),
    "policies that changed": lambda unit: unit.policies.spelled_after(7, limit=50),
    "the last change of a policy": lambda unit: unit.policies.last_spelled(),
    "vectors that are new": lambda unit: unit.vectors.after("model", 7, limit=50),
    "vectors that wait": lambda unit: unit.vectors.waiting("model"),
    "webhooks": lambda unit: unit.notify.webhooks.list(PAGE),
    "notices since": lambda unit: unit.notify.notices.since(START + ROWS - 9, PAGE),
    "deliveries": lambda unit: unit.notify.deliveries.list(DeliveryFilter(webhook_id="id-7"), PAGE),
    "deliveries that failed": lambda unit: unit.notify.deliveries.list(
        DeliveryFilter(webhook_id="id-7", status="failed"), PAGE
    ),
    "deliveries of a notice": lambda unit: unit.notify.deliveries.list(
        DeliveryFilter(webhook_id="id-7", notice_id="id-7"), PAGE
    ),
    "a kept answer": lambda unit: unit.replies.get("caller", "key", since_ms=0),
}
# Lists that begin in the middle use the same index.
READS["later workspaces"] = lambda unit: unit.tenancy.workspaces.list(
    Slice(cursor="WzE3NjcyMjU2MDAwMDAsImlkLTciXQ")
)
READS["later policies"] = lambda unit: unit.policies.list(
    PolicyFilter(), Slice(cursor="WzE3NjcyMjU2MDAwMDAsImlkLTciXQ")
)

# What real rows differ in though nothing makes them.
SPREAD = frozenset(
    {
        "id",
        "slug",
        "topic_key",
        "policy_id",
        "workspace_id",
        "user_id",
        "receipt_id",
        "conversation_id",
        "agent_id",
        "provider",
        "webhook_id",
        "notice_id",
        "job_id",
    }
)


async def fill(store) -> None:
    """Two tenants with many rows of everything: copies of one row that differ in every id and time."""
    async with store.system() as system:
        for tenant_id in (A, B):
            await system.add_tenant(tenant(tenant_id))
            await write_everything(system.of(tenant_id))
    count = f"SELECT 1 AS n UNION ALL SELECT n + 1 FROM s WHERE n < {ROWS}"
    async with store.database.migrating() as connection:
        for table in metadata.sorted_tables:
            if "tenant_id" in table.c:
                names = ", ".join(f'"{column.name}"' for column in table.c)
                values = ", ".join(_value(column) for column in table.c)
                copies = f"WITH RECURSIVE s(n) AS ({count}) SELECT {values} FROM {table.name} AS t, s"
                await connection.execute(text(f"INSERT INTO {table.name} ({names}) {copies}"))
        if connection.dialect.name == "postgresql":  # which does so by itself
            await connection.execute(text("ANALYZE"))


def _value(column) -> str:
    """A copy's value: of its own where rows must differ, or where real rows would."""
    name = column.name
    if name in {"created_ms", "at_ms"}:
        return f"{START} + s.n"
    if name not in SPREAD and name not in _unique(column.table):
        return f't."{name}"'
    if isinstance(column.type, Int64):
        return f"t.{name} + s.n * 100003"  # a prime: copies of other rows do not meet it
    spread = "'id-' || s.n" if name in SPREAD else f"t.{name} || s.n"
    return f"CASE WHEN t.{name} IS NULL THEN NULL ELSE {spread} END" if column.nullable else spread


def _unique(table) -> set[str]:
    """The columns by which copies must be made to differ: what is SPREAD does so for the keys it is in."""
    keys = [table.primary_key, *(index for index in table.indexes if index.unique)]
    keys += [rule for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    names = [{column.name for column in key.columns} - {"tenant_id"} for key in keys]
    return {name for key in names if not key & SPREAD for name in key}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request, tmp_path_factory):
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path_factory.mktemp('plans') / 'control.db'}"


@pytest.fixture
async def store(url):
    clock = ManualClock(START)
    opened = await open_control(url, ids=Ids(clock), clock=clock)
    async with opened.system(writes=False) as system:
        is_empty = await system.tenant(A) is None
    if is_empty:
        await fill(opened)
    async with opened.system(writes=False):
        pass  # connects, so that what the driver asks for then is not seen below
    yield opened
    await opened.close()


async def plans(store, read) -> list[str]:
    """How the database goes about each SELECT of `read`."""
    found = []
    async with store.database.begin(A, writes=True) as connection:
        statements = []

        def note(_connection, _cursor, statement, parameters, _context, _many):
            if statement.lstrip().upper().startswith("SELECT") and "set_config" not in statement:
                statements.append((statement, parameters))

        readers = store.database._readers.sync_engine
        event.listen(readers, "before_cursor_execute", note)
        async with store.begin(B, writes=False) as unit:
            await read(unit)
        event.remove(readers, "before_cursor_execute", note)
        explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
        for statement, parameters in statements:
            rows = (await connection.exec_driver_sql(explain + statement, parameters)).all()
            found.append("\n".join(str(row[-1]) for row in rows))
    return found


# Looked through whole: the words of a tenant; the hours that wait to be summed up; what a statement made.
WHOLE = r"(?!vocabulary|untallied|anon_\d|\(subquery)"


def full_scans(plan: str) -> list[str]:
    looks = rf"Seq Scan on {WHOLE}\w+|^SCAN {WHOLE}\w+(?! USING (?:COVERING )?INDEX).*$"
    return re.findall(looks, plan, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(READS))
async def test_a_read_goes_by_an_index(store, name):
    told = await plans(store, READS[name])
    assert told
    for plan in told:
        assert full_scans(plan) == [], plan


@pytest.mark.parametrize("name", ["workspaces", "keys", "agents", "policies", "violations", "open attention"])
async def test_a_long_list_is_read_in_order_and_not_sorted(store, name):
    plan, *_ = await plans(store, READS[name])
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


async def test_a_look_that_has_no_index_would_be_noticed(store):
    (plan,) = await plans(
        store, lambda unit: unit.tenancy.workspaces._session.rows(text("SELECT * FROM users"))
    )
    assert full_scans(plan)
