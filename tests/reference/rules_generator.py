# ruff: noqa: E501 - the tables read best one row a line
"""Random rules and contexts: mostly well-typed, often not, with holes and nulls in every place.

A `Chooser` decides everything, so that Hypothesis (which shrinks), a seeded generator (for long runs) and a fuzzer
(which follows coverage) draw from one grammar. The first option is always the simplest.
"""

import random
import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

Option = TypeVar("Option")


class Chooser(Protocol):
    """Where decisions come from."""

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1; a shrinking chooser tends to 0."""


class Seeded:
    """Decisions from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)


class Scripted:
    """Decisions from bytes: what Hypothesis shrinks and a fuzzer mutates. When they run out, the simplest ones."""

    def __init__(self, script: bytes) -> None:
        self._script = iter(script)

    def below(self, limit: int) -> int:
        return next(self._script, 0) % limit


# Where the context holds what, when it holds it.
FIELDS = {
    "n": "int", "m": "int", "d": "double", "s": "string", "t": "string", "b": "bool", "f": "bool",
    "ints": "ints", "words": "strings", "o": "record", "rows": "records", "w": "when", "z": "null", "many": "ints",
}  # fmt: skip
RECORD = {"price": "number", "name": "string", "ok": "bool", "tags": "strings"}
PATHS = {
    "bool": ["b", "f", "o.ok", "o.inner.ok", "rows[0].ok", "gone.ok"],
    "int": [
        "n",
        "m",
        "ints[0]",
        "o.price",
        "o.inner.price",
        "o['price']",
        "rows[1].price",
        "gone",
        "ints[7]",
    ],
    "double": ["d", "o.price", "rows[0].price", "gone.deep.er"],
    "string": ["s", "t", "words[0]", "o.name", "o.inner.name", "o['odd key']", "rows[0].name", "gone"],
    "ints": ["ints", "many", "gone"],
    "strings": ["words", "o.tags", "rows[0].tags"],
    "records": ["rows", "gone.rows"],
    "record": ["o", "o.inner", "rows[0]", "rows[-1]"],
    "when": ["w"],
    "null": ["z", "o.nothing"],
}
PATHS["any"] = sorted({path for paths in PATHS.values() for path in paths})

LITERALS = {
    "bool": ["true", "false"],
    "int": ["0", "1", "2", "-1", "3", "10", "9223372036854775807", "-9223372036854775808", "0x1F"],
    "uint": ["0u", "1u", "3u", "18446744073709551615u"],
    "double": ["0.0", "1.0", "0.5", "-1.5", "1e300", "9007199254740993.0", "9223372036854775808.0", "-0.0"],
    "string": [
        "''",
        "'a'",
        "'abc'",
        "'ABC'",
        "'a,b'",
        "'12'",
        "'ünï😀'",
        "'true'",
        "' x '",
        "r'\\d'",
        '"q\\u0000"',
    ],
    "bytes": ["b''", "b'abc'", "b'\\xff'"],
    "ints": ["[]", "[1]", "[1, 2, 3]", "[3, 1, 2, 1]", "[0, -1]"],
    "strings": ["[]", "['a']", "['a', 'b', 'abc']", "['b', 'a']"],
    "records": ["[]", "[{'price': 1, 'ok': true}]", "[{'name': 'a'}, {'name': 'b', 'price': 2.5}]"],
    "record": ["{}", "{'price': 3, 'name': 'a'}", "{'price': 1.0, 'ok': false}", "{'nothing': null}"],
    "when": [
        "'2024-02-29T12:30:45.123456789Z'",
        "'1969-12-31T23:59:59Z'",
        "'2024-02-30T00:00:00Z'",
        "'soon'",
    ],
    "timestamp": ["timestamp(0)", "timestamp('2024-02-29T12:30:45.5+02:00')", "timestamp(253402300799)"],
    "duration": ["duration('1h30m')", "duration('-1.5s')", "duration('0')", "duration('10ns')"],
    "null": ["null"],
    "optional": [
        "optional.none()",
        "optional.of(1)",
        "o.?name",
        "o.?gone.?deep",
        "ints[?0]",
        "{'a': 1}[?'b']",
    ],
    "pattern": ["'^a'", "'b+$'", "'(a|b)*c'", "'[A-Z]{2,3}'", "''", "'\\\\d+'", "'(?i)ABC'"],
    "zone": ["'UTC'", "'Europe/Oslo'", "'-02:30'", "'+05:45'", "'Nowhere/Town'"],
    "small": ["0", "1", "2", "-1", "5"],
}
LITERALS["any"] = [
    "null",
    "1",
    "'a'",
    "true",
    "1.0",
    "[]",
    "{}",
    "1u",
    "b'abc'",
    "[1, 2.0]",
    "{'a': 1}",
    "{1: 'x', true: 'y'}",
]

