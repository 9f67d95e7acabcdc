"""Calls that bind variables or look at a path: turned into their own nodes while reading.

has(path), exists(path)                        whether the path is there
list.all(x, test)  .exists  .exists_one        over elements, or over the keys of a map
list.filter(x, test)  .map(x, result)  .map(x, test, result)
…all, exists, existsOne with (i, x, test)      over index and element, or key and value
list.transformList(i, x, [test,] result)  map.transformMap(k, v, [test,] result)
map.transformMapEntry(k, v, [test,] map)       the entries of all these maps; of a list with (i, x)
list.sortBy(x, key)
optional.optMap(x, result)  .optFlatMap(x, optional)
cel.bind(x, value, body)  cel.block([values], body)  cel.index(n)  cel.iterVar(n, m)  cel.accuVar(n, m)

A call with such a name and another shape is an error, except that `map` and `filter` as plain fields, and any
other use of the names as functions, are read as calls and refused by the checker.
"""

from collections.abc import Callable

from bylaw.rules.ast import Bind, Call, Has, Index, ListOf, Literal, Macro, MacroName, Name, Node, Select

Refuse = Callable[[int, str], Exception]

# name as written -> (canonical name, variables, how many arguments may follow them)
_SHAPES: dict[tuple[str, int], tuple[MacroName, int]] = {
    ("all", 2): ("all", 1),
    ("exists", 2): ("exists", 1),
    ("exists_one", 2): ("existsOne", 1),
    ("existsOne", 2): ("existsOne", 1),
    ("filter", 2): ("filter", 1),
    ("map", 2): ("map", 1),
    ("map", 3): ("map", 1),
    ("sortBy", 2): ("sortBy", 1),
    ("optMap", 2): ("optMap", 1),
    ("optFlatMap", 2): ("optFlatMap", 1),
    ("all", 3): ("all", 2),
    ("exists", 3): ("exists", 2),
    ("existsOne", 3): ("existsOne", 2),
    ("exists_one", 3): ("existsOne", 2),
    ("transformList", 3): ("transformList", 2),
    ("transformList", 4): ("transformList", 2),
    ("transformMap", 3): ("transformMap", 2),
    ("transformMap", 4): ("transformMap", 2),
    ("transformMapEntry", 3): ("transformMapEntry", 2),
    ("transformMapEntry", 4): ("transformMapEntry", 2),
}


def expand(call: Call, refuse: Refuse) -> Node:
    """Return the node that `call` stands for: itself, unless it is one of the macros."""
    if call.target is None:
        return _has(call, refuse) if call.function in {"has", "exists"} and len(call.args) == 1 else call
    if isinstance(call.target, Name) and call.target.name == "cel" and not call.target.absolute:
        return _of_cel(call, refuse)
    shape = _SHAPES.get((call.function, len(call.args)))
    if shape is None:
        return call
    name, count = shape
    variables = tuple(_variable(arg, refuse) for arg in call.args[:count])
    if len(set(variables)) != count:
        raise refuse(call.args[1].offset, f"the two variables of {call.function} need two names")
    return Macro(
        offset=call.offset,
        start=call.start,
        end=call.end,
        name=name,
        target=call.target,
        variables=variables,
        args=call.args[count:],
    )


def _has(call: Call, refuse: Refuse) -> Node:
    path = call.args[0]
    if not isinstance(path, (Name, Select, Index)):
        raise refuse(path.offset, f"{call.function}() takes a field path such as {call.function}(request.ip)")
    return Has(offset=call.offset, start=call.start, end=call.end, path=path)


def _variable(node: Node, refuse: Refuse) -> str:
    if isinstance(node, Name) and not node.absolute:
        return node.name
    raise refuse(node.offset, "a macro's variable is a plain name")


def _of_cel(call: Call, refuse: Refuse) -> Node:
    match call.function, call.args:
        case "bind", (variable, value, body):
            return _bind(call, _variable(variable, refuse), value, body)
        case "block", (ListOf() as values, body):
            for index, item in reversed(list(enumerate(values.items))):
                body = _bind(call, f"@index{index}", item.value, body)
            return body
        case "index", (Literal(value=int() as index),):
            return Name(offset=call.offset, start=call.start, end=call.end, name=f"@index{index}")
        case ("iterVar" | "accuVar") as kind, (Literal(value=int() as depth), Literal(value=int() as unique)):
            name = f"@{kind}:{depth}:{unique}"
            return Name(offset=call.offset, start=call.start, end=call.end, name=name)
        case _:
            raise refuse(call.offset, f"cel.{call.function} does not take these arguments")


def _bind(call: Call, variable: str, value: Node, body: Node) -> Bind:
    return Bind(offset=call.offset, start=call.start, end=call.end, variable=variable, value=value, body=body)
