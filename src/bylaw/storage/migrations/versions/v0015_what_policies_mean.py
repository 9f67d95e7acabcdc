"""what policies mean, and the words of their examples and conditions.

Revision ID: 0015
Revises: 0014
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

from bylaw.policies.model import told_in
from bylaw.policies.searching import pieces_of

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_BATCH = 500
_VERSIONS = sa.table(
    "versions",
    *(sa.column(name) for name in ("tenant_id", "policy_id", "number", "content", "search_text", "digest")),
)
_POLICIES = sa.table(
    "policies", *(sa.column(name) for name in ("tenant_id", "id", "workspace_id", "current", "deleted_ms"))
)
_WORDS = sa.table(
    "words", *(sa.column(name) for name in ("tenant_id", "word", "workspace_id", "policy_id", "part"))
)
_VOCABULARY = sa.table("vocabulary", sa.column("tenant_id"), sa.column("word"))


class _Version(NamedTuple):
    """A version as it is stored."""

    tenant_id: str
    policy_id: str
    number: int
    content: str
    search_text: str

    @property
    def key(self) -> tuple[str, str, int]:
        """Return what tells it from others."""
        return self.tenant_id, self.policy_id, self.number


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_versions_tenant_id_digest", "versions", ["tenant_id", "digest"])
    op.create_table(
        "vectors",
        *(sa.Column(name, TEXT, nullable=False) for name in ("tenant_id", "digest", "embedder")),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.LargeBinary()),
        sa.Column("procedure", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name="pk_vectors"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_vectors_tenant_id"),
    )
    op.create_index("ix_vectors_tenant_id_embedder", "vectors", ["tenant_id", "embedder"])
    op.create_index("ix_vectors_tenant_id_number", "vectors", ["tenant_id", "number"])
    op.execute(
        "INSERT INTO vectors (tenant_id, digest, embedder, number)"
        " SELECT DISTINCT tenant_id, digest, '', 0 FROM versions"
    )
    connection = op.get_bind()
    for page in _pages(connection):
        said = {row.key: _said(row.search_text, row.content) for row in page}
        grown = [row for row in page if said[row.key] != row.search_text]
        for row in grown:
            this = (_VERSIONS.c.tenant_id == row.tenant_id, _VERSIONS.c.policy_id == row.policy_id)
            these = sa.update(_VERSIONS).where(*this, _VERSIONS.c.number == row.number)
            connection.execute(these.values(search_text=said[row.key]))
        _spell(connection, {row.key: said[row.key] for row in grown})


def downgrade() -> None:
    """Take back; the words of examples stay, and are found."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SCHEMA IF EXISTS compared CASCADE")  # what was made of the vectors
    op.drop_table("vectors")
    op.drop_index("ix_versions_tenant_id_digest", "versions")


def _pages(connection: sa.Connection) -> Iterator[list[_Version]]:
    """Yield the versions, some at a time."""
    v = _VERSIONS.c
    key = (v.tenant_id, v.policy_id, v.number)
    last: tuple[str, str, int] = ("", "", 0)
    while True:
        after = sa.tuple_(*key) > sa.tuple_(*last)
        said = sa.select(*key, v.content, v.search_text).where(after).order_by(*key).limit(_BATCH)
        page = [_Version(*row) for row in connection.execute(said)]
        if not page:
            return
        yield page
        last = (page[-1].tenant_id, page[-1].policy_id, page[-1].number)


def _said(text: str, content: str) -> str:
    """Return the text of a version with what its examples and conditions say; unread, if it is no content."""
    try:
        document = json.loads(content)
    except ValueError:
        return text
    if not isinstance(document, dict):
        return text
    more = [
        said for each in document.get("examples") or () for said in (each["name"], *told_in(each["request"]))
    ]
    for key, value in (document.get("conditions") or {}).items():
        more += [key, *told_in(value)]
    return "\n".join([text, *more]).casefold()


def _spell(connection: sa.Connection, said: dict[tuple[str, str, int], str]) -> None:
    """Add the words of these texts, where they are those of the versions that speak for policies now."""
    p = _POLICIES.c
    key = (p.tenant_id, p.id, p.current)
    these = sa.select(*key, p.workspace_id).where(p.deleted_ms.is_(None), sa.tuple_(*key).in_(list(said)))
    found = connection.execute(these).all() if said else []
    told = {(row.tenant_id, row.id): pieces_of(said[row.tenant_id, row.id, row.current]) for row in found}
    held: dict[tuple[str, str], set[str]] = {each: set() for each in told}
    w = _WORDS.c
    stored = sa.select(w.tenant_id, w.policy_id, w.word)
    some = stored.where(sa.tuple_(w.tenant_id, w.policy_id).in_(list(told)), w.part == "text")
    for row in connection.execute(some).all() if told else []:
        held[row.tenant_id, row.policy_id].add(row.word)
    rows = [
        {
            "tenant_id": row.tenant_id,
            "word": word,
            "workspace_id": row.workspace_id or "",
            "policy_id": row.id,
            "part": "text",
        }
        for row in found
        for word in told[row.tenant_id, row.id] - held[row.tenant_id, row.id]
    ]
    if rows:
        connection.execute(sa.insert(_WORDS), rows)
    for tenant_id in {row["tenant_id"] for row in rows}:
        _learn(connection, tenant_id, {row["word"] for row in rows if row["tenant_id"] == tenant_id})


def _learn(connection: sa.Connection, tenant_id: str, words: set[str]) -> None:
    """Add what is not in the vocabulary of a tenant yet."""
    known = _VOCABULARY.c
    each = sorted(words)
    for start in range(0, len(each), _BATCH):
        some = each[start : start + _BATCH]
        held = sa.select(known.word).where(known.tenant_id == tenant_id, known.word.in_(some))
        there = set(connection.execute(held).scalars())
        fresh = [{"tenant_id": tenant_id, "word": word} for word in some if word not in there]
        if fresh:
            connection.execute(sa.insert(_VOCABULARY), fresh)
