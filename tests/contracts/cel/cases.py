"""The conformance cases as values: what to evaluate, with what, and what must come out.

Shape: names are `file/section/test`, as the CEL specification's own runners print them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from bylaw.rules import cel
from tests.contracts.cel.textproto import Message, parse

MESSAGES = "needs protobuf messages, wrappers, Any or enums, which JSON does not have"
DEDUCED = "asks only for the type that a checker deduces, not for a value"
FUNCTIONS = "needs functions that the test host would provide"

_CORE_TYPES = {
    "type.googleapis.com/google.protobuf.Timestamp",
    "type.googleapis.com/google.protobuf.Duration",
}
_MESSAGE_NAMES = re.compile(
    r"TestAllTypes|NestedMessage|GlobalEnum|\bcel\.expr\.|google\.protobuf\.(?!Timestamp\b|Duration\b)|proto\.(has|get)Ext"
)
_FIELDS = {
    "name", "description", "expr", "disable_macros", "disable_check", "check_only", "type_env", "container",
    "locale", "bindings", "value", "typed_result", "eval_error", "any_eval_errors", "unknown", "any_unknowns",
}  # fmt: skip


class Inapplicable(Exception):
    """The case asks for something outside the profile; the message is the rule that leaves it out."""


class Failure:
    """The expectation that evaluation ends in an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One conformance case; `left_out` is the rule that makes it inapplicable, or empty."""

    name: str
    file: str
    expr: str
    container: str = ""
    bindings: Mapping[str, object] = field(default_factory=dict)
    expected: object = None
    left_out: str = ""


def load(folder: Path) -> list[Case]:
    """Return every case of every file in `folder`, in file order."""
    return [case for path in sorted(folder.glob("*.textproto")) for case in _cases(path)]


def _cases(path: Path) -> Iterator[Case]:
    document = parse(path.read_text("utf-8"))
    _known(document, {"name", "description", "section"}, path.stem)
    for section in _messages(document, "section"):
        _known(section, {"name", "description", "test"}, path.stem)
        for test in _messages(section, "test"):
            name = f"{path.stem}/{_text(section, 'name')}/{_text(test, 'name')}"
            _known(test, _FIELDS, name)
            expr = _text(test, "expr")
            try:
                _applicable(test, expr)
                yield Case(
                    name=name,
                    file=path.stem,
                    expr=expr,
                    container=_text(test, "container"),
                    bindings=_bindings(test),
                    expected=_expected(test),
                )
            except Inapplicable as reason:
                yield Case(name=name, file=path.stem, expr=expr, left_out=str(reason))


def _applicable(test: Message, expr: str) -> None:
    if _MESSAGE_NAMES.search(expr) or _text(test, "container").startswith(("cel.", "google.")):
        raise Inapplicable(MESSAGES)
    declared = [
        _one(declaration, "ident") for declaration in _messages(test, "type_env") if "ident" in declaration
    ]
    if any(
        _mentions(identifier, "message_type", "wrapper", "abstract_type", "type_param")
        for identifier in declared
    ):
        raise Inapplicable(MESSAGES)
    if any("function" in declaration for declaration in _messages(test, "type_env")):
        raise Inapplicable(FUNCTIONS)
    if test.get("check_only") == [True]:
        raise Inapplicable(DEDUCED)


def _bindings(test: Message) -> dict[str, object]:
    return {
        _text(binding, "key"): value(_one(_one(binding, "value"), "value"))
        for binding in _messages(test, "bindings")
    }


def _expected(test: Message) -> object:
    if "eval_error" in test or "any_eval_errors" in test:
        return Failure
    if "typed_result" in test:
        return value(_one(_one(test, "typed_result"), "result"))
    return value(_one(test, "value")) if "value" in test else True


def value(message: Message) -> object:  # noqa: PLR0911 - one line per kind
    """Return the `cel.expr.Value` that `message` holds, as the engine's Python value."""
    ((kind, (content,)),) = message.items()
    match kind:
        case "null_value":
            return None
        case "bool_value" | "int64_value" | "bytes_value":
            return content
        case "uint64_value":
            return cel.UInt(cast("int", content))
        case "double_value":
            return float(cast("float", content))
        case "string_value":
            return cast("bytes", content).decode("utf-8")
        case "type_value":
            return cel.Type(cast("bytes", content).decode("ascii"))
        case "list_value":
            return [value(item) for item in _messages(cast("Message", content), "values")]
        case "map_value":
            entries = _messages(cast("Message", content), "entries")
            pairs = [(value(_one(entry, "key")), value(_one(entry, "value"))) for entry in entries]
            return cel_map(pairs)
        case "object_value":
            return _moment(cast("Message", content))
        case _:
            raise Inapplicable(MESSAGES)


def cel_map(pairs: list[tuple[object, object]]) -> dict[object, object]:
    """Return a map with these entries; two that Python would take for one key are refused, not lost."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError(f"keys collide in {pairs}")
    return made


def _moment(content: Message) -> object:
    ((address, (body,)),) = content.items()
    if address.strip("[]") not in _CORE_TYPES:
        raise Inapplicable(MESSAGES)
    seconds, nanos = (cast("dict[str, list[int]]", body).get(part, [0])[0] for part in ("seconds", "nanos"))
    kind = cel.Timestamp if "Timestamp" in address else cel.Duration
    return kind(seconds * 10**9 + nanos)


def _known(message: Message, fields: set[str], where: str) -> None:
    if unknown := message.keys() - fields:
        raise ValueError(f"{where}: fields that this reader does not know: {sorted(unknown)}")


def _messages(message: Message, name: str) -> list[Message]:
    return cast("list[Message]", message.get(name, []))


def _one(message: Message, name: str) -> Message:
    (content,) = message[name]
    return cast("Message", content)


def _text(message: Message, name: str) -> str:
    values = message.get(name, [b""])
    return cast("bytes", values[0]).decode("utf-8")


def _mentions(content: object, *names: str) -> bool:
    if isinstance(content, dict):
        return any(key in names or _mentions(inner, *names) for key, inner in content.items())
    return isinstance(content, list) and any(_mentions(inner, *names) for inner in content)
