"""The rule language, evaluated by walking the tree: the meaning that the compiled engine must agree with.

Written from the specification and from the meaning of the codes in `bylaw.rules.verdict`, never from the
compiler. It shares the syntax tree and the value classes with the engine, nothing else. It counts no steps.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from bylaw.rules import ast
from bylaw.rules.values import NOTHING, Optional
from tests.reference import rules_functions as functions
from tests.reference import rules_values as values
from tests.reference.rules_values import Entries, Failed, entries, equal, kind, unsuitable


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a rule comes to: the engine's verdict without its words."""

    status: str
    code: str = ""
    path: str = ""
    offset: int = 0


def judge(tree: ast.Node, context: Mapping[str, object]) -> Outcome:
    """Return the outcome of the rule `tree` over `context`."""
    walk = Walk(context)
    try:
        value = walk.value(tree)
    except Failed as failed:
        return Outcome(status="indeterminate", code=failed.code, path=failed.path, offset=failed.at)
    if value is True or value is False:
        return Outcome(status="satisfied" if value else "violated")
    code = "null_value" if value is None else "not_boolean"
    return Outcome(status="indeterminate", code=code, path=walk.path(tree), offset=tree.offset)


def evaluate(tree: ast.Node, bindings: Mapping[str, object]) -> object:
    """Return the value of `tree`, maps as dicts again.

    Raises: Failed, with the place and the path.
    """
    return settled(Walk(bindings).value(tree))


def settled(value: object) -> object:
    """Return `value` with every map as a dict."""
    if isinstance(value, Entries):
        return {key: settled(inner) for key, inner in value.pairs}
    if type(value) is list:
        return [settled(item) for item in value]
    if isinstance(value, Optional):
        return Optional(settled(value.value), value.present)
    return value


