"""PostgreSQL compares vectors where its extension is there, and finds what memory finds."""

import uuid
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import numpy as np
import pytest
from sqlalchemy import insert, text

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.core.paging import Slice
from bylaw.policies.store import PolicyFilter
from bylaw.search.embedding import embed_waiting
from bylaw.search.finder import Finder
from bylaw.search.index import Index
from bylaw.search.nearest import MEMORY, Where
from bylaw.search.query import search_policies
from bylaw.search.store import Meaning
from bylaw.storage.control import open_control, open_database
from bylaw.storage.migrations import history
from bylaw.storage.postgres.walls import APP_ROLE
from bylaw.storage.sql import tables
from bylaw.storage.sql.compared import Seen, SqlCompared, why_not
from bylaw.storage.sql.session import Session
from bylaw.storage.vectors import meaning_row
from bylaw.tenancy.principal import Acting, system_principal
from tests import postgres
from tests.contracts.values import START, A, B, content, current, policy, tenant, version
from tests.search.test_index import SHAPES, unit

MODEL = "model@1"
THERE = Where(choice="postgres", memory_bytes=0)
K = 10


class Directions:
    """An embedder of texts that name a number: the direction of that number."""

    note = ""
    dimensions = 16

    def __init__(self, name=MODEL) -> None:
        self.id = name
        self._rows = unit(np.random.default_rng(5).standard_normal((60, self.dimensions)))

    async def embed(self, texts):
        numbers = [[int(word) for word in each.split() if word.isdigit()] for each in texts]
        rows = [self._rows[each].sum(axis=0) if each else np.zeros(self.dimensions) for each in numbers]
        return (np.array(rows) / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype("f4")


@pytest.fixture(scope="module")
def compared_url(postgres_url):
    """A database with the whole schema and two tenants, in a PostgreSQL that has the extension."""

    async def fill():
        clock = ManualClock()
        store = await open_control(postgres_url, ids=Ids(clock), clock=clock)
        note = await store.database.note()
        async with store.system() as system:
            for tenant_id in (A, B):
                await system.add_tenant(tenant(tenant_id))
        await store.close()
        return note

    note = postgres.apart(fill)
    if note:
        pytest.skip(f"this PostgreSQL compares no vectors: {note}")
    return postgres_url


@pytest.fixture
async def store(compared_url):
    await postgres.execute(
        compared_url,
        "DELETE FROM vectors",
        "DELETE FROM words",
        "DELETE FROM versions",
        "DELETE FROM policies",
    )
    clock = ManualClock()
    opened = await open_control(compared_url, ids=Ids(clock), clock=clock)
    yield opened
    await opened.close()


async def put(store, rows, *, tenant_id=A, embedder=MODEL, first=1):
    """Keep rows as vectors of contents, whatever policies there are."""
    made = [
        {
            **meaning_row(Meaning(digest=f"p{place:05}", about=row, procedure=None)),
            "tenant_id": tenant_id,
            "digest": f"p{place:05}",
            "embedder": embedder,
            "number": first + place,
        }
        for place, row in enumerate(rows)
    ]
    async with store.database.begin(tenant_id, writes=True) as connection:
        await connection.execute(insert(tables.vectors), made)


async def take(store, *, tenant_id=A, embedder=MODEL, limit=1_000):
    while True:
        async with store.begin(tenant_id) as opened:
            if not await (await opened.vectors.compared()).take(embedder, limit=limit):
                return


async def nearest(store, query, k=K, *, tenant_id=A, **given):
    async with store.begin(tenant_id, writes=False) as opened:
        return await (await opened.vectors.compared()).nearest(MODEL, query, k, **given)


async def led_to(store, query, *, tenant_id):
    """What is nearest by the graph, which so few rows are not worth otherwise."""
    async with store.database.begin(tenant_id, writes=False) as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        await connection.execute(text("SET LOCAL enable_sort = off"))
        return await SqlCompared(Session(connection, writes=False), tenant_id).nearest(MODEL, query, K)


async def is_whole(store, tenant_id=A, embedder=MODEL):
    async with store.begin(tenant_id, writes=False) as opened:
        return await (await opened.vectors.compared()).is_whole(embedder)


async def test_99_of_100_best_are_found_of_each_shape_and_under_filters(store):
    many, found, among = 700, dict.fromkeys(SHAPES, 0), {f"p{place:05}" for place in range(0, 700, 20)}
    for number, (name, shape) in enumerate(SHAPES.items()):
        rng = np.random.default_rng(7)
        rows = shape(rng)[:many].astype(np.float16).astype(np.float32)
        tenant_id = f"shape-{number}"
        async with store.system() as system:
            if await system.tenant(tenant_id) is None:
                await system.add_tenant(tenant(tenant_id))
        await put(store, rows, tenant_id=tenant_id)
        await take(store, tenant_id=tenant_id)
        index = Index(rows.shape[1])
        index.put({f"p{place:05}": row for place, row in enumerate(rows)})
        noise = rng.standard_normal((20, rows.shape[1])).astype(np.float32) * 0.05
        for query in unit(rows[rng.integers(0, many, 20)] + noise):
            best = index.search(query, K)
            has = await led_to(store, query, tenant_id=tenant_id)
            assert list(has.values()) == sorted(has.values(), reverse=True)
            found[name] += len(has.keys() & best.keys())
            few = await nearest(store, query, tenant_id=tenant_id, among=among)
            exact = index.search(query, K, allowed=among)
            assert [*few.values()] == pytest.approx([*exact.values()], abs=1e-5)
            assert few.keys() <= among
        everything = await nearest(store, query, 2 * many, tenant_id=tenant_id)
        assert everything == pytest.approx(index.search(query, 2 * many), abs=1e-5)
    assert all(each >= 0.99 * 20 * K for each in found.values()), found


async def test_what_is_kept_later_counts_once_it_is_taken_over(store):
    rows = np.eye(8, dtype=np.float32)
    assert not await is_whole(store)
    await put(store, rows[:4])
    assert not await is_whole(store)
    await take(store, limit=3)
    assert await is_whole(store)
    async with store.database.begin(A, writes=True) as connection:
        again = text("UPDATE vectors SET number = 9, about = :about WHERE digest = 'p00001'")
        await connection.execute(again.bindparams(about=rows[7].astype("<f2").tobytes()))
    assert not await is_whole(store)
    # What is not kept as it was is not compared as it was either.
    assert set(await nearest(store, rows[1])) == {"p00000", "p00002", "p00003"}
    await take(store)
    assert await is_whole(store)
    assert next(iter((await nearest(store, rows[7], 1)).items())) == ("p00001", 1.0)
    async with store.database.begin(A, writes=True) as connection:
        await connection.execute(text("DELETE FROM vectors WHERE digest = 'p00001'"))
    assert "p00001" not in await nearest(store, rows[7])
    assert await is_whole(store)


async def test_another_model_makes_room_for_itself_whatever_its_dimensions(store):
    await put(store, np.eye(8, dtype=np.float32))
    await take(store)
    async with store.database.begin(A, writes=True) as connection:
        await connection.execute(text("DELETE FROM vectors"))
    await put(store, np.eye(12, dtype=np.float32), embedder="other", first=20)
    assert not await is_whole(store, embedder="other")
    await take(store, embedder="other")
    assert await is_whole(store, embedder="other")
    assert not await is_whole(store)
    await put(store, np.ones((1, 5_000), dtype=np.float32), tenant_id=B, embedder="wide")
    await take(store, tenant_id=B, embedder="wide")
    assert not await is_whole(store, B, "wide")


async def test_no_search_sees_or_passes_through_what_another_tenant_stores(store, compared_url):
    rows = unit(np.random.default_rng(1).standard_normal((300, 8)))
    for tenant_id in (A, B):
        await put(store, rows if tenant_id == A else -rows, tenant_id=tenant_id)
        await take(store, tenant_id=tenant_id)
    best = await nearest(store, rows[5], 3)
    assert next(iter(best)) == "p00005"
    mirrored = await nearest(store, -rows[5], 3, tenant_id=B)
    assert list(mirrored) == list(best)
    assert list(mirrored.values()) == pytest.approx(list(best.values()))
    connection = await asyncpg.connect(postgres.plain(compared_url))
    try:
        parts = [
            row[0]
            for row in await connection.fetch(
                "SELECT relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
                " WHERE inhparent = 'compared.vectors'::regclass"
            )
        ]
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {APP_ROLE}")
            await connection.execute("SELECT set_config('bylaw.tenant', $1, true)", A)
            assert await connection.fetchval("SELECT count(*) FROM compared.vectors") == 300
            assert (
                await connection.fetchval("SELECT count(*) FROM compared.vectors WHERE tenant_id = $1", B)
                == 0
            )
            await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            plan = await connection.fetch(
                "EXPLAIN SELECT digest FROM compared.vectors"
                " WHERE tenant_id = 'tenant-a' AND embedder = 'model@1'"
                " ORDER BY CAST(meant AS halfvec(8)) <#> '[1,0,0,0,0,0,0,0]'::halfvec(8) LIMIT 5"
            )
            graphs = [row[0] for row in plan if "_graph" in row[0]]
            assert len(graphs) == 1
            assert sum(any(part in row[0] for row in plan) for part in parts) == 1
        for part in parts:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL ROLE {APP_ROLE}")
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"SELECT FROM compared.{part}")
    finally:
        await connection.close()


