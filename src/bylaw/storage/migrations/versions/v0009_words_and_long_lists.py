"""words and long lists.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from bylaw.policies.searching import pieces_of

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BY_PLACE = "ix_policies_tenant_id_workspace_id_repo_id"
BY_TOPIC = "ix_versions_tenant_id_topic_key"
BY_VERDICT = "ix_violations_tenant_id_block_risk_at_ms_id"
UNDELETED = sa.text("deleted_ms IS NULL")
WAITING = sa.text("deleted_ms IS NULL AND (status = 'pending_review' OR pending IS NOT NULL)")
_BATCH = 500


def upgrade() -> None:
    """Apply."""
    op.drop_index(BY_PLACE, "policies")
    listed = ["tenant_id", "workspace_id", "repo_id", "created_ms", "id"]
    name = f"{BY_PLACE}_created_ms_id"
    op.create_index(name, "policies", listed, sqlite_where=UNDELETED, postgresql_where=UNDELETED)
    waiting = ["tenant_id", "created_ms", "id", "workspace_id", "repo_id"]
    op.create_index(
        "ix_policies_waiting", "policies", waiting, sqlite_where=WAITING, postgresql_where=WAITING
    )
    for table in ("violations", "alerts"):
        columns = ["tenant_id", "provider", "at_ms", "id"]
        op.create_index(f"ix_{table}_tenant_id_provider_at_ms_id", table, columns)
    op.drop_index(BY_TOPIC, "versions")
    columns = ["tenant_id", "topic_key", "policy_id", "number"]
    op.create_index(f"{BY_TOPIC}_policy_id_number", "versions", columns)
    op.create_index(BY_VERDICT, "violations", ["tenant_id", "block", "risk", "at_ms", "id"])
    columns = ["tenant_id", "word", "workspace_id", "policy_id", "part"]
    op.create_table(
        "words",
        *(sa.Column(name, TEXT, nullable=False) for name in columns),
        sa.PrimaryKeyConstraint(*columns, name="pk_words"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_words_tenant_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_words_tenant_id_policy_id", "words", ["tenant_id", "policy_id"])
    op.create_table(
        "vocabulary",
        *(sa.Column(name, TEXT, nullable=False) for name in ("tenant_id", "word")),
        sa.PrimaryKeyConstraint("tenant_id", "word", name="pk_vocabulary"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_vocabulary_tenant_id"),
        sqlite_with_rowid=False,
    )
    _spell()


def downgrade() -> None:
    """Take back."""
    op.drop_table("vocabulary")
    op.drop_table("words")
    op.drop_index(BY_VERDICT, "violations")
    op.drop_index(f"{BY_TOPIC}_policy_id_number", "versions")
    op.create_index(BY_TOPIC, "versions", ["tenant_id", "topic_key"])
    for table in ("violations", "alerts"):
        op.drop_index(f"ix_{table}_tenant_id_provider_at_ms_id", table)
    op.drop_index("ix_policies_waiting", "policies")
    op.drop_index(f"{BY_PLACE}_created_ms_id", "policies")
    columns = ["tenant_id", "workspace_id", "repo_id"]
    op.create_index(BY_PLACE, "policies", columns, sqlite_where=UNDELETED, postgresql_where=UNDELETED)


def _spell() -> None:
    """Keep the words of the policies that are there."""
    connection = op.get_bind()
    policies, versions = (
        _table("policies", "id", "workspace_id", "current", "deleted_ms"),
        _table("versions", "policy_id", "number", "search_text", "topic_key"),
    )
    words = _table("words", "word", "workspace_id", "policy_id", "part")
    vocabulary = _table("vocabulary", "word")
    key = (policies.c.tenant_id, policies.c.id)
    same = sa.and_(
        versions.c.tenant_id == policies.c.tenant_id,
        versions.c.policy_id == policies.c.id,
        versions.c.number == policies.c.current,
    )
    said = sa.select(*key, policies.c.workspace_id, versions.c.search_text, versions.c.topic_key)
    said = said.join_from(policies, versions, same).where(policies.c.deleted_ms.is_(None))
    known: set[tuple[str, str]] = set()
    last = ("", "")
    while True:
        after = sa.tuple_(*key) > sa.tuple_(*last)
        page = connection.execute(said.where(after).order_by(*key).limit(_BATCH)).all()
        if not page:
            return
        rows = [
            {
                "tenant_id": tenant_id,
                "word": word,
                "workspace_id": workspace_id or "",
                "policy_id": policy_id,
                "part": part,
            }
            for tenant_id, policy_id, workspace_id, text, topic in page
            for part, told in (("text", text), ("topic", topic or ""))
            for word in pieces_of(told)
        ]
        fresh = {(row["tenant_id"], row["word"]) for row in rows} - known
        known |= fresh
        new = [{"tenant_id": tenant_id, "word": word} for tenant_id, word in sorted(fresh)]
        for table, found in ((vocabulary, new), (words, rows)):
            if found:
                connection.execute(sa.insert(table), found)
        last = (page[-1][0], page[-1][1])


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in ("tenant_id", *columns)))
