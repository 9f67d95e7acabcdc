"""An evaluation that remembers what every part gave, and finds out afterwards what it did not need."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from typing_extensions import override

from bylaw.rules.ast import Binary, Call, Conditional, ListOf, Literal, Logic, Macro, Node, children
from bylaw.rules.budget import Budget, exhausted
from bylaw.rules.interpret import Evaluation, settled
from bylaw.rules.verdict import Failure

MOST_STEPS: Final = 500
_SAMPLES: Final = 2
_SKIPPING: Final = (Logic, Conditional, Binary, Call, ListOf)  # may end before all their operands are known


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The variables of macros around a part, see `Walk`."""

    scope: Mapping[str, object]
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one part of the expression gave: a `value`, or a `failure`.

    `element` says for which element of a loop, such as `items[3]`; `size` counts the steps in it. A part
    that is not `needed` was not evaluated to decide: what it gives is found out afterwards, and is a
    `failure` with the code `budget` where that would take too much. `frame` is kept where parts are left out.
    """

    node: Node
    value: object = None
    failure: Failure | None = None
    element: str = ""
    path: str = ""
    parts: tuple["Step", ...] = ()
    size: int = 1
    needed: bool = True
    frame: Frame | None = None


@dataclass(slots=True, kw_only=True)
class Trace(Evaluation):
    """An `Evaluation` whose `root` is the finished tree of steps.

    Of a loop it keeps the round that decided, the first that failed and two samples, so the tree stays small
    however long the list is.
    """

    root: Step | None = None
    _open: list[tuple[Node, list[Step]]] = field(default_factory=list)
    _is_quiet: bool = False

    @override
    def value(self, node: Node) -> object:
        if self._is_quiet:
            return Evaluation.value(self, node)
        looping, siblings = self._open[-1] if self._open else (node, [])
        if isinstance(looping, Macro) and node is not looping.target and _is_enough(looping, siblings):
            return self._one_of_many(node, looping, siblings)
        return self._traced(node)

    def _one_of_many(self, node: Node, looping: Macro, siblings: list[Step]) -> object:
        """Return the value of one more round, found without a trace unless it tells something new.

        One that does is walked again, within the steps that it took.
        """
        had, failed, value = self.budget.left, None, None
        self._is_quiet = True
        try:
            value = Evaluation.value(self, node)
        except Failure as failure:
            failed = failure
        finally:
            self._is_quiet = False
        if failed is not None and failed.code == "budget":
            self._keep(node, None, failed, ())
            raise failed
        if _is_kept(looping, value, failed, siblings):
            held, self.budget = self.budget, Budget(had - self.budget.left)
            try:
                return self._traced(node)
            finally:
                self.budget = held
        if failed is not None:
            raise failed
        return value

    def _traced(self, node: Node) -> object:
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
            frame=self._frame() if _skipped(node, parts) else None,
        )
        if parent is None:
            self.root = step
        elif not isinstance(node, Literal):
            siblings = parent[1]
            if looping is None or not inside or _is_kept(looping, value, failure, siblings):
                full = step.size + sum(each.size for each in siblings) > MOST_STEPS
                siblings.append(replace(step, parts=(), size=1, frame=None) if full else step)

    def _element(self, looping: Macro) -> str:
        last = looping.variables[-1]
        return self.origins.get(last, "") or last

    def _frame(self) -> Frame:
        return Frame(scope=dict(self.scope), origins=dict(self.origins))

    def complete(self) -> None:
        """Add to `root` the parts that were not needed, within half of the steps that are left."""
        if self.root is not None and self.budget.left > 0:
            spare = Budget(self.budget.left // 2)
            had = spare.left
            self.root = _Completion(trace=self, spare=spare, room=MOST_STEPS - self.root.size).of(self.root)
            self.budget.left -= had - max(spare.left, 0)


@dataclass(slots=True, kw_only=True)
class _Completion:
    """What is left to complete a tree with: steps of evaluation (`spare`) and of the tree (`room`)."""

    trace: Trace
    spare: Budget
    room: int

    def of(self, step: Step) -> Step:
        """Return `step` with the parts that were not needed in it."""
        parts = [self.of(part) for part in step.parts]
        if step.frame is not None:
            parts = self._with_skipped(step.node, parts, step.frame)
        return replace(step, parts=tuple(parts), frame=None)

    def _with_skipped(self, node: Node, parts: list[Step], frame: Frame) -> list[Step]:
        known = {id(part.node): part for part in parts}
        return [
            known[id(child)] if id(child) in known else self._skipped(child, frame)
            for child in children(node)
            if not isinstance(child, Literal)
        ]

    def _skipped(self, node: Node, frame: Frame) -> Step:
        trace = Trace(
            context=self.trace.context,
            budget=self.spare,
            types=self.trace.types,
            scope=dict(frame.scope),
            origins=dict(frame.origins),
        )
        with suppress(Failure):
            settled(trace, node)
        root = trace.root or Step(node=node, failure=exhausted())
        self.room -= root.size
        unknown = root.failure is not None and root.failure.code == "budget"
        if unknown or self.room < 0:
            root = replace(root, parts=(), size=1, frame=None)
        return replace(self.of(root), needed=False)


def _rounds(looping: Macro, siblings: list[Step]) -> list[Step]:
    """Return the rounds among what is kept of a loop."""
    return [each for each in siblings if each.node is not looping.target]


def _is_enough(looping: Macro, siblings: list[Step]) -> bool:
    """Return whether enough rounds of a loop are kept to show what it does."""
    return len(_rounds(looping, siblings)) >= _SAMPLES


def _is_kept(looping: Macro, value: object, failure: Failure | None, siblings: list[Step]) -> bool:
    """Return whether a round of a loop tells something that the kept ones do not."""
    if failure is not None:
        return all(each.failure is None for each in _rounds(looping, siblings))
    decisive = looping.name == "exists"
    if looping.name in {"all", "exists"} and value is decisive:
        return True
    return not _is_enough(looping, siblings)


def _skipped(node: Node, parts: tuple[Step, ...]) -> bool:
    """Return whether an operand of `node` has no step; constants never have one."""
    if not isinstance(node, _SKIPPING):
        return False
    return len(parts) < sum(not isinstance(child, Literal) for child in children(node))