# `{kind}` is a sub-expression; `$x:kind` binds a fresh variable of that kind in the rest of the template.
CORE = {
    "bool": [
        "{bool} && {bool}", "{bool} || {bool}", "!{bool}", "{bool} ? {bool} : {bool}", "{bool} && {bool} && {bool}",
        "{bool} || {bool} || {bool}", "{int} < {int}", "{number} <= {number}", "{number} > {number}",
        "{number} >= {number}", "{string} < {string}", "{any} == {any}", "{any} != {any}", "{int} == {number}",
        "{string} == {string}", "{path} == null", "{path} != null", "null == {path}", "has({field})",
        "{int} in {ints}", "{string} in {strings}", "{any} in {any}", "{string} in {record}",
        "{string}.startsWith({string})", "{string}.endsWith({string})", "{string}.contains({string})",
        "{string}.matches({pattern})", "{timestamp} < {timestamp}", "{duration} >= {duration}",
        "{ints}.all($x:int, {bool})", "{ints}.exists($x:int, {bool})", "{ints}.exists_one($x:int, {bool})",
        "{records}.all($x:record, {bool})", "{records}.exists($x:record, {bool})", "{record}.all($x:string, {bool})",
        "{strings}.exists($x:string, {bool})", "type({any}) == type({any})", "bool({string})", "{ints} == {ints}",
        "{record} == {record}", "{strings} != {strings}", "size({strings}) > {small}",
    ],
    "int": [
        "{int} + {int}", "{int} - {int}", "{int} * {int}", "{int} / {int}", "{int} % {int}", "-{int}",
        "{bool} ? {int} : {int}", "size({string})", "{ints}.size()", "size({record})", "int({number})",
        "int({string})", "{timestamp}.getFullYear()", "{timestamp}.getHours({zone})", "{timestamp}.getDayOfWeek()",
        "{duration}.getMinutes()", "{ints}[{small}]", "{timestamp}.getDayOfYear()", "int({timestamp})",
    ],
    "double": [
        "{double} + {double}", "{double} - {double}", "{double} * {double}", "{double} / {double}", "-{double}",
        "double({number})", "double({string})", "{bool} ? {double} : {double}",
    ],
    "uint": ["{uint} + {uint}", "{uint} - {uint}", "{uint} * {uint}", "{uint} / {uint}", "{uint} % {uint}", "uint({number})"],
    "string": [
        "{string} + {string}", "string({any})", "{bool} ? {string} : {string}", "{strings}[{small}]",
        "string({bytes})", "string({timestamp})", "string({duration})",
    ],
    "bytes": ["bytes({string})", "{bytes} + {bytes}"],
    "ints": [
        "{ints} + {ints}", "[{int}, {int}]", "{ints}.filter($x:int, {bool})", "{ints}.map($x:int, {int})",
        "{ints}.map($x:int, {bool}, {int})", "{records}.map($x:record, {number})", "[{number}, {any}]",
    ],
    "strings": ["{strings} + {strings}", "[{string}, {string}]", "{strings}.map($x:string, {string})", "{record}.map($x:string, $x)"],
    "records": ["{records}.filter($x:record, {bool})", "[{record}, {record}]"],
    "record": ["{{'price': {number}, 'name': {string}}}", "{{{string}: {any}}}", "{records}[{small}]"],
    "timestamp": ["timestamp({when})", "{timestamp} + {duration}", "{timestamp} - {duration}", "timestamp({int})"],
    "duration": ["{timestamp} - {timestamp}", "{duration} + {duration}", "{duration} - {duration}", "duration({string})"],
}  # fmt: skip
EXTENDED = {
    "bool": [
        "{ints}.contains({int})", "{strings}.contains({any})", "{any}.contains({any})", "{optional}.hasValue()",
        "sets.contains({ints}, {ints})", "sets.intersects({strings}, {strings})", "sets.equivalent({ints}, {ints})",
        "{ints}.all($x:int, $y:int, {bool})", "{record}.exists($x:string, $y:any, {bool})", "math.isNaN({double})",
        "{ints}.existsOne($x:int, $y:int, {bool})", "cel.bind($x:bool, {bool}, {bool})", "{optional} == {optional}",
    ],
    "int": [
        "math.greatest({int}, {int})", "math.least({ints})", "math.abs({int})", "math.sign({int})",
        "math.bitAnd({int}, {int})", "math.bitShiftLeft({int}, {small})", "{string}.indexOf({string})",
        "{string}.lastIndexOf({string})", "{optional}.orValue({int})", "{string}.indexOf({string}, {small})",
        "cel.bind($x:int, {int}, {int})",
    ],
    "double": ["math.ceil({double})", "math.round({double})", "math.floor({double})", "math.sqrt({number})", "math.abs({double})"],
    "string": [
        "{string}.lowerAscii()", "{string}.upperAscii()", "{string}.trim()", "{string}.charAt({small})",
        "{string}.substring({small})", "{string}.substring({small}, {small})", "{string}.replace({string}, {string})",
        "{strings}.join()", "{strings}.join({string})", "base64.encode({bytes})", "{optional}.orValue({string})",
        "{string}.reverse()", "cel.bind($x:string, {string}, {string})", "{string}.replace({string}, {string}, {small})",
        "regex.replace({string}, {pattern}, {string})", "regex.replace({string}, {pattern}, {string}, {small})",
    ],
    "bytes": ["base64.decode({string})"],
    "ints": [
        "{ints}.distinct()", "{ints}.sort()", "{ints}.reverse()", "{ints}.slice({small}, {small})", "lists.range({small})",
        "{ints}.transformList($x:int, $y:int, {int})", "[{ints}, {ints}].flatten()", "{ints}.sortBy($x:int, {int})",
        "[?{optional}, {int}]", "{ints}.transformList($x:int, $y:int, {bool}, {int})",
    ],
    "strings": ["{string}.split({string})", "{string}.split({string}, {small})", "{strings}.sort()", "{strings}.distinct()", "regex.extractAll({string}, {pattern})"],
    "record": ["{{?'name': {optional}}}", "{record}.transformMap($x:string, $y:any, {any})",
        "{record}.transformMapEntry($x:string, $y:any, {{{string}: $y}})",
        "{ints}.transformMapEntry($x:int, $y:int, {bool}, {record})",
    ],
    "optional": [
        "optional.of({any})", "optional.ofNonZeroValue({any})", "{optional}.or({optional})", "o.?{word}",
        "{optional}.optMap($x:any, {any})", "{optional}.optFlatMap($x:any, {optional})", "{ints}.first()",
        "regex.extract({string}, {pattern})",
    ],
}  # fmt: skip
UNIONS = {"number": ("int", "double", "uint"), "path": (), "field": (), "word": ()}
SWAPS = (
    "string",
    "int",
    "bool",
    "null",
    "double",
    "ints",
    "record",
    "any",
    "uint",
    "strings",
    "timestamp",
    "bytes",
    "optional",
)
VARIABLES = ("x", "y", "item", "n", "s")
_PART = re.compile(r"\{\{|\}\}|\{(\w+)\}|\$(\w+):(\w+)|\$(\w+)")


