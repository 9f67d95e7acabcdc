"""The OpenAPI document is valid, complete, and what a real server does, as schemathesis sees it."""

import json

import httpx
import jsonschema
import pytest

from bylaw.api.contracts import FAMILIES, described, document
from tests.api.conforming import answered_as_documented, conforming, trying
from tests.e2e.serving import serving

DOCUMENT = json.loads(document())
schema = conforming(DOCUMENT)
# What is drawn is tried here; `make soak` tries every boundary of every field too.
schema.config.phases.coverage.enabled = False


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serving("--data", str(tmp_path_factory.mktemp("server"))) as found:
        yield found


@schema.parametrize()
@trying(examples=8)
def test_the_server_does_what_its_document_says(case, running):
    answered_as_documented(case, running.url)


def test_types_are_called_by_their_own_names():
    assert [name for name in DOCUMENT["components"]["schemas"] if "." in name] == []


def test_the_document_is_served_as_it_is_made(running):
    assert httpx.get(f"{running.url}/openapi.json").json() == DOCUMENT


def test_every_route_is_documented_with_every_status_that_it_gives():
    for route in described():
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert set(operation["responses"]) == {str(route.status), *map(str, route.may_fail)}
        assert operation["summary"]
        assert bool(operation["security"]) == (route.access != "anonymous")
        assert ("requestBody" in operation) == (route.takes is not None)


BODIES = [
    (f"{method} {path} {what}", media)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    for what, holder in [("request", operation.get("requestBody", {})), *operation["responses"].items()]
    if what == "request" or what.startswith("2")
    for media in holder.get("content", {}).values()
]


def test_the_schemas_are_schemas():
    for each in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(each)


@pytest.mark.parametrize("media", [media for _, media in BODIES], ids=[name for name, _ in BODIES])
def test_every_body_has_an_example_that_fits_its_schema(media):
    components = {"$defs": DOCUMENT["components"]["schemas"], **media["schema"]}
    schema = json.loads(json.dumps(components).replace("#/components/schemas/", "#/$defs/"))
    jsonschema.Draft202012Validator(schema).validate(media["example"])


def test_every_parameter_is_described():
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            for each in operation["parameters"]:
                assert each["description"], f"{method} {path} {each['name']}"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_word_for_an_example_is_used(family):
    said = json.dumps(DOCUMENT)
    fields = [name.rpartition(".")[2] for name in family.examples.words]
    assert {name for name in (*fields, *family.parameters) if f'"{name}"' not in said} == set()
    routes = [route for route in described() if route.family == family.name]
    assert set(family.examples.answers) <= {route.name for route in routes}
    assert set(family.examples.whole) <= {route.takes.__name__ for route in routes if route.takes is not None}


def test_operation_ids_are_unique():
    names = [route.name for route in described()]
    assert len(names) == len(set(names))


def test_an_idempotency_key_is_offered_where_an_answer_is_kept():
    offered = {
        path
        for path, operations in DOCUMENT["paths"].items()
        if "Idempotency-Key" in [each["name"] for each in operations.get("post", {}).get("parameters", ())]
    }
    kept = {"/v1/decisions", "/v1/receipts", "/v1/policies", "/policy", "/conversation", "/v1/tenants"}
    not_kept = {
        "/conversation/{conversation_id}/prompt",
        "/ai/models",
        "/policy/validate",
        "/v1/chat/completions",
    }
    assert (kept - offered, not_kept & offered) == (set(), set())
