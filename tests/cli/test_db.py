"""`bylaw db` as a person runs it."""

import sys

import apsw
import pytest
from sqlalchemy import make_url, text

from bylaw.app import build as build_app
from bylaw.cli.main import main
from bylaw.settings import build
from bylaw.storage.control import open_database
from bylaw.storage.migrations import history
from tests import postgres


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs the command and gives its exit code, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bylaw", "db", *map(str, arguments)])
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    """Flags that name an empty database."""
    if request.param == "sqlite":
        yield "--data", tmp_path / "data"
        return
    with postgres.fresh_database(request.getfixturevalue("postgres_server")) as url:
        yield "--database", url


def test_upgrade_then_check_then_upgrade_again(run, where):
    newest = history.newest()
    assert run("upgrade", *where) == (0, f"from nothing to {newest}\n", "")
    assert run("upgrade", *where) == (0, f"at {newest} already\n", "")
    assert run("current", *where) == (0, f"at {newest}; this version works with {newest}\n", "")
    assert run("check", *where) == (0, f"at {newest}, and as it should be\n", "")


def test_looking_at_nothing_says_so_and_makes_nothing(run, tmp_path):
    for command in ("current", "check"):
        code, out, err = run(command, "--data", tmp_path)
        assert (code, out) == (2, "")
        assert f"There is no data in {tmp_path}" in err
    assert list(tmp_path.iterdir()) == []


def test_an_old_schema_fails_the_check_and_names_the_way_out(run, where):
    run("upgrade", *where)
    flag, place = where
    url = place if flag == "--database" else f"sqlite:///{place}/control.db"
    postgres.apart(lambda: _downgrade(url))
    assert run("current", *where)[0] == 1
    code, _, err = run("check", *where)
    assert code == 1
    assert "run `bylaw db upgrade`" in err
    assert run("upgrade", *where)[1].startswith("from 0001 to")


async def _downgrade(url):
    database = open_database(url)
    await history.downgrade(database, "0001")
    await database.close()


def test_a_newer_schema_is_said_to_be_newer(run, where):
    run("upgrade", *where)
    flag, place = where
    url = place if flag == "--database" else f"sqlite:///{place}/control.db"
    postgres.apart(lambda: _alter(url, "UPDATE alembic_version SET version_num = '9999'"))
    code, _, err = run("check", *where)
    assert (code, "newer Bylaw" in err, "upgrade" in err) == (1, True, False)
    code, _, err = run("upgrade", *where)
    assert (code, "newer" in err) == (1, True)


def test_receipts_of_another_version_fail_the_check(run, tmp_path, postgres_server):
    async def opened(**where):
        async with build_app(build(**where)):
            pass

    data = tmp_path / "data"
    postgres.apart(lambda: opened(data=data))
    with postgres.fresh_database(postgres_server) as url:
        place, key_file = postgres.plain(url), str(tmp_path / "keys.json")
        postgres.apart(lambda: opened(database=place, key_file=key_file))
        for where in (("--data", data), ("--database", place)):
            assert run("check", *where)[0] == 0
        for number, said in ((99, "receipts at 99, which a newer Bylaw made"), (1, "receipts at 1; this")):
            connection = apsw.Connection(str(data / "receipts.db"))
            connection.execute(f"PRAGMA user_version = {number}")
            connection.close()
            postgres.apart(
                lambda to=number: postgres.execute(url, f"UPDATE ledger.version SET number = {to}")  # noqa: S608
            )
            for where in (("--data", data), ("--database", place)):
                code, _, err = run("check", *where)
                assert (code, said in err) == (1, True), err


async def _alter(url, statement):
    database = open_database(url)
    async with database.migrating() as connection:
        await connection.execute(text(statement))
    await database.close()


def test_a_bad_url_is_said_in_one_sentence(run):
    for url in ("mysql://x/y", "nonsense", "sqlite://"):
        code, _, err = run("check", "--database", url)
        assert code in {1, 2}
        assert "postgresql://" in err


def test_the_owner_makes_everything_and_the_server_needs_its_role(run, tmp_path, postgres_server):
    """What the guide says: an owner for the migration, and a login that may only become `bylaw_app`."""
    owner, login = f"owner_{tmp_path.name}", f"login_{tmp_path.name}"
    postgres.apart(
        lambda: postgres.execute(
            postgres_server,
            f'CREATE ROLE "{owner}" LOGIN CREATEROLE',
            f'CREATE ROLE "{login}" LOGIN NOBYPASSRLS',
        )
    )
    with postgres.fresh_database(postgres_server) as url:
        owned, served = (
            postgres.database_of(url, make_url(url).database, user=user) for user in (owner, login)
        )
        grant = f'ALTER DATABASE {make_url(url).database} OWNER TO "{owner}"'
        postgres.apart(lambda: postgres.execute(postgres_server, grant))
        refused = run("upgrade", "--database", served)
        assert refused[0] == 1
        assert "run `bylaw db upgrade` as the owner" in refused[2]
        assert run("upgrade", "--database", served, "--database-owner", owned)[0] == 0
        code, _, err = run("check", "--database", served)
        assert (code, "`GRANT bylaw_app` to it" in err) == (1, True)
        postgres.apart(lambda: postgres.execute(postgres_server, f'GRANT bylaw_app TO "{login}"'))
        assert run("check", "--database", served)[0] == 0
        settings = build(database=served, key_file=str(tmp_path / "keys.json"))
        assert postgres.apart(lambda: _serves(settings))
    gone = (f'DROP ROLE "{login}"', f'DROP ROLE "{owner}"')
    postgres.apart(lambda: postgres.execute(postgres_server, *gone))


async def _serves(settings):
    async with build_app(settings) as app:
        return app.stores.ledger.log.state.ready


def test_a_refused_login_is_said_with_its_reason(run, postgres_server):
    code, _, err = run("upgrade", "--database", postgres.database_of(postgres_server, "no_such_database"))
    assert code == 1
    assert '"no_such_database" does not exist' in err


def test_a_database_that_does_not_answer_is_said_in_one_sentence(run, tmp_path):
    code, out, err = run("upgrade", "--database", f"postgresql://nobody:secret@/none?host={tmp_path}")
    assert (code, out) == (1, "")
    assert "[unavailable]" in err
    assert "No database answers at postgresql://nobody:***@" in err
    assert err.count("\n") == 1
