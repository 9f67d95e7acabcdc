"""What is known about a value before there is one: its possible types, fields and elements.

A workspace may declare the context of its rules as a subset of JSON Schema: `type` (a name or a list of
names), `properties`, `additionalProperties`, `items`, `anyOf`/`oneOf`; other keywords are accepted and
ignored. Unlike in JSON Schema, an object with `properties` has no others unless `additionalProperties`
says so: the schema is there to find misspelt fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bylaw.core.errors import InvalidInput, Problem
from bylaw.rules.values import TYPE_NAME

_KINDS: Final[dict[str, frozenset[type]]] = {
    "null": frozenset({type(None)}),
    "boolean": frozenset({bool}),
    "integer": frozenset({int, float}),
    "number": frozenset({int, float}),
    "string": frozenset({str}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
}
_DEEPEST: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a value may be: anything without `kinds`; a `closed` map has no other `fields`."""

    kinds: frozenset[type] = frozenset()
    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    closed: bool = False
    items: "Shape | None" = None

    def may_be(self, *kinds: type) -> bool:
        """Return whether the value may be of one of `kinds`."""
        return not self.kinds or not self.kinds.isdisjoint(kinds)

    def words(self) -> str:
        """Return the types in words: `int or double`."""
        return " or ".join(sorted(TYPE_NAME.get(kind, "any") for kind in self.kinds)) or "any value"

    def element(self) -> "Shape":
        """Return what is known about the elements."""
        return ANY if self.items is None else self.items


ANY: Final = Shape()


def of(*kinds: type) -> Shape:
    """Return the shape of a value of one of `kinds`; `object` stands for any."""
    return ANY if object in kinds else Shape(kinds=frozenset(kinds))


def union(shapes: Sequence[Shape]) -> Shape:
    """Return the shape of a value that has one of `shapes`."""
    if len(shapes) == 1:
        return shapes[0]
    if not shapes or any(not shape.kinds for shape in shapes):
        return ANY
    return Shape(kinds=frozenset().union(*(shape.kinds for shape in shapes)))


def read(schema: object, path: str = "schema", depth: int = 0) -> Shape:
    """Return the shape that a JSON Schema describes.

    Raises: InvalidInput that names the place of the first thing that is not understood.
    """
    if schema is True or schema == {}:
        return ANY
    if not isinstance(schema, Mapping):
        raise _unusable(path, "is not a JSON Schema object")
    if depth > _DEEPEST:
        raise _unusable(path, f"nests deeper than {_DEEPEST}")
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            choices = _sequence(schema[keyword], f"{path}.{keyword}")
            return union(
                [read(each, f"{path}.{keyword}[{at}]", depth + 1) for at, each in enumerate(choices)]
            )
    kinds = _kinds(schema, path)
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        raise _unusable(f"{path}.properties", "is not an object")
    fields = {
        str(name): read(each, f"{path}.properties.{name}", depth + 1) for name, each in properties.items()
    }
    others = schema.get("additionalProperties", not fields)
    items = read(schema["items"], f"{path}.items", depth + 1) if "items" in schema else None
    return Shape(kinds=kinds, fields=fields, closed=others is False, items=items)


def _kinds(schema: Mapping[str, object], path: str) -> frozenset[type]:
    if "type" not in schema:
        return frozenset({dict}) if "properties" in schema else frozenset()
    named = schema["type"]
    names = [named] if isinstance(named, str) else _sequence(named, f"{path}.type")
    found: set[type] = set()
    for name in names:
        if not isinstance(name, str) or name not in _KINDS:
            raise _unusable(f"{path}.type", f"{name!r} is not a type of JSON Schema")
        found |= _KINDS[name]
    return frozenset(found)


def _sequence(value: object, path: str) -> Sequence[object]:
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return value
    raise _unusable(path, "is not a list")


def _unusable(path: str, reason: str) -> InvalidInput:
    message = f"{path} {reason}"
    return InvalidInput(
        f"The context schema cannot be used: {message}.",
        Problem(path=path, code="invalid_schema", message=message),
    )
