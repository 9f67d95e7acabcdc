"""Why a rule came out as it did: every part with its value, and the smallest cause."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from bylaw.rules.ast import (
    Binary,
    Bind,
    Call,
    Conditional,
    Has,
    Index,
    Literal,
    Logic,
    Macro,
    Name,
    Node,
    Select,
    Unary,
    descendants,
)
from bylaw.rules.place import position
from bylaw.rules.shown import LONGEST, shown
from bylaw.rules.trace import Step
from bylaw.rules.verdict import Failure, Verdict

_OPPOSITE: Final = {
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "==": "!=",
    "!=": "==",
    "in": "not in",
    "not in": "in",
}
_MIRROR: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One smallest part that made the rule come out as it did, and what would change that.

    `path` held `seen`; the part would come out the other way if it stood in the relation `needs` to `than`
    (`amount` held `7000`, needs `<` `5000`). `needs` is `present`, `absent`, an operator, a function's name
    with or without `not `, or empty when no single change is known. `element` names the deciding element of a
    loop. `code` is set where the rule is indeterminate.
    """

    text: str
    offset: int
    line: int
    column: int
    message: str
    code: str = ""
    path: str = ""
    element: str = ""
    seen: str = ""
    needs: str = ""
    than: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return the cause as JSON, without empty fields."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in found.items() if value != ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A verdict with its causes and the value of every part."""

    source: str
    verdict: Verdict
    causes: tuple[Cause, ...]
    root: Step | None

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON; values are text, cut to about 200 characters.

        Shape: a step that is `not_needed` has no value when finding it out would have taken too much.
        """
        verdict = self.verdict
        return {
            "rule": self.source,
            "status": verdict.status,
            "code": verdict.code,
            "path": verdict.path,
            "position": asdict(verdict.position),
            "message": verdict.message,
            "causes": [cause.to_dict() for cause in self.causes],
            "steps": None if self.root is None else _step_dict(self.source, self.root),
        }

    def tree(self) -> str:
        """Return a drawing: the causes, then each part with its value below the part it belongs to."""
        lines = [f"{self.verdict.status}: {self.source}"]
        lines += [f"  because {cause.message}" for cause in self.causes]
        if self.verdict.status == "indeterminate" and not self.causes:
            lines.append(f"  because {self.verdict.message}")
        if self.root is not None:
            lines += _drawn(self.source, self.root, "")
        return "\n".join(lines)


def explanation(source: str, verdict: Verdict, root: Step | None) -> Explanation:
    """Return the explanation of `verdict` from the steps that led to it."""
    causes: tuple[Cause, ...] = ()
    if root is not None and verdict.status != "satisfied":
        if root.failure is not None:
            leaves = _failing(root)
        elif verdict.status == "violated":
            leaves = _deciding(root, "")
        else:  # it has a value, which is none that a rule may have
            leaves = iter([(root, root.element)])
        causes = tuple(_cause(source, leaf, element, verdict) for leaf, element in leaves)
    return Explanation(source=source, verdict=verdict, causes=causes, root=root)


# --- finding the smallest parts


def _failing(step: Step, element: str = "") -> Iterator[tuple[Step, str]]:
    """Yield the innermost part that failed in the way the whole did."""
    while True:
        element = step.element or element
        inner = [part for part in step.parts if part.failure is step.failure]
        if not inner:
            yield step, element
            return
        step = inner[0]


def _deciding(step: Step, element: str) -> Iterator[tuple[Step, str]]:
    """Yield the smallest parts without which `step` would not have its value."""
    element = step.element or element
    inner = _that_decide(step)
    if not inner:
        yield step, element
    for part in inner:
        yield from _deciding(part, element)


def _that_decide(step: Step) -> list[Step]:
    node, parts = step.node, [part for part in step.parts if part.needed]
    match node:
        case Logic():
            agreeing = [part for part in parts if part.failure is None and part.value is step.value]
            alone = step.value is (node.operator == "||")
            return agreeing[:1] if alone else agreeing
        case Unary(operator="!"):
            return parts
        case Conditional():
            return [part for part in parts if part.node is not node.test]
        case Bind():
            return [part for part in parts if part.node is node.body]
        case Macro(name="all" | "exists") if step.value is (node.name == "exists"):
            rounds = [part for part in parts if part.node is not node.target]
            return [part for part in rounds if part.value is step.value and part.failure is None][:1]
        case _:
            return []


# --- saying it


def _cause(source: str, step: Step, element: str, verdict: Verdict) -> Cause:
    failure = step.failure
    node = step.node if failure is None else _failed(step.node, failure)
    at = position(source, node.offset)
    text = _text(source, node)
    if failure is not None:
        return Cause(
            text=text,
            offset=at.offset,
            line=at.line,
            column=at.column,
            message=failure.message,
            code=failure.code,
            path=failure.path,
            element=element,
            needs="present" if failure.code == "missing" else "",
        )
    relation = _relation(source, step)
    return Cause(
        text=text,
        offset=at.offset,
        line=at.line,
        column=at.column,
        message=verdict.message if verdict.code else _words(text, step, relation),
        path=relation.path or verdict.path,
        element=element,
        seen=relation.seen,
        needs=relation.needs,
        than=relation.than,
    )


def _failed(node: Node, failure: Failure) -> Node:
    """Return the part of `node` that failed: a condition fails, and not what it stands in."""
    return next((each for each in descendants(node) if each.offset == failure.offset), node)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Relation:
    """What a smallest part compared: see `Cause`; `subject` is the text of what held `seen`."""

    subject: str = ""
    path: str = ""
    seen: str = ""
    needs: str = ""
    than: str = ""


def _words(text: str, step: Step, relation: _Relation) -> str:
    subject, seen, needs, than = relation.subject, relation.seen, relation.needs, relation.than
    match step.node:
        case Has():
            return f"`{subject}` is {'absent' if needs == 'present' else 'present'}"
        case Macro(name="exists"):
            return f"no element of `{subject}` fulfils {than}"
        case Macro(name="all"):
            return f"every element of `{subject}` fulfils {than}"
        case Binary() if needs:
            return f"`{subject}` is {seen}, and {seen} {_OPPOSITE[needs]} {than}"
        case Call() if needs:
            return f"`{subject}` is {seen}: {text} is {shown(step.value)}"
        case _:
            return f"`{text}` is {shown(step.value)}"


def _relation(source: str, step: Step) -> _Relation:
    """Return what a smallest part compared, as far as it is known."""
    node = step.node
    match node:
        case Binary() if node.operator in _OPPOSITE:
            return _of_comparison(source, step, node)
        case Has():
            path = _text(source, node.path)
            return _Relation(subject=path, path=path, needs="absent" if step.value is True else "present")
        case Call(target=Node() as target) if node.args and isinstance(step.value, bool):
            needs = f"not {node.function}" if step.value else node.function
            return _held(source, step, target, needs=needs, than=_side(step, node.args[0]))
        case Name() | Select() | Index() if isinstance(step.value, bool):
            return _Relation(
                subject=step.path,
                path=step.path,
                seen=shown(step.value),
                needs="==",
                than="false" if step.value else "true",
            )
        case Macro():
            tests = ", ".join(_text(source, arg) for arg in node.args)
            needs = f"not {node.name}" if step.value is True else node.name
            return _held(source, step, node.target, needs=needs, than=tests)
        case _:
            return _Relation()


def _held(source: str, step: Step, node: Node, *, needs: str, than: str) -> _Relation:
    """Return the relation whose subject is `node`, a part of `step`."""
    path = _part(step, node).path
    return _Relation(
        subject=path or _text(source, node), path=path, seen=_side(step, node), needs=needs, than=than
    )


def _of_comparison(source: str, step: Step, node: Binary) -> _Relation:
    """Return the relation of a comparison, turned so that the path stands on the left."""
    operator: str = node.operator if step.value is False else _OPPOSITE[node.operator]
    if _part(step, node.right).path and not _part(step, node.left).path and operator in _MIRROR:
        needs, than = _MIRROR[operator], _side(step, node.left)
        return _held(source, step, node.right, needs=needs, than=than)
    return _held(source, step, node.left, needs=operator, than=_side(step, node.right))


def _part(step: Step, node: Node) -> Step:
    """Return the step of one operand; constants are not recorded and a missing path has no value."""
    for part in step.parts:
        if part.node is node:
            return part
    return Step(node=node, value=node.value if isinstance(node, Literal) else None)


def _side(step: Step, node: Node) -> str:
    part = _part(step, node)
    return "missing" if part.failure is not None else shown(part.value)


def _text(source: str, node: Node) -> str:
    text = " ".join(source[node.start : node.end].split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


# --- forms


def _step_dict(source: str, step: Step) -> dict[str, object]:
    found: dict[str, object] = {"text": _text(source, step.node), "offset": step.node.offset}
    if step.element:
        found["element"] = step.element
    if not step.needed:
        found["not_needed"] = True
    if step.failure is not None:
        if step.needed or step.failure.code != "budget":
            found |= {"code": step.failure.code, "message": step.failure.message}
    else:
        found["value"] = shown(step.value)
    if step.parts:
        found["parts"] = [_step_dict(source, part) for part in step.parts]
    return found


def _drawn(source: str, step: Step, indent: str, *, last: bool = True) -> list[str]:
    result = step.failure.code if step.failure is not None else shown(step.value, 80)
    if not step.needed:
        result = "not needed" if result == "budget" else f"{result} (not needed)"
    where = f"[{step.element}] " if step.element else ""
    lines = [f"{indent}{'└─' if last else '├─'} {where}{_text(source, step.node)}  →  {result}"]
    below = indent + ("   " if last else "│  ")
    for at, part in enumerate(step.parts):
        lines += _drawn(source, part, below, last=at == len(step.parts) - 1)
    return lines
