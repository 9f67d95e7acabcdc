"""last names of people.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.add_column("users", sa.Column("last_name", TEXT, nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Take back."""
    op.drop_column("users", "last_name")