def acting_on(opened):
    clock = ManualClock()
    return Acting(unit=opened, principal=system_principal(opened.tenant_id), clock=clock, ids=Ids(clock))


async def embed(store, embedder, where=THERE):
    async def told(done, total):
        assert done <= total

    @asynccontextmanager
    async def begin(*, writes=True):
        async with store.begin(A, writes=writes) as opened:
            yield opened

    await embed_waiting(begin, embedder, progress=told, where=where)


async def found_by(store, finder, query, **where):
    async with store.begin(A, writes=False) as opened:
        part = Slice(limit=100)
        found = await search_policies(
            acting_on(opened), finder, query, where=PolicyFilter(**where), part=part
        )
    return [(each.current.policy.id, pytest.approx(each.score, abs=1e-5)) for each in found.items]


def holds(finder):
    """Whether it holds vectors of contents in memory."""
    held = finder._held[A].vectors
    return held is not None and held.contents is not None


def saying(name, **given):
    return content(name=name, description="", topic=None, rules=(), conditions=None, examples=(), **given)


FILTERS = (
    {},
    {"statuses": frozenset({"rejected"})},
    {"risks": frozenset({"HIGH"}), "actions": frozenset({"block"})},
    {"in_force": True},
)


async def test_searches_answer_as_from_memory_under_filters_and_through_edits(store):
    embedder = Directions()
    there = Finder(lambda: embedder, memory_bytes=1, choice="postgres")
    here = Finder(lambda: embedder, memory_bytes=1 << 20, choice="memory")
    risks, actions, states = ("LOW", "HIGH"), ("log", "block", "review"), ("approved", "rejected")
    made = [
        current(
            policy(created_ms=START + n, status=states[n % 2], approved=1),
            content=saying(f"about {n % 60} {n * 7 % 60}", risk=risks[n % 2], action=actions[n % 3]),
        )
        for n in range(150)
    ]
    async with store.begin(A) as opened:
        await opened.policies.add_all(made)
    await embed(store, embedder)

    async def agree():
        for where in FILTERS:
            for query in ("what of 7", "some 13 or 21"):
                said = await found_by(store, there, query, **where)
                assert said == await found_by(store, here, query, **where)
                assert said

    await agree()
    assert (holds(there), holds(here)) == (False, True)
    async with store.begin(A) as opened:
        changed = [
            (
                replace(each.policy, revision=2, latest=2, approved=2),
                version(each.policy.id, 2, content=saying(f"now 7 {n}")),
            )
            for n, each in enumerate(made[:20])
        ]
        await opened.policies.save_all(changed)
    await agree()
    await embed(store, embedder)
    await agree()
    assert not holds(there)
    # Where nobody takes over what is kept, memory tells, and nothing is missing.
    async with store.begin(A) as opened:
        await opened.policies.add_all([current(policy(), content=saying("7"))])
    await embed(store, embedder, MEMORY)
    await agree()
    assert holds(there)


