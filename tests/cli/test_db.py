"""`bylaw db` as a person runs it."""

import sys

import pytest

from bylaw.cli.main import main
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


@pytest.fixture(autouse=True)
def key_file(monkeypatch, tmp_path, where):
    if "--database" in where:
        monkeypatch.setenv("BYLAW_KEY_FILE", str(tmp_path / "keys.json"))


def test_upgrade_then_check_then_upgrade_again(run, where):
    newest = history.newest()
    assert run("upgrade", *where) == (0, f"from nothing to {newest}\n", "")
    assert run("upgrade", *where) == (0, f"at {newest} already\n", "")
    assert run("current", *where) == (0, f"at {newest}; this version works with {newest}\n", "")
    assert run("check", *where) == (0, f"at {newest}, and as it should be\n", "")


def test_looking_at_nothing_says_so_and_makes_nothing(run, tmp_path):
    for command in ("current", "check"):
        code, out, err = run(command, "--data", tmp_path)
        assert (code, out) == (1, "")
        assert "control.db" in err
    assert not (tmp_path / "control.db").exists()


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


def test_a_bad_url_is_said_in_one_sentence(run, monkeypatch, tmp_path):
    monkeypatch.setenv("BYLAW_KEY_FILE", str(tmp_path / "keys.json"))
    for url in ("mysql://x/y", "nonsense", "sqlite://"):
        code, _, err = run("check", "--database", url)
        assert code in {1, 2}
        assert "postgresql://" in err


def test_a_refused_login_is_said_with_its_reason(run, monkeypatch, tmp_path, postgres_server):
    monkeypatch.setenv("BYLAW_KEY_FILE", str(tmp_path / "keys.json"))
    code, _, err = run("upgrade", "--database", postgres.database_of(postgres_server, "no_such_database"))
    assert code == 1
    assert '"no_such_database" does not exist' in err


def test_a_database_that_does_not_answer_is_said_in_one_sentence(run, monkeypatch, tmp_path):
    monkeypatch.setenv("BYLAW_KEY_FILE", str(tmp_path / "keys.json"))
    code, out, err = run("upgrade", "--database", f"postgresql://nobody@/none?host={tmp_path}")
    assert (code, out) == (1, "")
    assert "[unavailable]" in err
    assert err.count("\n") == 1
