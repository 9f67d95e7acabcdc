"""tenants, places, people, policies.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "replies",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("caller", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "caller", "key", name=op.f("pk_replies")),
    )
    with op.batch_alter_table("replies", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_replies_tenant_id_created_ms"), ["tenant_id", "created_ms"], unique=False
        )

    op.create_table(
        "tenants",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
    )
    with op.batch_alter_table("tenants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tenants_created_ms_id"), ["created_ms", "id"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_outbox_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outbox")),
    )
    op.create_table(
        "users",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("email_key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("org_role", TEXT, nullable=False),
        sa.Column("workspace_roles", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_users_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_users")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_users_tenant_id_created_ms_id"), ["tenant_id", "created_ms", "id"], unique=False
        )
        batch_op.create_index(
            "uq_users_tenant_id_email_key",
            ["tenant_id", "email_key"],
            unique=True,
            sqlite_where=sa.text("deleted_ms IS NULL"),
            postgresql_where=sa.text("deleted_ms IS NULL"),
        )

    op.create_table(
        "workspaces",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("review_edits", sa.Boolean(), nullable=False),
        sa.Column("separate_approvers", sa.Boolean(), nullable=False),
        sa.Column("require_policy", sa.Boolean(), nullable=False),
        sa.Column("context_schema", sa.Text(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_workspaces_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_workspaces")),
    )
    with op.batch_alter_table("workspaces", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_workspaces_tenant_id_created_ms_id"),
            ["tenant_id", "created_ms", "id"],
            unique=False,
        )

    op.create_table(
        "members",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_members_tenant_id_user_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"],
            ["workspaces.tenant_id", "workspaces.id"],
            name=op.f("fk_members_tenant_id_workspace_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_members_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "workspace_id", "user_id", name=op.f("pk_members")),
    )
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_members_tenant_id_user_id"), ["tenant_id", "user_id"], unique=False
        )

    op.create_table(
        "repos",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"],
            ["workspaces.tenant_id", "workspaces.id"],
            name=op.f("fk_repos_tenant_id_workspace_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_repos_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_repos")),
        sa.UniqueConstraint(
            "tenant_id", "workspace_id", "id", name=op.f("uq_repos_tenant_id_workspace_id_id")
        ),
    )
    with op.batch_alter_table("repos", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_repos_tenant_id_created_ms_id"), ["tenant_id", "created_ms", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_repos_tenant_id_workspace_id_created_ms_id"),
            ["tenant_id", "workspace_id", "created_ms", "id"],
            unique=False,
        )

    op.create_table(
        "keys",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("workspace_id", TEXT, nullable=True),
        sa.Column("repo_id", TEXT, nullable=True),
        sa.Column("user_id", TEXT, nullable=True),
        sa.Column("rate_per_minute", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_used_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name=op.f("fk_keys_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id", "repo_id"],
            ["repos.tenant_id", "repos.workspace_id", "repos.id"],
            name=op.f("fk_keys_tenant_id_workspace_id_repo_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"],
            ["workspaces.tenant_id", "workspaces.id"],
            name=op.f("fk_keys_tenant_id_workspace_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_keys_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_keys_sha256")),
    )
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_keys_tenant_id_created_ms_id"), ["tenant_id", "created_ms", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_keys_tenant_id_workspace_id_created_ms_id"),
            ["tenant_id", "workspace_id", "created_ms", "id"],
            unique=False,
        )

    op.create_table(
        "policies",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=True),
        sa.Column("repo_id", TEXT, nullable=True),
        sa.Column("reach", TEXT, nullable=False),
        sa.Column("slug", TEXT, nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_type", TEXT, nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
        sa.Column("approved", sa.BigInteger(), nullable=True),
        sa.Column("pending", sa.BigInteger(), nullable=True),
        sa.Column("current", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", TEXT, nullable=True),
        sa.Column("decided_reason", TEXT, nullable=True),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", TEXT, nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id", "repo_id"],
            ["repos.tenant_id", "repos.workspace_id", "repos.id"],
            name=op.f("fk_policies_tenant_id_workspace_id_repo_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"],
            ["workspaces.tenant_id", "workspaces.id"],
            name=op.f("fk_policies_tenant_id_workspace_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_policies_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_policies")),
    )
    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_policies_tenant_id_created_ms_id"), ["tenant_id", "created_ms", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_policies_tenant_id_status_created_ms_id"),
            ["tenant_id", "status", "created_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_policies_tenant_id_workspace_id_created_ms_id"),
            ["tenant_id", "workspace_id", "created_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            "uq_policies_tenant_id_slug",
            ["tenant_id", "slug"],
            unique=True,
            sqlite_where=sa.text("deleted_ms IS NULL"),
            postgresql_where=sa.text("deleted_ms IS NULL"),
        )

    op.create_table(
        "agents",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=True),
        sa.Column("repo_id", TEXT, nullable=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("policy_id", TEXT, nullable=True),
        sa.Column("require_policy", sa.Boolean(), nullable=False),
        sa.Column("registered", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "policy_id"],
            ["policies.tenant_id", "policies.id"],
            name=op.f("fk_agents_tenant_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id", "repo_id"],
            ["repos.tenant_id", "repos.workspace_id", "repos.id"],
            name=op.f("fk_agents_tenant_id_workspace_id_repo_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workspace_id"],
            ["workspaces.tenant_id", "workspaces.id"],
            name=op.f("fk_agents_tenant_id_workspace_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_agents_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agents")),
    )
    with op.batch_alter_table("agents", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_agents_tenant_id_created_ms_id"), ["tenant_id", "created_ms", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_agents_tenant_id_policy_id_created_ms_id"),
            ["tenant_id", "policy_id", "created_ms", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_agents_tenant_id_workspace_id_created_ms_id"),
            ["tenant_id", "workspace_id", "created_ms", "id"],
            unique=False,
        )

    op.create_table(
        "versions",
        sa.Column("tenant_id", TEXT, nullable=False),
        sa.Column("policy_id", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("topic_key", TEXT, nullable=True),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("risk", TEXT, nullable=False),
        sa.Column("search_text", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "policy_id"],
            ["policies.tenant_id", "policies.id"],
            name=op.f("fk_versions_tenant_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_versions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "policy_id", "number", name=op.f("pk_versions")),
    )
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_versions_tenant_id_topic_key"), ["tenant_id", "topic_key"], unique=False
        )


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_versions_tenant_id_topic_key"))

    op.drop_table("versions")
    with op.batch_alter_table("agents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agents_tenant_id_workspace_id_created_ms_id"))
        batch_op.drop_index(batch_op.f("ix_agents_tenant_id_policy_id_created_ms_id"))
        batch_op.drop_index(batch_op.f("ix_agents_tenant_id_created_ms_id"))

    op.drop_table("agents")
    with op.batch_alter_table("policies", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_policies_tenant_id_slug",
            sqlite_where=sa.text("deleted_ms IS NULL"),
            postgresql_where=sa.text("deleted_ms IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_policies_tenant_id_workspace_id_created_ms_id"))
        batch_op.drop_index(batch_op.f("ix_policies_tenant_id_status_created_ms_id"))
        batch_op.drop_index(batch_op.f("ix_policies_tenant_id_created_ms_id"))

    op.drop_table("policies")
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_keys_tenant_id_workspace_id_created_ms_id"))
        batch_op.drop_index(batch_op.f("ix_keys_tenant_id_created_ms_id"))

    op.drop_table("keys")
    with op.batch_alter_table("repos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_repos_tenant_id_workspace_id_created_ms_id"))
        batch_op.drop_index(batch_op.f("ix_repos_tenant_id_created_ms_id"))

    op.drop_table("repos")
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_members_tenant_id_user_id"))

    op.drop_table("members")
    with op.batch_alter_table("workspaces", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_workspaces_tenant_id_created_ms_id"))

    op.drop_table("workspaces")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_users_tenant_id_email_key",
            sqlite_where=sa.text("deleted_ms IS NULL"),
            postgresql_where=sa.text("deleted_ms IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_users_tenant_id_created_ms_id"))

    op.drop_table("users")
    op.drop_table("outbox")
    with op.batch_alter_table("tenants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tenants_created_ms_id"))

    op.drop_table("tenants")
    with op.batch_alter_table("replies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_replies_tenant_id_created_ms"))

    op.drop_table("replies")
