"""changes of policies, numbered.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BY_NUMBER = "ix_policies_tenant_id_spelled"


def upgrade() -> None:
    """Apply."""
    op.add_column("policies", sa.Column("spelled", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "WITH numbered AS (SELECT tenant_id, id,"
        " row_number() OVER (PARTITION BY tenant_id ORDER BY created_ms, id) AS number FROM policies)"
        " UPDATE policies SET spelled = numbered.number FROM numbered"
        " WHERE numbered.tenant_id = policies.tenant_id AND numbered.id = policies.id"
    )
    op.create_index(BY_NUMBER, "policies", ["tenant_id", "spelled"])


def downgrade() -> None:
    """Take back."""
    op.drop_index(BY_NUMBER, "policies")
    op.drop_column("policies", "spelled")
