"""Every command shows an example in its help, and every example does what it is there for."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request

import click
import pytest

from bylaw import settings
from bylaw.app import build
from bylaw.cli.main import cli, main
from tests import postgres

ADMIN_KEY = "sf_live_v1_" + "e" * 32
FILES = {
    "policies/bylaw.yaml": """\
pack: desk
policies:
  credit:
    name: Credits stay small
    conditions: {phase: tool_call}
    rules: [{expr: tool_call.arguments.amount <= 20}]
""",
    "policies/cases/desk.yaml": """\
cases:
  - name: small
    request: {phase: tool_call, tool_call: {name: give, arguments: {amount: 3}}}
    expect: {outcome: allow}
  - name: large
    request: {phase: tool_call, tool_call: {name: give, arguments: {amount: 30}}}
    expect: {outcome: block}
""",
    "request.json": '{"phase": "output", "agent_output": "Hello"}',
    "rule.cel": 'phase == "output"',
    "context.schema.json": '{"properties": {"phase": {"type": "string"}}}',
    "cases.jsonl": json.dumps(
        {
            "rule": "Never mention 'lawsuit'.",
            "context": {"phase": "output", "agent_output": "A lawsuit."},
            "expected": "violated",
        }
    ),
    "mapping.yaml": "{format: bylaw.replay/1, decide: {tools: [give]}}",
    "conversations.jsonl": json.dumps(
        {
            "id": "c1",
            "messages": [
                {"role": "assistant", "tool_calls": [{"id": "1", "name": "give", "arguments": {"amount": 3}}]}
            ],
        }
    ),
}
# What says something else than 0 when all is well: a rule that is violated, policies that differ.
SPEAKING = {
    "bylaw rules eval": {0, 1},
    "bylaw rules explain": {0, 1},
    "bylaw policies diff": {0, 3},
    "bylaw evaluators try": {1, 2},  # and one that asks for a model, of which there is none here
    "bylaw evaluators score": {0, 2},  # the pack has no examples
    "bylaw jobs retry": {0, 1},  # what is done is not done again
    "bylaw jobs cancel": {0, 1},
    "bylaw webhooks test": {3},  # nobody listens there
}
JOB, RUN, WEBHOOK, OLD, LESSON = (
    "01a1fee4-3087-7b11-a849-9a0726395d12",
    "01a1fee4-3087-7b11-a849-9a0726395d13",
    "019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12",
    "019a8d3e-7c11-7b52-9d53-1c2f0a6b7e13",
    "019a8d3e-7c11-7b52-9d53-1c2f0a6b7e14",
)
# The products from which policies are taken over: our own server plays each.
SOURCES = ("https://api.ohallo.eu", "https://backend.flashback.tech", "https://cert.example.com")
# What has tests of its own: the story of the demo, and a log that lost its end.
APART = {"bylaw demo", "bylaw log accept"}
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the examples need bash")


def commands(command=cli, path="bylaw"):
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(click.Context(command)):
        yield from commands(command.get_command(click.Context(command), name), f"{path} {name}")


def examples(command):
    return [line.strip() for line in (command.epilog or "").splitlines() if re.match(r" +.*\bbylaw ", line)]


EXAMPLES = [(path, line) for path, command in commands() if path not in APART for line in examples(command)]
ONCE = [(path, line) for path, line in EXAMPLES if path not in {"bylaw serve", "bylaw worker"}]
SERVING = [line for path, line in EXAMPLES if path == "bylaw serve"]
WORKING = [line for path, line in EXAMPLES if path == "bylaw worker" and "bylaw worker" in line]


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda value: str(value).replace(" ", "-")
)
def test_every_command_shows_an_example(path, command):
    assert any(
        line.partition("bylaw ")[2].startswith(path.removeprefix("bylaw ")) for line in examples(command)
    )


def started(environment, folder, command):
    """Return a server that is ready, and its address."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    said = []
    while "It is ready" not in (line := process.stdout.readline()):
        assert line, f"{command} ended: {said}"
        said.append(line)
    return process, said[0].split()[-1]


