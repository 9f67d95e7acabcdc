"""The tools of the MCP server: each is a route, asked with what the tool is given.

So a tool can do what its caller's key can, and answers what the route answers: there is no more to learn.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast

import msgspec

from bylaw.api.answers import Page
from bylaw.api.compat.agentcert.wire import Certificate, NewReceipt
from bylaw.api.mcp_words import CERTIFY, DECIDE, FIELDS, LIST, PROVE, READ, SEARCH, VERIFY
from bylaw.api.native.receipts import ReceiptView
from bylaw.api.native.search_views import PolicyList
from bylaw.api.openapi import Schema, anything
from bylaw.api.verifying import AnchorProofView, VerificationView
from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import Decision, Request

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
    """What a tool is called, what it is for, what it takes and gives, and which request it stands for."""

    name: str
    title: str
    description: str
    takes: Schema
    gives: Schema
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
        _require_known(given, "receipt_id")
        return Ask(path=f"/v1/receipts/{ident}{tail}")

    return ask


def _listing(path: str, names: Mapping[str, str], **always: str) -> Callable[[Given], Ask]:
    """Return the request for a list, narrowed by what is given of `names`, under the route's own names."""

    def ask(given: Given) -> Ask:
        _require_known(given, *names)
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, str | int | None):
                raise InvalidInput.of(name, "bad_value", f"{name} is text, or a number for a limit.")
        wanted = {names[name]: str(value) for name, value in given.items() if value is not None}
        return Ask(path=path, query=wanted | always)

    return ask


def _require_known(given: Given, *names: str) -> None:
    """Return nothing if no more is given than is taken. Raises: InvalidInput that says what is."""
    for name in given:
        if name not in names:
            raise InvalidInput.of(
                name[:64], "unknown_field", f"There is no such argument: {', '.join(names)}."
            )


def _body(kind: type[msgspec.Struct]) -> Schema:
    """Return the schema of a body, each field in words, with an idempotency key beside them."""
    root, defs = _schema(kind)
    fields = cast("Mapping[str, Schema]", root.pop("properties"))
    told: Schema = {name: {**each, "description": FIELDS[name]} for name, each in fields.items()}
    told[_KEY] = {"type": "string", "minLength": 1, "maxLength": 200, "description": FIELDS[_KEY]}
    kept = {name: said for name, said in root.items() if name not in {"title", "description"}}
    return {**kept, "properties": told, "$defs": defs}


def _answer(kind: object) -> Schema:
    """Return the schema of an answer."""
    root, defs = _schema(kind)
    return {**root, "$defs": defs}


def _schema(kind: object) -> tuple[Schema, Schema]:
    """Return the schema of a type and of those that it refers to."""
    (found,), defs = msgspec.json.schema_components([kind], schema_hook=anything, ref_template=_REF)
    return defs.pop(found["$ref"].removeprefix(_REF.format(name=""))), defs


def _fields(*names: str, required: tuple[str, ...] = ()) -> Schema:
    """Return the schema of arguments that are text, or a limit."""
    properties = {
        name: {**(_LIMIT if name == "limit" else {"type": "string"}), "description": FIELDS[name]}
        for name in names
    }
    return {
        "type": "object",
        "properties": properties,
        "required": [*required],
        "additionalProperties": False,
    }


_REF: Final = "#/$defs/{name}"
_LIMIT: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
_OF_RECEIPT: Final = _fields("receipt_id", required=("receipt_id",))
_OF_LIST: Final = {name: name for name in ("limit", "cursor", "agent_id")}
_OF_SEARCH: Final = {"query": "q", "topic": "topic", "workspace_id": "workspace_id", "limit": "limit"}


def tools() -> tuple[Tool, ...]:
    """Return every tool: Agent Cert's five, and those with which an agent asks before it acts."""
    return (*_deciding(), *_receipts(), _search())


def _deciding() -> tuple[Tool, ...]:
    return (
        Tool(
            name="decide",
            title="Ask before acting",
            description=DECIDE,
            takes=_body(Request),
            gives=_answer(Decision),
            ask=_body_of("/v1/decisions"),
            reads_only=False,
        ),
        Tool(
            name="certify_decision",
            title="Certify a decision",
            description=CERTIFY,
            takes=_body(NewReceipt),
            gives=_answer(Certificate),
            ask=_body_of("/v1/receipts"),
            reads_only=False,
        ),
    )


def _receipts() -> tuple[Tool, ...]:
    return (
        Tool(
            name="get_receipt",
            title="Read a receipt",
            description=READ,
            takes=_OF_RECEIPT,
            gives=_answer(ReceiptView),
            ask=_receipt(),
        ),
        Tool(
            name="verify_receipt",
            title="Verify a receipt",
            description=VERIFY,
            takes=_OF_RECEIPT,
            gives=_answer(VerificationView),
            ask=_receipt("/verify"),
        ),
        Tool(
            name="get_anchor_proof",
            title="Prove that a receipt is in the log",
            description=PROVE,
            takes=_OF_RECEIPT,
            gives=_answer(AnchorProofView),
            ask=_receipt("/anchor"),
        ),
        Tool(
            name="list_my_receipts",
            title="List receipts",
            description=LIST,
            takes=_fields(*_OF_LIST),
            gives=_answer(Page[ReceiptView]),
            ask=_listing("/v1/receipts", _OF_LIST, kind="decision"),
        ),
    )


def _search() -> Tool:
    return Tool(
        name="search_policies",
        title="Search policies",
        description=SEARCH,
        takes=_fields(*_OF_SEARCH),
        gives=_answer(PolicyList),
        ask=_listing("/v1/policies", _OF_SEARCH, in_force="true"),
    )
