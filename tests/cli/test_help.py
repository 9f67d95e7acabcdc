"""Help is there at once, and says what the commands say of themselves."""

import re
import subprocess
import sys

import click
import pytest

from bylaw.cli.lazy import LazyGroup
from bylaw.cli.main import cli


def groups(command=cli, path="bylaw"):
    if isinstance(command, click.Group):
        yield path, command
        for name in command.list_commands(click.Context(command)):
            yield from groups(command.get_command(click.Context(command), name), f"{path} {name}")


@pytest.mark.parametrize(("path", "group"), list(groups()), ids=lambda value: str(value).replace(" ", "-"))
def test_every_command_is_listed_with_what_it_does(path, group):
    listed = group.get_help(click.Context(group, info_name=path, max_content_width=200, terminal_width=200))
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command.help, f"{path} {name}"
        assert f"  {name}  " in listed


@pytest.mark.parametrize(("path", "group"), list(groups()), ids=lambda value: str(value).replace(" ", "-"))
def test_every_group_shows_examples_of_its_own_commands(path, group):
    found = re.findall(rf"^ +{path} (\S+)", group.epilog or "", re.MULTILINE)
    assert found
    assert set(found) <= set(group.list_commands(click.Context(group)))


@pytest.mark.parametrize(
    ("typed", "meant"), [("serv", "serve"), ("policies aply", "apply"), ("log keys lst", "list")]
)
def test_a_misspelt_command_is_answered_with_the_one_it_resembles(run, typed, meant):
    code, _, said = run(*typed.split())
    assert (code, f"Did you mean {meant!r}?" in said) == (2, True)


def test_lazy_commands_load_and_describe_themselves():
    for _, group in groups():
        if isinstance(group, LazyGroup):
            for name, lazy in group._lazy.items():
                assert group.get_command(click.Context(group), name).help
                assert lazy.says.endswith(".")


def loaded_by(arguments, *names):
    """Which of `names` are loaded after a command line ran."""
    program = f"""
import sys
from bylaw.cli import main
sys.argv = ["bylaw", *{arguments!r}]
main()
print([name for name in {names!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_help_loads_no_command():
    assert loaded_by(["-h"], "bylaw.rules", "bylaw.receipts", "bylaw.settings", "msgspec") == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ["policies", "export", "nowhere", "--server", "http://127.0.0.1:9", "--key", "k"],
        ["log", "keys", "list", "--server", "http://127.0.0.1:9", "--key", "k"],
        ["log", "checkpoints", "--server", "http://127.0.0.1:9", "--out", "kept.txt"],
        ["verify", "nothing.json"],
        ["rules", "check", "amount < 5"],
    ],
    ids=lambda arguments: "-".join(arguments[:2]),
)
def test_what_needs_no_server_loads_none(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert loaded_by(arguments, "fastapi", "pydantic", "sqlalchemy", "apsw", "uvicorn") == "[]"