class Rules:
    """Writes rules in source form; `extended` adds the libraries beyond the core of CEL."""

    def __init__(self, chooser: Chooser, *, extended: bool = True, wrong_one_in: int = 14) -> None:
        self._below = chooser.below
        self._wrong = wrong_one_in
        kinds = CORE.keys() | EXTENDED.keys()
        self._templates = {
            kind: [*CORE.get(kind, []), *(EXTENDED.get(kind, []) if extended else [])]
            for kind in sorted(kinds)
        }
        self._swaps = SWAPS if extended else tuple(kind for kind in SWAPS if kind != "optional")

    def pick(self, options: Sequence[Option]) -> Option:
        """Return one of `options`."""
        return options[self._below(len(options))]

    def rule(self, depth: int = 4) -> str:
        """Return one rule: an expression meant to be a boolean."""
        return self.expression("bool", depth, {})

    def expression(self, kind: str, depth: int, scope: dict[str, str]) -> str:
        """Return an expression meant to be of `kind`, with `scope` naming the macro variables in reach."""
        if kind in ("path", "field", "word"):
            return self._place(kind, scope)
        if self._below(self._wrong) == self._wrong - 1:
            kind = self.pick(self._swaps)
        kind = self.pick(UNIONS[kind]) if kind in UNIONS else kind
        if depth <= 0 or self._below(4) == 0 or not self._templates.get(kind):
            return self._leaf(kind, scope)
        return self._fill(self.pick(self._templates[kind]), depth, dict(scope))

    def _leaf(self, kind: str, scope: dict[str, str]) -> str:
        mine = [name for name, held in scope.items() if held in (kind, "any")]
        fields = [
            f"{name}.{key}" for name, held in scope.items() if held == "record" for key in _keys_of(kind)
        ]
        sources = [LITERALS.get(kind, []), PATHS.get(kind, []), mine + fields, mine + fields]
        return self.pick(self.pick([source for source in sources if source]))

    def _place(self, kind: str, scope: dict[str, str]) -> str:
        if kind == "word":
            return self.pick(("name", "gone", "price"))
        mine = [f"{name}.{key}" for name, held in scope.items() if held == "record" for key in RECORD]
        return self.pick([path for path in PATHS["any"] if kind == "path" or "[" not in path] + mine)

    def _fill(self, template: str, depth: int, scope: dict[str, str]) -> str:
        renamed: dict[str, str] = {}

        def part(match: re.Match[str]) -> str:
            kind, bound, held, used = match.groups()
            if match[0] in ("{{", "}}"):
                return match[0][0]
            if used is not None:
                return renamed[used]
            if bound is not None:
                free = [name for name in VARIABLES if name not in renamed.values()]
                renamed[bound] = self.pick(free)
                scope[renamed[bound]] = held
                return renamed[bound]
            return self._grouped(self.expression(kind, depth - 1, scope))

        return _PART.sub(part, template)

    def _grouped(self, text: str) -> str:
        simple = re.fullmatch(r"[\w.\[\]']+|'[^']*'", text) is not None
        return text if simple else f"({text})"