def stopped(process):
    process.send_signal(signal.SIGTERM)
    with process.stdout:
        return process.wait(30)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What an example sees: `bylaw` as a command, any free port, and none of our settings."""
    programs = tmp_path_factory.mktemp("bin")
    (programs / "bylaw").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bylaw "$@"\n', encoding="utf-8")
    (programs / "bylaw").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BYLAW_")}
    who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com"}
    who |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com"}
    return {**kept, **who, "PATH": f"{programs}:{kept['PATH']}", "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def world(environment, tmp_path_factory):
    """A folder with the files that the examples name, and what stands for their addresses."""
    folder = tmp_path_factory.mktemp("examples")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", "audit-trail"], cwd=folder, check=True)
    for data in ("bylaw-data", "var"):
        asyncio.run(make_data(folder / data))
    given = {**environment, "BYLAW_ADMIN_KEY": ADMIN_KEY, "BYLAW_OUTGOING": "any"}
    process, url = started(given, folder, "bylaw serve --data served --port 0")
    try:
        made = collect(folder, url)
        here = dict.fromkeys(("https://bylaw.example.com", *SOURCES), url)
        yield folder, {**here, **made, "/var/lib/bylaw": str(folder / "var")}
    finally:
        stopped(process)


async def make_data(folder):
    async with build(settings.build(data=folder)):
        pass


def collect(folder, url):
    """Fetch a bundle, the keys, a checkpoint and the log; return what stands for the ids of examples."""

    def ask(path, body=None):
        headers = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url + path, body, headers)) as answer:  # noqa: S310
            return answer.read()

    ask("/v1/workspaces", b'{"id": "7d1f0a52", "name": "Support"}')
    receipt = json.loads(ask("/v1/decisions", FILES["request.json"].encode()))["receipt_id"]
    (folder / "bundle.json").write_bytes(ask(f"/v1/receipts/{receipt}/bundle"))
    (folder / "kept.txt").write_bytes(ask("/v1/log/checkpoint"))
    (folder / "log.jsonl").write_bytes(ask("/v1/log/export"))
    (folder / "jwks.json").write_bytes(ask("/.well-known/jwks.json"))
    ask("/v1/workspaces", b'{"id": "support", "name": "Support"}')
    talk = {"workspace_id": "support", "conversations": [{"id": "conv-8841", "messages": []}], "learn": False}
    ask("/v1/conversations/import", json.dumps(talk).encode())
    run = ask("/v1/learning/runs", b'{"workspace_id": "support"}')
    hooks = [ask("/v1/webhooks", b'{"url": "http://127.0.0.1:9/hook"}') for _ in range(2)]
    lesson = json.loads(ask("/v1/route/corrections", b'{"said": ["Nobody cares."], "policy_ids": []}'))
    jobs = json.loads(ask("/v1/jobs"))["data"]
    kid = json.loads((folder / "jwks.json").read_bytes())["keys"][0]["kid"]
    webhook, old = (json.loads(each)["id"] for each in hooks)
    return {
        "nJ0x…": kid,
        JOB: jobs[0]["id"],
        RUN: json.loads(run)["id"],
        WEBHOOK: webhook,
        OLD: old,
        LESSON: lesson["corrections"][0]["id"],
    }


@pytest.mark.parametrize(("path", "line"), ONCE, ids=[line.replace("/", "|") for _, line in ONCE])
def test_an_example_does_what_it_is_there_for(path, line, world, run, request):
    folder, stands = world
    if "postgresql://" in line:
        url = request.getfixturevalue("database")
        line = re.sub(r"postgresql://\w+@db/bylaw", lambda _: f"'{url}'", line)
    for shown, real in stands.items():
        line = line.replace(shown, real)
    if "bylaw-data | bylaw log audit" in line:  # the keys of that directory, not of the server
        line = line.replace(" --keys jwks.json", "") + '; test "$?" = 3'
    keys = {"BYLAW_API_KEY": ADMIN_KEY, "BYLAW_SOURCE_KEY": ADMIN_KEY}
    code, said = run(line, folder, BYLAW_URL=stands["https://bylaw.example.com"], **keys)
    assert code in SPEAKING.get(path, {0}), said
    assert "Traceback" not in said


@pytest.fixture
def run(environment, monkeypatch, capsys):
    """Return a function that runs a line, gives its exit code and what it said; a plain one right here."""

    def run(line, folder, **extra):
        given = {**environment, **extra}
        if re.search(r"[|>;]", line):
            done = subprocess.run(
                ["bash", "-c", line], cwd=folder, env=given, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            return done.returncode, done.stdout + done.stderr
        for name in os.environ.keys() | given.keys():
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", shlex.split(line, comments=True))
        return main(), "".join(capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def database(postgres_server, tmp_path_factory):
    """A database whose tables are made."""
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    with postgres.fresh_database(postgres_server) as url:
        made = settings.build(database=url, key_file=str(keys))

        async def make():
            async with build(made):
                pass

        asyncio.run(make())
        yield url


@pytest.mark.parametrize("line", SERVING, ids=[line.replace("/", "|") for line in SERVING])
def test_an_example_of_serving_serves(line, environment, request, tmp_path):
    if "postgresql://" in line:
        url = request.getfixturevalue("database")
        line = line.replace("postgresql://bylaw@db/bylaw", f"'{url}'")
    line = (
        line.replace("/var/lib/", f"{tmp_path}/").replace("/etc/bylaw/", f"{tmp_path}/").replace("9000", "0")
    )
    line = line.replace("sf_live_v1_…", ADMIN_KEY).replace("BYLAW_ADMIN_KEY=", "env BYLAW_ADMIN_KEY=")
    process, url = started({**environment, "BYLAW_PORT": "0"}, tmp_path, line.partition("#")[0])
    assert url.startswith("http://127.0.0.1:")
    assert stopped(process) == 0


@pytest.mark.parametrize("line", WORKING, ids=[line.replace("/", "|") for line in WORKING])
def test_an_example_of_working_works(line, environment, world, request):
    folder, _ = world
    if "postgresql://" in line:
        url = request.getfixturevalue("database")
        line = line.replace("postgresql://bylaw@db/bylaw", f"'{url}'")
    line = line.replace("/var/lib/bylaw", str(folder / "var")).replace("/etc/bylaw/", f"{folder}/")
    process = subprocess.Popen(
        ["bash", "-c", f"exec {line.partition('#')[0]}"], cwd=folder, env=environment, stderr=subprocess.PIPE
    )
    with process.stderr:
        assert any(b"The worker is ready" in said for said in process.stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