async def test_only_tenants_that_outgrow_the_memory_are_compared_there(store, caplog):
    embedder = Directions()
    async with store.begin(A) as opened:
        await opened.policies.add_all([current(policy(), content=saying(f"{n}")) for n in range(40)])
    size = 40 * (4 * embedder.dimensions + 200)
    await embed(store, embedder, Where(choice="auto", memory_bytes=size))
    assert not await is_whole(store)
    await embed(store, embedder, Where(choice="auto", memory_bytes=size - 1))
    assert await is_whole(store)
    for memory_bytes, is_here in ((size, True), (size - 1, False)):
        finder = Finder(lambda: embedder, memory_bytes=memory_bytes)
        assert await found_by(store, finder, "what of 7")
        assert holds(finder) == is_here
    assert "memory_mb" not in caplog.text
    async with store.database.begin(A, writes=True) as connection:
        await connection.execute(text("UPDATE vectors SET number = 99 WHERE number = 1"))
    for _ in range(2):
        assert await found_by(store, finder, "what of 7")
    assert holds(finder)
    assert caplog.text.count("memory_mb") == 1


async def test_an_extension_that_goes_and_comes_back_loses_nothing(store, compared_url):
    embedder = Directions()
    finder = Finder(lambda: embedder, memory_bytes=1, choice="postgres")
    async with store.begin(A) as opened:
        await opened.policies.add_all([current(policy(), content=saying(f"{n}")) for n in range(40)])
    await embed(store, embedder)
    before = await found_by(store, finder, "what of 7")
    assert (holds(finder), len(before) > 0) == (False, True)
    await postgres.execute(compared_url, "DROP EXTENSION vector CASCADE")
    assert "CREATE EXTENSION vector" in await store.database.note()
    assert await found_by(store, finder, "what of 7") == before
    assert holds(finder)
    async with store.begin(A) as opened:
        await opened.policies.add_all([current(policy(), content=saying("50"))])
    await embed(store, embedder)
    assert await found_by(store, finder, "what of 50")
    await history.upgrade(store.database)
    assert await store.database.note() == ""
    assert await found_by(store, finder, "what of 7") == before
    await embed(store, embedder)
    assert await is_whole(store)
    assert await found_by(store, finder, "what of 7") == before
    assert not holds(finder)