def _keys_of(kind: str) -> list[str]:
    return [
        key
        for key, held in RECORD.items()
        if (held == kind or (held == "number" and kind in ("int", "double")))
    ]


class Contexts:
    """Makes JSON contexts for those rules: each place may be missing, null or of a wrong kind."""

    def __init__(self, chooser: Chooser, *, wide: bool = True, wrong_one_in: int = 10) -> None:
        self._below = chooser.below
        self._wrong = wrong_one_in
        self._wide = wide

    def context(self) -> dict[str, object]:
        """Return one context."""
        made = {}
        for name, kind in FIELDS.items():
            self._put(made, name, kind, 2)
        return made

    def _pick(self, options: Sequence[Option]) -> Option:
        return options[self._below(len(options))]

    def _put(self, into: dict[str, object], name: str, kind: str, depth: int) -> None:
        fate = self._below(self._wrong * 3)
        if fate == 1:
            return
        if fate == 2:
            kind = "null"
        if fate == 3:
            kind = self._pick(("string", "int", "bool", "ints", "record", "double"))
        into[name] = self.value(kind, depth)

    def value(self, kind: str, depth: int) -> object:  # noqa: PLR0911 - one line per kind
        """Return a JSON value of `kind`."""
        match kind:
            case "bool":
                return self._pick((True, False))
            case "int":
                edges = (2**63 - 1, -(2**63)) + ((2**63, 2**70, -(2**80)) if self._wide else ())
                return self._pick((0, 1, 2, 3, -1, 5, 100, 2**53 + 1, *edges))
            case "double":
                return self._pick((0.0, 1.0, 0.5, -2.5, 3.0, 1e300, 2.0**53, 0.1))
            case "number":
                return self.value(self._pick(("int", "double")), depth)
            case "string":
                return self._pick(
                    ("", "a", "abc", "ABC", "a,b", "12", "ünï😀", "name", "1h30m", "a\u0000b", "true")
                )
            case "when":
                return self._pick(
                    ("2024-02-29T12:30:45.123Z", "2026-01-01T00:00:00+01:00", "1969-12-31T23:59:59Z", "soon")
                )
            case "null":
                return None
            case "ints":
                return [
                    self.value(self._pick(("int",) * 6 + ("double", "null")), 0)
                    for _ in range(self._below(4))
                ]
            case "strings":
                return [self.value(self._pick(("string",) * 7 + ("null",)), 0) for _ in range(self._below(4))]
            case "records":
                return [self.value("record", depth - 1) for _ in range(self._below(3))]
            case _:
                return self._record(depth)

    def _record(self, depth: int) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, kind in RECORD.items():
            self._put(made, key, kind, depth - 1)
        if depth > 0:
            self._put(made, "inner", "record", depth - 1)
        return made | {"odd key": self.value("string", 0), "nothing": None}
