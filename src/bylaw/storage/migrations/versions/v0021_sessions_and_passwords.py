"""sessions, passwords and invitations.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BY_ADDRESS, SESSIONS = "ix_users_email_key", "ix_keys_sessions"


def upgrade() -> None:
    """Apply: no key of before is a session."""
    op.add_column("keys", sa.Column("is_session", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("keys", sa.Column("made_from", TEXT))
    of_sessions = sa.column("is_session").is_(sa.true())
    op.create_index(
        SESSIONS,
        "keys",
        ["tenant_id", "expires_ms"],
        sqlite_where=of_sessions,
        postgresql_where=of_sessions,
    )
    op.create_index(BY_ADDRESS, "users", ["email_key"])
    op.create_table(
        "credentials",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("invitation", TEXT),
        sa.Column("invitation_expires_ms", sa.BigInteger()),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"], ["users.tenant_id", "users.id"], name=op.f("fk_credentials_tenant_id_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_credentials_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("invitation", name=op.f("uq_credentials_invitation")),
    )


def downgrade() -> None:
    """Take back; sessions end."""
    op.drop_table("credentials")
    op.drop_index(BY_ADDRESS, "users")
    op.drop_index(SESSIONS, "keys")
    op.execute(sa.text("DELETE FROM keys WHERE is_session"))
    op.drop_column("keys", "made_from")
    op.drop_column("keys", "is_session")
