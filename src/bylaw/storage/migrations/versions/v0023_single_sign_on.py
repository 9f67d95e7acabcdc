"""who people are at a sign-in service.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BY_SUBJECT = "ix_credentials_subject"


def upgrade() -> None:
    """Apply: nobody came from there yet."""
    op.add_column("credentials", sa.Column("issuer", TEXT))
    op.add_column("credentials", sa.Column("subject", TEXT))
    op.create_index(BY_SUBJECT, "credentials", ["subject", "issuer"])


def downgrade() -> None:
    """Take back; the sign-in service has to be told who is who again."""
    op.drop_index(BY_SUBJECT, "credentials")
    op.drop_column("credentials", "subject")
    op.drop_column("credentials", "issuer")
