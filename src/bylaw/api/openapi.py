"""The OpenAPI 3.1 document, made from the route table: every route with every status that it gives."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from bylaw.api.described import Described
from bylaw.api.examples import Words, example
from bylaw.api.problems import MEDIA_TYPE, ProblemBody

Schema = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """What examples are made from: of whole types and of fields by name, of other answers by operation."""

    whole: Mapping[str, object]
    words: Words
    answers: Mapping[str, object]

    def of(self, kind: object) -> object:
        """Return an example of a type of the wire."""
        return example(kind, self.words, self.whole)


_REF: Final = "#/components/schemas/{name}"
_MEANING: Final[Mapping[int, str]] = {
    400: "The body is not JSON.",
    401: "No valid key was sent.",
    403: "The caller may not do this; `needs` names what is missing.",
    404: "No such thing here, or not for this caller.",
    409: "The state does not allow this; `reason` says why.",
    412: "Somebody else changed it first.",
    413: "The body is over the documented limit.",
    415: "The body is not application/json.",
    422: "Something sent is unusable; `errors` names every place.",
    429: "The key is over its pace; `Retry-After` says when to come back.",
    500: "A bug; the log has it under the request id.",
    502: "A provider does not answer, or answers what cannot be used.",
    503: "Not possible now; nothing was done.",
    504: "The deadline passed first.",
}
_IDEMPOTENCY_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "The same request under the same key is carried out once; its answer is repeated for 7 days (unless"
        " the server is set otherwise), that of a decision for ever."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}


def document(
    routes: Sequence[Described],
    *,
    version: str,
    parameters: Mapping[tuple[str, str], Sequence[Schema]],
    examples: Mapping[str, Examples],
) -> Schema:
    """Return the document of `routes`.

    `parameters` holds those of the path and the query by method and path, `examples` those of each family.
    """
    kinds = [
        kind for route in routes for kind in (route.takes, route.gives, route.fails_with) if kind is not None
    ]
    schemas, components = msgspec.json.schema_components(kinds, schema_hook=anything, ref_template=_REF)
    refs = dict(zip(map(repr, kinds), schemas, strict=True))
    paths: dict[str, Schema] = {}
    for route in routes:
        own = parameters.get((route.method, route.path), ())
        operation = _operation(route, refs, own, examples[route.family])
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bylaw",
            "version": version,
            "description": "The policy server for AI agents.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def anything(kind: type) -> Schema:
    """Return the schema of a field that may hold any JSON. Raises: TypeError for a type without a schema."""
    if kind is object:
        return {"description": "Any JSON."}
    raise TypeError(f"{kind} cannot be documented")


def _operation(
    route: Described, refs: Mapping[str, Schema], parameters: Sequence[Schema], examples: Examples
) -> Schema:
    needs = {"any key": "Needs a key.", "operator": "For the operator.", "anonymous": ""}
    access = f"Needs the scope `{route.scope}`." if route.access == "scope" else needs[route.access]
    operation: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "description": "\n\n".join(part for part in (route.description, access) if part),
        "tags": [route.tag],
        "parameters": [
            *parameters,
            *([_IDEMPOTENCY_KEY] if route.method == "POST" and route.is_kept else []),
        ],
        "responses": dict(_responses(route, refs, examples)),
        "security": [] if route.access == "anonymous" else [{"bearer": []}, {"apiKey": []}],
    }
    if route.takes is not None:
        content = _content(refs[repr(route.takes)], examples.of(route.takes))
        operation["requestBody"] = {"required": not route.takes_nothing_too, "content": content}
    return operation


def _responses(
    route: Described, refs: Mapping[str, Schema], examples: Examples
) -> Iterable[tuple[str, Schema]]:
    done: Schema = {"description": "Done." if route.status != 204 else "Done; there is nothing to say."}
    done["headers"] = {
        "X-Request-Id": {"description": "The id of the request.", "schema": {"type": "string"}}
    }
    if route.gives is not None:
        done["content"] = _content(refs[repr(route.gives)], examples.of(route.gives))
    elif route.media_type and route.status != 204:
        done["content"] = _content({}, examples.answers.get(route.name), route.media_type)
    yield str(route.status), done
    for status in sorted(route.may_fail):
        media_type = MEDIA_TYPE if route.fails_with is ProblemBody else "application/json"
        content: Schema = {media_type: {"schema": refs[repr(route.fails_with)]}}
        if route.media_type == "text/html" and status == 404:
            content = _content({}, None, route.media_type)
        yield str(status), {"description": _MEANING[status], "content": content}


def _content(schema: Schema, example: object, media_type: str = "application/json") -> Schema:
    return {media_type: {"schema": schema, "example": example}}
