"""The tools of the MCP server: each is a route, asked with what the tool is given.

So a tool can do what its caller's key can, and answers what the route answers: there is no more to learn.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from bylaw.api.compat.agentcert.wire import NewReceipt
from bylaw.api.openapi import Schema, anything
from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import Request

Given = Mapping[str, object]

_RECEIPT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_KEY: Final = "idempotency_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request to a route."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What a tool is called, what it is for, what it takes, and which request it stands for."""

    name: str
    description: str
    takes: Schema
    ask: Callable[[Given], Ask]
    reads_only: bool = True


def _body_of(path: str) -> Callable[[Given], Ask]:
    """Return the request whose body is what is given; an idempotency key goes where it belongs."""

    def ask(given: Given) -> Ask:
        key = given.get(_KEY, "")
        if not isinstance(key, str):
            raise InvalidInput.of(_KEY, "bad_value", "An idempotency key is text.")
        body = {name: value for name, value in given.items() if name != _KEY}
        return Ask(method="POST", path=path, body=msgspec.json.encode(body), idempotency_key=key)

    return ask


def _receipt(tail: str = "") -> Callable[[Given], Ask]:
    """Return the request about the receipt that is given. Raises: InvalidInput when it cannot be an id."""

    def ask(given: Given) -> Ask:
        ident = given.get("receipt_id")
        if not isinstance(ident, str) or not _RECEIPT_ID.fullmatch(ident):
            raise InvalidInput.of("receipt_id", "bad_value", "Give the id of a receipt: rcpt_…")
        return Ask(path=f"/v1/receipts/{ident}{tail}")

    return ask


def _listing(path: str, *names: str, **always: str) -> Callable[[Given], Ask]:
    """Return the request for a list, narrowed by those of `names` that are given."""

    def ask(given: Given) -> Ask:
        wanted = {name: str(given[name]) for name in names if given.get(name) is not None}
        return Ask(path=path, query=wanted | always)

    return ask


def _schema(kind: type[msgspec.Struct]) -> Schema:
    """Return the schema of a body, with an idempotency key beside its fields."""
    (_,), defs = msgspec.json.schema_components([kind], schema_hook=anything, ref_template="#/$defs/{name}")
    root = defs.pop(kind.__name__)
    key = {"type": "string", "description": "The same call under the same key is carried out once."}
    return {**root, "properties": {**root["properties"], _KEY: key}, "$defs": defs}


def _fields(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": [*required]}


_TEXT: Final[Schema] = {"type": "string"}
_LIMIT: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
_OF_RECEIPT: Final = _fields(("receipt_id",), receipt_id=_TEXT)


def tools() -> tuple[Tool, ...]:
    """Return every tool: Agent Cert's five, and those with which an agent asks before it acts."""
    return (
        Tool(
            name="certify_decision",
            description="Check a decision that an agent made against the policies that govern it, and have it"
            " certified by a receipt that anybody can verify. Branch on risk_level or decision.",
            takes=_schema(NewReceipt),
            ask=_body_of("/v1/receipts"),
            reads_only=False,
        ),
        Tool(
            name="get_receipt",
            description="Read a receipt.",
            takes=_OF_RECEIPT,
            ask=_receipt(),
        ),
        Tool(
            name="verify_receipt",
            description="Check that a receipt is what was issued: signature, hashes, place in the log.",
            takes=_OF_RECEIPT,
            ask=_receipt("/verify"),
        ),
        Tool(
            name="get_anchor_proof",
            description="Prove where a receipt is anchored.",
            takes=_OF_RECEIPT,
            ask=_receipt("/anchor"),
        ),
        Tool(
            name="list_my_receipts",
            description="List the receipts of decisions that the key may read, newest first.",
            takes=_fields(limit=_LIMIT, cursor=_TEXT, agent_id=_TEXT),
            ask=_listing("/v1/receipts", "limit", "cursor", "agent_id", kind="decision"),
        ),
        Tool(
            name="search_policies",
            description="Find the policies in force, by words of their name, topic or rules.",
            takes=_fields(text=_TEXT, topic=_TEXT, workspace_id=_TEXT, limit=_LIMIT, cursor=_TEXT),
            ask=_listing("/v1/policies", "text", "topic", "workspace_id", "limit", "cursor", in_force="true"),
        ),
        Tool(
            name="decide",
            description="Ask before acting: may this be said or done? Say who acts and what, for a call of a"
            " tool with phase tool_call. Go on only if outcome is allow or flag.",
            takes=_schema(Request),
            ask=_body_of("/v1/decisions"),
            reads_only=False,
        ),
    )
