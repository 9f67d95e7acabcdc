"""An evaluation that remembers what every part gave."""

from dataclasses import dataclass, field, replace
from typing import Final

from typing_extensions import override

from bylaw.rules.ast import Literal, Macro, Node
from bylaw.rules.interpret import Evaluation
from bylaw.rules.verdict import Failure

MOST_STEPS: Final = 500
_SAMPLES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one part of the expression gave: a `value`, or a `failure`.

    `element` says for which element of a loop, such as `items[3]`; `size` counts the steps in it.
    """

    node: Node
    value: object = None
    failure: Failure | None = None
    element: str = ""
    path: str = ""
    parts: tuple["Step", ...] = ()
    size: int = 1


@dataclass(slots=True, kw_only=True)
class Trace(Evaluation):
    """An `Evaluation` whose `root` is the finished tree of steps.

    Of a loop it keeps the round that decided, the first that failed and two samples, so the tree stays small
    however long the list is.
    """

    root: Step | None = None
    _open: list[tuple[Node, list[Step]]] = field(default_factory=list)

    @override
    def value(self, node: Node) -> object:
        self._open.append((node, []))
        value: object = None
        failed: Failure | None = None
        try:
            value = Evaluation.value(self, node)
        except Failure as failure:
            failed = failure
            raise
        finally:
            _, parts = self._open.pop()
            self._keep(node, value, failed, tuple(parts))
        return value

    def _keep(self, node: Node, value: object, failure: Failure | None, parts: tuple[Step, ...]) -> None:
        parent = self._open[-1] if self._open else None
        looping = parent[0] if parent is not None and isinstance(parent[0], Macro) else None
        inside = looping is not None and node is not looping.target
        path = self.path(node)
        step = Step(
            node=node,
            value=value,
            failure=failure,
            element=self._element(looping) if looping is not None and inside else "",
            path=path,
            parts=() if path and failure is None else parts,
            size=1 + sum(part.size for part in parts),
        )
        if parent is None:
            self.root = step
        elif not isinstance(node, Literal):
            siblings = parent[1]
            if looping is None or not inside or _is_kept(looping, step, siblings):
                full = step.size + sum(each.size for each in siblings) > MOST_STEPS
                siblings.append(replace(step, parts=(), size=1) if full else step)

    def _element(self, looping: Macro) -> str:
        last = looping.variables[-1]
        return self.origins.get(last, "") or last


def _is_kept(looping: Macro, step: Step, siblings: list[Step]) -> bool:
    """Return whether a round of a loop tells something that the kept ones do not."""
    rounds = [each for each in siblings if each.node is not looping.target]
    if step.failure is not None:
        return all(each.failure is None for each in rounds)
    decisive = looping.name == "exists"
    if looping.name in {"all", "exists"} and step.value is decisive:
        return True
    return len(rounds) < _SAMPLES
