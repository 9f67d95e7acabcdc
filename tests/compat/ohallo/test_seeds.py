"""The published pages, replayed: every command line of the guide, and every field of the reference."""

import json
import re
import shlex
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from bylaw.api.compat.ohallo.wire import Entry
from bylaw.policies.model import Status
from tests.compat.ohallo.asking import ENTRIES, made
from tests.shared import REASON, SHARED

pytestmark = pytest.mark.skipif(SHARED is None, reason=REASON)


def page(number: int) -> str:
    (path,) = (SHARED / "seeds").glob(f"{number:03}_*.txt")
    return path.read_text(encoding="utf-8")


def exchanges() -> list[tuple[str, str, dict, dict | None, dict | None]]:
    """The guide's command lines: method, path, headers and body, and the answer that it shows, if any."""
    found = []
    for block in re.split(r"^Terminal window\n", page(2), flags=re.MULTILINE)[1:]:
        line = re.match(r"curl .*?[\"'](?=\n\n|\n[A-Z]|\Z)", block, re.DOTALL)[0]
        words = shlex.split(line.replace("\\\n", " "))
        options = list(pairwise(words))
        headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
        bodies = [json.loads(value) for name, value in options if name == "-d"]
        methods = [value for name, value in options if name == "-X"]
        url = urlsplit(next(word for word in words if word.startswith("https://")))
        path = f"{url.path}?{url.query}" if url.query else url.path
        shown = block.partition("\nResponse:\n\n{")[2]
        answer = json.JSONDecoder().raw_decode("{" + shown)[0] if shown else None
        found.append((methods[0] if methods else "GET", path, headers, bodies[0] if bodies else None, answer))
    return found


def test_the_guide_has_all_eight_operations():
    methods = [method for method, *_ in exchanges()]
    assert sorted(methods) == ["DELETE", "GET", "GET", "GET", "PATCH", "POST", "POST", "POST"]


async def test_every_command_line_of_the_guide_does_what_it_shows(world):
    raw = exchanges()[0][2]["Authorization"].removeprefix("Bearer ")
    workspace = exchanges()[0][1].split("/")[3]
    await world.make("/v1/workspaces", {"id": workspace, "name": "Guide"})
    key = {"name": "guide", "scopes": ["policy:read", "policy:write"], "key": raw}
    await world.make("/v1/keys", key | {"workspace_id": workspace})
    decided = {}
    for method, path, *_ in exchanges():
        if "/policy-entries/" in path and "/workspaces/" not in path:
            decided.setdefault(path.split("/")[3], method)
    for ident, method in decided.items():
        status = "pending_review" if method == "POST" else "approved"
        rules = [{"text": "Mention when to escalate."}]
        source = {"type": "learning_loop", "conversation_id": "c", "confidence": 0.5}
        new = {"id": ident, "name": "n", "topic": "t", "rules": rules, "status": status, "source": source}
        await world.make("/v1/policies", new | {"workspace_id": workspace})
    for method, path, headers, body, answer in exchanges():
        if path.endswith("/reject"):
            # It was approved a line before: what is rejected now is a change of it.
            await world.make(f"/v1/workspaces/{workspace}", {"review_edits": True}, method="PATCH")
            change = {"topic": "changed"}
            await world.make(f"/v1/policies/{path.split('/')[3]}", change, method="PATCH")
        found = await world.send(None, method, path, headers=headers, json=body)
        assert found.status_code in {200, 201, 204}, (method, path, found.text)
        if answer is not None:
            same_shape(found.json(), answer)


def same_shape(found: dict, shown: dict) -> None:
    """Fail unless everything that is shown is found, of the same type and in the same order."""
    assert [name for name in found if name in shown] == list(shown)
    for name, value in shown.items():
        if name == "items":
            same_shape(found["items"][0], value[0])
        elif name not in {"conditions", "confidence"}:
            assert type(found[name]) is type(value), name


@pytest.mark.parametrize("number", [0, 1])
def test_the_reference_names_no_field_that_an_entry_lacks(number):
    answer = page(number).partition("A policy entry defines a rule")[2]
    required = re.findall(r"^(\w+)\nrequired$", answer, re.MULTILINE)
    assert len(required) > 8
    names = [each for each in Entry.__struct_encode_fields__ if each in required]
    assert names == [name for name in required if name != "error"]
    allowed = re.search(r"Allowed values: (.*)", answer)[1].split()
    assert set(allowed) == set(Status.__args__)


@pytest.mark.parametrize("number", [0, 1])
async def test_the_examples_of_the_reference_are_accepted(world, number):
    asked = page(number).partition("\nA policy entry defines")[0]
    fields = re.findall(r"^(topic|ruleText|sourceType)\n(?:.*\n)*?Example\n(.*)$", asked, re.MULTILINE)
    body: dict = dict(fields)
    assert "ruleText" in body
    body["conditions"] = {"min_order_value": 500}
    if number == 0:
        found = await world.send("writer", "POST", ENTRIES, json=body)
    else:
        ident = (await made(world))["id"]
        found = await world.send("writer", "PATCH", f"/api/policy-entries/{ident}", json=body)
    assert found.status_code in {200, 201}, found.text
    assert {name: found.json()[name] for name in body} == body
