"""conversations.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SAID = ("channel_id", "contact_id", "contact_name", "contact_email", "account_id", "account_name")
INDEXES = (
    ["created_ms", "id"],
    ["workspace_id", "created_ms", "id"],
    ["status", "created_ms", "id"],
    ["contact_id", "created_ms", "id"],
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "conversations",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=True),
        sa.Column("repo_id", TEXT, nullable=True),
        *(sa.Column(name, TEXT, nullable=False) for name in SAID),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("human_managed", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.Text(), nullable=False),
        sa.Column("outcome", TEXT, nullable=True),
        sa.Column("resolved_by", TEXT, nullable=True),
        sa.Column("resolved_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("search_text", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id", "repo_id"],
            ["repos.tenant_id", "repos.workspace_id", "repos.id"],
            name=op.f("fk_conversations_tenant_id_workspace_id_repo_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"],
            ["workspaces.tenant_id", "workspaces.id"],
            name=op.f("fk_conversations_tenant_id_workspace_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_conversations_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_conversations")),
    )
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        for columns in INDEXES:
            name = "_".join(["ix_conversations_tenant_id", *columns])
            batch_op.create_index(batch_op.f(name), ["tenant_id", *columns], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table("conversations")
