"""conversations that are forgotten.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("conversations", sa.Column("forgotten_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Take back; a forgotten conversation is then one that was deleted and in which nothing was said."""
    op.drop_column("conversations", "forgotten_ms")