@dataclass(slots=True)
class _Late:
    """A bound expression: its failure appears where the variable is used, or nowhere."""

    node: ast.Node
    walk: "Walk"
    outcome: object = None

    def value(self) -> object:
        if self.outcome is None:
            try:
                self.outcome = (self.walk.value(self.node),)
            except Failed as failed:
                self.outcome = failed
        if isinstance(self.outcome, Failed):
            raise self.outcome
        return self.outcome[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variable:
    """What a macro's variable holds, and the path of the context that it came from, if it came from there."""

    value: object
    origin: str = ""


class Walk:
    """One evaluation: the context, and the macro variables in reach."""

    def __init__(
        self, bindings: Mapping[str, object], variables: Mapping[str, _Variable] | None = None
    ) -> None:
        self.bindings = bindings
        self.variables = dict(variables or {})

    def inside(self, variables: Mapping[str, _Variable]) -> "Walk":
        return type(self)(self.bindings, {**self.variables, **variables})

    def path(self, node: ast.Node) -> str:
        """Return how a message names the place that `node` reads, or nothing when it is computed."""
        match node:
            case ast.Name():
                local = None if node.absolute else self.variables.get(node.name)
                return node.name if local is None else local.origin
            case ast.Select():
                before = self.path(node.operand)
                return before and f"{before}.{node.field}"
            case ast.Index():
                before = self.path(node.operand)
                key = self.known_key(node.key)
                return before and key and f"{before}[{key}]"
            case _:
                return ""

    def blaming(self, parts: list[ast.Node], given: list[object], act: Callable[[], object]) -> object:
        """Return what `act` gives for the values `given` of `parts`; its failure names a path to blame.

        A null is to blame before all; otherwise what the failure points at, or else the first path. A value
        that is not usable is to blame where there is no other.
        """
        try:
            return act()
        except Failed as failed:
            blamed = ["null_value", "type_error", *(["invalid_argument", "range"] if len(parts) == 1 else [])]
            if failed.at < 0 and not failed.path and failed.code in blamed:
                paths = [self.path(part) for part in parts]
                nulls = [path for path, value in zip(paths, given, strict=True) if value is None]
                if failed.code == "type_error":
                    paths.insert(0, paths[failed.misfit])
                named = nulls if nulls and failed.code == "null_value" else paths
                failed.path = next(filter(None, named), "")
            raise

    def known_key(self, node: ast.Node) -> str:
        value: object = None
        if isinstance(node, ast.Literal):
            value = node.value
        elif isinstance(node, ast.Name) and node.name in self.variables:
            value = self.variables[node.name].value
        return shown_key(value)

    def value(self, node: ast.Node) -> object:
        """Return the value of `node`; a failure that has no place yet gets this node's."""
        rules: dict[type, Callable[[ast.Node], object]] = {
            ast.Literal: self._literal, ast.Name: self._name, ast.Select: self._select,
            ast.Index: self._index, ast.Unary: self._unary, ast.Binary: self._binary, ast.Logic: self._logic,
            ast.Conditional: self._conditional, ast.Call: self._call, ast.ListOf: self._list,
            ast.MapOf: self._map,
            ast.Has: self._has, ast.Macro: self._macro, ast.Bind: self._bind,
        }  # fmt: skip
        try:
            return rules[type(node)](node)
        except Failed as failed:
            if failed.at < 0:
                failed.at = node.offset
            raise

    # --- leaves and paths

    def _literal(self, node: ast.Literal) -> object:
        return node.value

    def _name(self, node: ast.Name) -> object:
        if not node.absolute and node.name in self.variables:
            found = self.variables[node.name].value
            return found.value() if isinstance(found, _Late) else found
        if node.name not in self.bindings:
            raise Failed("missing", path=node.name)
        return self.bindings[node.name]

    def _select(self, node: ast.Select) -> object:
        operand = self.value(node.operand)
        if node.optional:
            return optionally(operand, node.field)
        return self.blaming([node.operand], [operand], lambda: self._field(operand, node))

    def _index(self, node: ast.Index) -> object:
        operand = self.value(node.operand)
        key = self.value(node.key)
        if node.optional:
            return optionally(operand, key)
        return self.blaming([node.operand, node.key], [operand, key], lambda: self._found(operand, key, node))

    def _field(self, operand: object, node: ast.Select) -> object:
        if kind(operand) == "list":
            raise unsuitable(operand)
        return self._found(operand, node.field, node)

    def _found(self, operand: object, key: object, node: ast.Select | ast.Index) -> object:
        try:
            return optionally(operand, key) if isinstance(operand, Optional) else element(operand, key)
        except Failed as failed:
            if failed.code in ("missing", "range"):
                failed.path = self.path(node)
            raise

    # --- operators

    def _unary(self, node: ast.Unary) -> object:
        if node.operator == "-":
            operand = self.value(node.operand)
            return self.blaming([node.operand], [operand], lambda: values.negate(operand))
        return not self.truth(node.operand)

    def _binary(self, node: ast.Binary) -> object:
        left = self._side(node.left, node.right, node.operator)
        right = self._side(node.right, node.left, node.operator)
        return self.blaming(
            [node.left, node.right], [left, right], lambda: self._operated(node.operator, left, right)
        )

    def _operated(self, operator: str, left: object, right: object) -> object:
        match operator:
            case "==":
                return equal(left, right)
            case "!=":
                return not equal(left, right)
            case "<":
                return values.compare(left, right) == -1
            case "<=":
                return values.compare(left, right) in (-1, 0)
            case ">":
                return values.compare(left, right) == 1
            case ">=":
                return values.compare(left, right) in (0, 1)
            case "in":
                return self._contained(left, right)
            case _:
                operate = {"+": values.add, "-": values.subtract, "*": values.multiply, "/": values.divide}
                return operate.get(operator, values.modulo)(left, right)

    def _side(self, node: ast.Node, other: ast.Node, operator: str) -> object:
        null_test = operator in ("==", "!=") and isinstance(other, ast.Literal) and other.value is None
        try:
            return self.value(node)
        except Failed as failed:
            if null_test and failed.code == "missing" and isinstance(node, ast.Name | ast.Select | ast.Index):
                return None
            raise

    def _contained(self, item: object, collection: object) -> bool:
        if kind(collection) == "map":
            if kind(item) not in ("bool", "int", "uint", "double", "string"):
                raise unsuitable(item)
            return entries(collection).find(item) is not None
        if kind(collection) != "list":
            raise unsuitable(collection, misfit=1)
        return functions.is_member(collection, item)

    def _logic(self, node: ast.Logic) -> bool:
        tests = [lambda operand=operand: self.truth(operand) for operand in node.operands]
        return _decide(tests, decisive=node.operator == "||")

    def _conditional(self, node: ast.Conditional) -> object:
        return self.value(node.then if self.truth(node.test) else node.otherwise)

    def truth(self, node: ast.Node) -> bool:
        """Return a condition's answer; one that is not a boolean fails itself, not what stands around it."""
        value = self.value(node)
        if value is True or value is False:
            return value
        failed = unsuitable(value)
        failed.at, failed.path = node.offset, self.path(node)
        raise failed

    # --- construction and calls

    def _list(self, node: ast.ListOf) -> list[object]:
        made = []
        for item in node.items:
            value = self.value(item.value)
            made.extend(self._held(item.value, value) if item.optional else [value])
        return made

    def _map(self, node: ast.MapOf) -> Entries:
        made = Entries([])
        for entry in node.entries:
            key = self.value(entry.key)
            self.blaming([entry.key], [key], lambda key=key: _suits_as_key(key))
            if made.find(key) is not None:
                raise Failed("invalid_argument")
            value = self.value(entry.value)
            held = self._held(entry.value, value) if entry.optional else [value]
            made.pairs.extend((key, each) for each in held)
        return made

    def _held(self, node: ast.Node, value: object) -> list[object]:
        return self.blaming([node], [value], lambda: _held(value))

    def _call(self, node: ast.Call) -> object:
        target = () if node.target is None else (self.value(node.target),)
        given = [self.value(arg) for arg in node.args]
        parts = list(node.args) if node.target is None else [node.target, *node.args]
        return self.blaming(parts, [*target, *given], lambda: functions.call(node.function, target, given))

    def _has(self, node: ast.Has) -> bool:
        try:
            found = self.value(node.path)
        except Failed as failed:
            beyond = failed.code == "range" and failed.at in index_places(node.path)
            if failed.code == "missing" or beyond:
                return False
            raise
        return found.present if isinstance(found, Optional) else True

    def _bind(self, node: ast.Bind) -> object:
        bound = _Variable(value=_Late(node.value, self), origin=self.path(node.value))
        return self.inside({node.variable: bound}).value(node.body)

    # --- macros

    def _macro(self, node: ast.Macro) -> object:
        target = self.value(node.target)
        return self.blaming([node.target], [target], lambda: self._expanded(node, target))

    def _expanded(self, node: ast.Macro, target: object) -> object:
        if node.name in ("optMap", "optFlatMap"):
            return self._opt(node, target)
        if kind(target) not in (("list",) if node.name == "sortBy" else ("list", "map")):
            raise unsuitable(target)
        rounds = list(self._rounds(node, target))
        match node.name:
            case "all" | "exists":
                tests = [lambda walk=walk: walk.truth(node.args[0]) for _, walk in rounds]
                return _decide(tests, decisive=node.name == "exists")
            case "existsOne":
                return [walk.truth(node.args[0]) for _, walk in rounds].count(True) == 1
            case "filter":
                return [first for first, walk in rounds if walk.truth(node.args[0])]
            case "sortBy":
                return functions.sort_by(target, [walk.value(node.args[0]) for _, walk in rounds])
            case "transformMap":
                return Entries(self._results(node, rounds))
            case "transformMapEntry":
                return Entries(self._merged(node, rounds))
            case _:
                return [result for _, result in self._results(node, rounds)]

    def _rounds(self, node: ast.Macro, target: object) -> Iterator[tuple[object, "Walk"]]:
        """Yield the first variable of each round, and a walk in which the variables are bound."""
        pairs = list(enumerate(target)) if isinstance(target, list) else entries(target).pairs
        two = len(node.variables) == 2
        origin = self.path(node.target)
        for key, value in pairs:
            place = f"{origin}[{shown_key(key)}]" if origin and shown_key(key) else ""
            inner = two or isinstance(target, list)  # alone, a variable over a map holds its key
            bound = [_Variable(value=value if inner else key, origin=place if inner else "")]
            bound = [_Variable(value=key), *bound] if two else bound
            yield bound[0].value, self.inside(dict(zip(node.variables, bound, strict=True)))

    def _results(self, node: ast.Macro, rounds: list[tuple[object, "Walk"]]) -> list[tuple[object, object]]:
        results = []
        for first, walk in rounds:
            if len(node.args) == 1 or walk.truth(node.args[0]):
                results.append((first, walk.value(node.args[-1])))
        return results

    def _merged(self, node: ast.Macro, rounds: list[tuple[object, "Walk"]]) -> list[tuple[object, object]]:
        merged: list[tuple[object, object]] = []
        result = node.args[-1]
        for _, walk in rounds:
            if len(node.args) == 1 or walk.truth(node.args[0]):
                found = walk.value(result)
                new = walk.blaming([result], [found], partial(_pairs, found))
                if any(Entries(merged).find(key) is not None for key, _ in new):
                    raise Failed("invalid_argument")
                merged += new
        return merged

    def _opt(self, node: ast.Macro, target: object) -> Optional:
        if not isinstance(target, Optional):
            raise unsuitable(target)
        if not target.present:
            return NOTHING
        bound = _Variable(value=target.value, origin=self.path(node.target))
        result = self.inside({node.variables[0]: bound}).value(node.args[0])
        if node.name == "optMap":
            return Optional(result)
        if not isinstance(result, Optional):
            raise unsuitable(result)
        return result


def shown_key(key: object) -> str:
    """Return how a path shows a key: whole numbers of the language and text of up to 200 characters."""
    text = type(key) is str and len(key) <= 200  # type: ignore[arg-type]
    number = type(key) is int and abs(key) <= values.INT_RANGE[1]  # type: ignore[arg-type]
    return repr(key) if text or number else ""


def index_places(node: ast.Node) -> list[int]:
    """Return where the indexes along a path stand."""
    if not isinstance(node, ast.Select | ast.Index):
        return []
    return index_places(node.operand) + ([node.offset] if isinstance(node, ast.Index) else [])


def optionally(operand: object, key: object) -> Optional:
    """Return what the place holds, if there is such a place; an optional is looked through first."""
    if isinstance(operand, Optional):
        if not operand.present:
            return NOTHING
        operand = operand.value
    try:
        found = element(operand, key)
    except Failed as failed:
        if failed.code in ("missing", "range"):
            return NOTHING
        raise
    return found if isinstance(found, Optional) else Optional(found)


def element(operand: object, key: object) -> object:
    """Return the value of a map's key or the element of a list."""
    if kind(operand) == "map":
        if kind(key) not in ("bool", "int", "uint", "double", "string"):
            raise unsuitable(key, misfit=1)
        found = entries(operand).find(key)
        if found is None:
            raise Failed("missing")
        return found[1]
    if not isinstance(operand, list) or kind(operand) != "list":
        raise unsuitable(operand, key)
    if kind(key) not in values.NUMBERS:
        raise unsuitable(key, misfit=1)
    assert isinstance(key, int | float)
    if isinstance(key, float) and not key.is_integer():
        raise Failed("invalid_argument")
    if not 0 <= key < len(operand):
        raise Failed("range")
    return operand[int(key)]


def _pairs(value: object) -> list[tuple[object, object]]:
    if kind(value) != "map":
        raise unsuitable(value)
    return entries(value).pairs


def _decide(tests: list[Callable[[], bool]], *, decisive: bool) -> bool:
    """Return `decisive` if a test comes to it, whatever fails; else the first failure; else the opposite."""
    first: Failed | None = None
    for test in tests:
        try:
            if test() is decisive:
                return decisive
        except Failed as failed:
            first = first or failed
    if first is not None:
        raise first
    return not decisive


def _suits_as_key(key: object) -> None:
    if kind(key) not in ("bool", "int", "uint", "string"):
        raise unsuitable(key)


def _held(value: object) -> list[object]:
    if not isinstance(value, Optional):
        raise unsuitable(value)
    return [value.value] if value.present else []
