"""House rules that are neither size nor style: what may be imported by whom, and what never appears."""

import ast
import re
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT, modules


def test_the_import_contract_holds():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def _importers(target: str) -> set[str]:
    found = set()
    for module in modules():
        for node in ast.walk(module.tree):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            if any(n == target or n.startswith(target + ".") for n in names):
                found.add(module.name)
    return found


def test_sqlite_files_are_opened_by_one_library_each():
    assert {n for n in _importers("apsw") if not n.startswith("storage/sqlite/")} == set()
    assert _importers("sqlite3") == set()


FORBIDDEN = {
    "machine path": re.compile(r"(?<![\w./])/(work|farm|root)/\w"),
    "unfinished mark": re.compile(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError"),
}


def _tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return done.stdout.splitlines()


def test_nothing_tracked_names_a_machine_or_is_unfinished():
    bad = []
    for name in _tracked():
        path = ROOT / name
        if name == "tests/architecture/test_house.py" or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" in content:  # a picture may hold any letters
            continue
        text = content.decode(errors="replace")
        bad += [f"{name}: {what}" for what, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert bad == []


def test_requirements_are_pinned_and_hashed_without_addresses():
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text()
        pins = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
        assert len(pins) > 10
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text


def test_each_dependency_says_why_it_is_here():
    declared = re.findall(
        r'^    "([a-z0-9-]+)(?:\[[a-z]+\])?>=', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    text = (ROOT / "docs/explanation/dependencies.md").read_text()
    assert [name for name in declared if f"`{name}`" not in text] == []
