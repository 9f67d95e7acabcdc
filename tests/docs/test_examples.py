"""Every example on a page that says so is run, and what it prints is what the page shows."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import Page, matches, pages
from tests.e2e.serving import serving

ADMIN_KEY = "sf_live_v1_" + "d" * 32
EXECUTED = [page for page in pages() if page.mode != "shown"]
MISSING = [name for name in ("bash", "curl", "jq") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the examples need {', '.join(MISSING)}")


def free_port():
    """Return a port that nobody gets who does not ask for it: one below those that are handed out."""
    for port in range(20_000 + os.getpid() % 1000 * 10, 32_000):
        with socket.socket() as held, contextlib.suppress(OSError):
            held.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What an example sees: no settings of ours, and `bylaw` and `python3` as commands."""
    bin_folder = tmp_path_factory.mktemp("bin")
    for name, arguments in (("bylaw", "-m bylaw "), ("python3", "")):
        command = bin_folder / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n', encoding="utf-8")
        command.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BYLAW_")}
    return {**kept, "PATH": f"{bin_folder}:{kept['PATH']}", "NO_COLOR": "1", "COLUMNS": "100"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The port of a real server whose admin key is ADMIN_KEY."""
    with serving("--data", str(tmp_path_factory.mktemp("server")), key=ADMIN_KEY, workers=1) as running:
        yield urlsplit(running.url).port


def script_of(page: Page, port: int) -> str:
    lines = []
    for number, block in enumerate(page.blocks):
        if block.language == "sh":
            lines += [block.text.replace("8181", str(port)), f'printf "\\n@@%d %d@@\\n" {number} $?\n']
        elif block.title:
            folder = f'mkdir -p "$(dirname "{block.title}")"\n'
            lines.append(f"{folder}cat > '{block.title}' <<'@@end@@'\n{block.text}@@end@@\n")
    return "".join(lines)


def run(page, folder, environment, port):
    """Return what each block printed and its exit code, by the number of the block."""
    with (folder.parent / f"{folder.name}.out").open("w+", encoding="utf-8") as out:
        process = subprocess.Popen(
            # Whatever becomes of this process, what the page started ends.
            ["timeout", "-k", "5", "145", "bash", "-u", "-c", script_of(page, port)],
            cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(150)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)
        out.seek(0)
        said = out.read()
    parts = re.split(r"\n@@(\d+) (\d+)@@\n", said)
    return {
        int(number): (text, int(code))
        for text, number, code in zip(parts[::3], parts[1::3], parts[2::3], strict=False)
    }


@pytest.mark.parametrize("page", EXECUTED, ids=lambda page: page.name)
def test_the_examples_of_a_page_do_what_it_says(page, environment, request, tmp_path):
    env = dict(environment)
    if page.mode == "server":
        port = request.getfixturevalue("server")
        env |= {"BYLAW_API_KEY": ADMIN_KEY, "BYLAW_URL": f"http://127.0.0.1:{port}"}
    else:
        port = free_port()
        env |= {"BYLAW_PORT": str(port), "BYLAW_URL": f"http://127.0.0.1:{port}"}
    printed = run(page, tmp_path, env, port)
    for number, block in enumerate(page.blocks):
        if block.language != "sh":
            continue
        text, code = printed[number]
        said = page.prints(block)
        if said is None:
            assert code == 0, f"{page.name}:{block.line} ended with {code}:\n{text}"
        else:
            assert matches(said.replace("8181", str(port)), text), (
                f"{page.name}:{block.line} says:\n{said}\nbut prints:\n{text}"
            )


def test_the_first_call_of_the_readme_is_answered(environment, server, tmp_path):
    readme = next(page for page in pages() if page.name == "README.md")
    call = next(block.text for block in readme.blocks if block.text.startswith("curl"))
    done = subprocess.run(
        ["bash", "-c", call.replace("8181", str(server))],
        cwd=tmp_path, env={**environment, "BYLAW_API_KEY": ADMIN_KEY}, capture_output=True, check=True,
    )  # fmt: skip
    assert b'"posture":"ungoverned"' in done.stdout


def test_the_tutorial_is_among_them():
    assert "docs/tutorial-cli.md" in {page.name for page in EXECUTED}


@pytest.mark.parametrize(
    ("said", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("id …, ok\n", "id 17, ok\n", True),
        ("id …\n", "id 17\nmore\n", False),
        ("a\n…\nz\n", "a\nb\nc\nz\n", True),
        ("a\n…\nz\n", "a\nz\n", True),
        ("a\n…\n", "a\n", True),
        ("a.b\n", "axb\n", False),
    ],
)
def test_an_ellipsis_stands_for_anything(said, printed, same):
    assert matches(said, printed) is same