async def test_without_the_right_to_create_the_extension_all_goes_on_without(postgres_server):
    name = f"bylaw_test_{uuid.uuid4().hex[:12]}"
    with postgres.fresh_database(postgres_server) as url:
        grants = (f"CREATE ROLE {name} LOGIN NOSUPERUSER", f"GRANT ALL ON SCHEMA public TO {name}")
        base = url.rpartition("/")[2].partition("?")[0]
        await postgres.execute(url, *grants, f"GRANT CREATE ON DATABASE {base} TO {name}")
        database = open_database(postgres.database_of(url, base, user=name))
        try:
            await history.upgrade(database)
            assert "CREATE EXTENSION vector" in await database.note()
            await postgres.execute(url, "CREATE EXTENSION vector")
            assert "bylaw db upgrade" in await database.note()
            await history.upgrade(database)
            await database.settle()
            assert await database.note() == ""
            async with database.begin(A, writes=True) as connection:
                await connection.execute(text("SELECT compared.make(8)"))
        finally:
            await database.close()
            await postgres.execute(url, f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("version", "words"),
    [(None, "CREATE EXTENSION"), ("0.7.4", "UPDATE"), ("0.8.0", ""), ("0.10", ""), ("1.0", "")],
)
def test_it_says_which_version_of_the_extension_is_needed(version, words):
    note = why_not(Seen(version=version, is_near=True, is_made=True))
    assert (words in note, bool(note)) == (True, bool(words))
