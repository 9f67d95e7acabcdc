"""The paths of the context that an expression reads."""

from bylaw.rules.ast import Bind, Index, Literal, Macro, Name, Node, Select, children, descendants
from bylaw.rules.names import TYPE_NAMES


def read_by(root: Node, *, types: bool) -> tuple[str, ...]:
    """Return the longest paths that `root` reads, sorted: `amount`, `vendor.risk.score`, `items[].price`."""
    found: set[str] = set()
    _collect(root, {}, found)
    if types:
        found -= TYPE_NAMES
    longest = {path for path in found if not any(_inside(other, path) for other in found)}
    return tuple(sorted(longest))


def offset_of(root: Node, path: str) -> int:
    """Return where in the source `root` first reads `path`; where `root` stands when it does not."""
    reads = (node for node in descendants(root) if isinstance(node, (Name, Select, Index)))
    return min((node.start for node in reads if _path(node, {}) == path), default=root.offset)


def _inside(path: str, parent: str) -> bool:
    return path != parent and path.startswith(parent) and path[len(parent)] in ".["


def _collect(node: Node, scope: dict[str, str], found: set[str]) -> None:
    if isinstance(node, (Name, Select, Index)):
        path = _path(node, scope)
        if path is not None:
            if path:
                found.add(path)
            _collect_keys(node, scope, found)
            return
    if isinstance(node, Macro):
        _collect(node.target, scope, found)
        origin = _path(node.target, scope)
        variables = dict.fromkeys(node.variables, "")
        variables[node.variables[-1]] = f"{origin}[]" if origin else ""
        for arg in node.args:
            _collect(arg, {**scope, **variables}, found)
    elif isinstance(node, Bind):
        _collect(node.value, scope, found)
        _collect(node.body, {**scope, node.variable: _path(node.value, scope) or ""}, found)
    else:
        for child in children(node):
            _collect(child, scope, found)


def _collect_keys(node: Node, scope: dict[str, str], found: set[str]) -> None:
    """Collect what the keys along a path read."""
    while isinstance(node, (Select, Index)):
        if isinstance(node, Index):
            _collect(node.key, scope, found)
        node = node.operand


def _path(node: Node, scope: dict[str, str]) -> str | None:
    """Return the path, nothing if it hangs on a computed variable, or None if it is not a path."""
    steps: list[str] = []
    while isinstance(node, (Select, Index)):
        if isinstance(node, Select):
            steps.append(f".{node.field}")
        elif isinstance(node.key, Literal) and isinstance(node.key.value, str):
            steps.append(f".{node.key.value}")
        else:
            steps.append("[]")
        node = node.operand
    if not isinstance(node, Name):
        return None
    root = node.name if node.absolute else scope.get(node.name, node.name)
    return root and root + "".join(reversed(steps))
