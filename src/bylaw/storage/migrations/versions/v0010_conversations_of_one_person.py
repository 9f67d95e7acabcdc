"""conversations that one person has with models.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INDEX = "ix_conversations_tenant_id_owner_created_ms_id"


def upgrade() -> None:
    """Apply."""
    op.add_column("conversations", sa.Column("owner", TEXT, nullable=False, server_default=sa.text("''")))
    op.add_column("conversations", sa.Column("deleted_ms", sa.BigInteger(), nullable=True))
    op.create_index(INDEX, "conversations", ["tenant_id", "owner", "created_ms", "id"])


def downgrade() -> None:
    """Take back."""
    op.drop_index(INDEX, "conversations")
    op.drop_column("conversations", "deleted_ms")
    op.drop_column("conversations", "owner")
