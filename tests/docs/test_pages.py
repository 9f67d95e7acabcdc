"""What the documentation names exists: pages, anchors, commands, flags, settings, routes, files, symbols."""

import json
import re
import tomllib

import click
import pytest
import yaml

from bylaw import settings
from bylaw.api.contracts import described
from bylaw.cli.docs import pages as generated_pages
from bylaw.cli.main import cli
from bylaw.tenancy.roles import ORG_SCOPES, WORKSPACE_SCOPES
from bylaw.tenancy.scopes import SCOPES
from tests.compat.exchanges import MCP
from tests.docs.pages import ROOT, pages

PAGES = {page.name: page for page in pages()}
VARIABLES = {each.variable for each in settings.known()} | settings.OTHERS
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())


@each_page
def test_every_link_leads_somewhere(page):
    lost = []
    for link in page.links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page.name).parent / path if path else ROOT / page.name
        name = target.resolve().relative_to(ROOT).as_posix()
        if not target.exists() or (anchor and anchor not in PAGES[name].anchors):
            lost.append(link)
    assert lost == []


@each_page
def test_data_in_examples_can_be_read(page):
    readers = {"json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads}
    for block in page.blocks:
        if block.language in readers:
            readers[block.language](block.text)


def commands(page):
    """Every command line that a page shows, its continued lines joined."""
    for block in page.blocks:
        if block.language in {"sh", "console"}:
            yield from re.sub(r"\\\n\s*", "", block.text).splitlines()
    yield from re.findall(r"`((?:bylaw|make) [^`\n]+)`", page.prose)


def find(words):
    """The command that `words` name, and the words after its name; nothing when there is none."""
    command = cli
    while words and isinstance(command, click.Group):
        if words[0].startswith("-"):
            words = words[1:]
            continue
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            return None, words
        command, words = found, words[1:]
    return command, words


@each_page
def test_every_command_and_flag_exists(page):
    wrong = []
    for line in commands(page):
        for said in re.findall(r"(?<![\w./-])bylaw (?=[a-z-])(.*?)(?=$|[|;&>#])", line):
            command, rest = find(said.split())
            flags = {flag for each in getattr(command, "params", ()) for flag in each.opts}
            used = re.findall(r"(?<=\s)--?[a-z][a-z-]*", " " + " ".join(rest))
            if command is None or set(used) - flags - {"--help"}:
                wrong.append(said)
    assert wrong == []


@each_page
def test_every_target_of_make_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for line in commands(page) for name in re.findall(r"^(?:\$ )?make ([a-z-]+)", line)}
    assert named <= targets


@each_page
def test_every_setting_that_is_named_exists(page):
    made_up = {"BYLAW_ACCES_LOG"}  # a misspelling that how-to/serve.md shows being refused
    assert set(re.findall(r"\bBYLAW_[A-Z_]+\b", page.text)) <= VARIABLES | made_up


@each_page
def test_every_route_that_is_named_exists(page):
    known = {(each.method, re.sub(r"\{\w+\}", "*", each.path)) for each in (*described(), *MCP)}
    for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?\s]+)[^`]*`", page.prose):
        assert (method, re.sub(r"\{\w+\}", "*", path)) in known


@each_page
def test_every_test_and_symbol_that_is_named_exists(page):
    named = re.findall(r"`((?:src|tests|bench|examples)/[\w./-]+)(?:::\w+)?`", page.prose)
    lost = [path for path in named if not (ROOT / path).exists()]
    for symbols, path in re.findall(r"\| ((?:`\w+`(?:, )?)+) \| `(src/[\w/.]+)` \|", page.prose):
        text = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).is_file() else ""
        lost += [
            each for each in re.findall(r"\w+", symbols) if not re.search(rf"(def|class) {each}\b", text)
        ]
    for path, test in re.findall(r"`(tests/[\w./]+\.py)::(\w+)`", page.prose):
        if f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8"):
            lost.append(test)
    assert lost == []


def test_every_page_is_in_the_index():
    index = PAGES["docs/README.md"].links
    listed = {
        name.removeprefix("docs/")
        for name in PAGES
        if re.match(r"docs/(how-to|explanation|reference)/", name)
    }
    assert listed - set(index) == set()


def test_every_decision_record_is_listed_and_has_its_own_number():
    records = sorted(path.name for path in (ROOT / "docs/adr").glob("0*.md"))
    assert len({name[:4] for name in records}) == len(records)
    assert PAGES["docs/adr/README.md"].links == records


@pytest.mark.parametrize("name", [path.name for path in sorted((ROOT / "docs/adr").glob("0*.md"))])
def test_a_decision_record_has_its_parts(name):
    text = PAGES[f"docs/adr/{name}"].text
    assert text.startswith(f"# ADR-{name[:4]}: ")
    for part in ("Context", "Decision", "Consequences", "Alternatives", "Check"):
        assert f"**{part}.**" in text
    assert len(text.splitlines()) <= 60


@pytest.mark.parametrize("name", sorted(generated_pages(cli)))
def test_the_reference_is_what_the_code_says(name):
    written = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    assert written == generated_pages(cli)[name], "run `make docs`"


def test_every_route_is_told():
    told = set(re.findall(r"^\| `([A-Z]+) (\S+)` \|", PAGES["docs/reference/api.md"].text, re.MULTILINE))
    assert told == {(route.method, route.path) for route in described()}


def test_scopes_and_roles_are_all_told():
    text = PAGES["docs/how-to/keys-and-scopes.md"].text
    for scope in SCOPES:
        assert f"`{scope}`" in text
    for role in (*ORG_SCOPES, *WORKSPACE_SCOPES):
        assert f"`{role}`" in text


def test_every_metric_that_is_named_is_served():
    parts = [*(ROOT / "src/bylaw/api").glob("*.py"), *(ROOT / "src/bylaw/app").glob("*.py")]
    source = "".join(each.read_text(encoding="utf-8") for each in parts)
    for name in re.findall(r"`(bylaw_[a-z_]+)`", PAGES["docs/how-to/monitor.md"].prose):
        assert f'"{name.removesuffix("_total")}"' in source
