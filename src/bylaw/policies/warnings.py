"""What is probably not meant in a policy that is legal all the same; a warning refuses nothing.

`other_phases`      a rule or condition reads what only some phases have, and the policy holds in others too
`misspelt_field`    a field that no request has, named like one that it has
`unclear_condition` a condition whose value nobody understands: it is undetermined whatever is asked
`idle_mask`         a mask of what is not shown in any phase in which the policy holds
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final, get_args

from bylaw.core.canonical_json import Json
from bylaw.core.errors import Problem
from bylaw.policies.facts import CALL_FIELDS, PHASES, ROOTS
from bylaw.policies.mask import SHOWN
from bylaw.policies.model import Content, DeterministicRule, Mask, Phase
from bylaw.policies.reader import join
from bylaw.rules import Rule
from bylaw.rules import compile as compile_rule
from bylaw.rules.conditions import Conditions, compile_conditions
from bylaw.rules.paths import offset_of
from bylaw.rules.place import Position, position
from bylaw.rules.spelling import Path

_NEAR: Final = 0.8
_MEANT: Final[Mapping[str, str]] = {
    "arguments": "tool_call.arguments",
    "args": "tool_call.arguments",
    "tool": "tool_call",
    "tool_name": "tool_call.name",
    "output": "agent_output",
}
_SPELLINGS: Final = frozenset(Path(root).canonical for root in ROOTS)


def warnings_about(
    content: Content, path: str = "", *, fields_are_declared: bool = False
) -> tuple[Problem, ...]:
    """Return what is probably not meant in `content`, which is usable; `path` is where it stands.

    Where the fields of rules are declared by a context schema, saving has checked their names already.
    """
    conditions = compile_conditions(content.conditions)
    rules = {
        join(path, f"rules[{index}].expr"): compile_rule(rule.expr)
        for index, rule in enumerate(content.rules)
        if isinstance(rule, DeterministicRule)
    }
    at = join(path, "conditions")
    shown = _keys_of_metadata(example.request for example in content.examples)
    found = [*_unclear(conditions, at), *_misspelt_keys(conditions, at, shown)]
    if not fields_are_declared:
        found += [warning for at, rule in rules.items() for _, warning in _misspelt(rule, at, shown)]
    found += _idle(content.mask, conditions, join(path, "mask"))
    # Conditions that leave a phase out leave it out for the rules too: only one of the two is to be mended.
    phases = list(_conditions_in_other_phases(conditions, at))
    return (*found, *(phases or _rules_in_other_phases(conditions, rules)))


def warnings_about_rule(rule: Rule) -> tuple[tuple[Position, Problem], ...]:
    """Return what is probably not meant in one rule, wherever it will stand, and where in its text."""
    return tuple(
        (position(rule.source, offset_of(rule.node, field)), warning)
        for field, warning in _misspelt(rule, "", frozenset())
    )


def _unclear(conditions: Conditions, at: str) -> Iterator[Problem]:
    for key in conditions.unclear:
        message = (
            "Nobody understands this value, so the condition is undetermined whatever is asked, and the"
            " policy is judged all the same. Give a value, a list of values, or operators such as gt and in."
        )
        yield Problem(path=join(at, key), code="unclear_condition", message=message)


def _idle(mask: Mask | None, conditions: Conditions, at: str) -> Iterator[Problem]:
    """Yield what a mask names and nobody is shown where the policy holds."""
    if mask is None:
        return
    shown = {part for phase in get_args(Phase) if _applies(conditions, phase) for part in SHOWN[phase]}
    named = {f"fields[{index}]": field.partition(".")[0] for index, field in enumerate(mask.fields)}
    idle = [name for name, part in named.items() if part not in shown]
    if mask.personal_data and not shown:
        idle.append("personal_data")
    for name in idle:
        message = (
            "This is shown in no phase in which the policy holds, so nothing is withheld. A phase shows"
            " what it is about: input, tool_result or output; a tool_call is sent, not shown."
        )
        yield Problem(path=join(at, name), code="idle_mask", message=message)


def _misspelt_keys(conditions: Conditions, at: str, shown: frozenset[str]) -> Iterator[Problem]:
    for key, fact in conditions.reads.items():
        root = fact.partition(".")[0]
        if root not in shown and fact != "text" and Path(root).canonical not in _SPELLINGS:
            yield from _suggested(root, join(at, key))


def _misspelt(rule: Rule, at: str, shown: frozenset[str]) -> Iterator[tuple[str, Problem]]:
    """Yield the fields that a rule reads and no request has, each with the warning about it."""
    for root in sorted({_root(field) for field in rule.fields} - {*ROOTS, *shown}):
        for warning in _suggested(root, at):
            yield root, warning
    for field in rule.fields:
        _, _, inner = field.partition("tool_call.")
        if inner and field.startswith("tool_call.") and _root(inner) not in CALL_FIELDS:
            near = get_close_matches(_root(inner), CALL_FIELDS, n=1)
            meant = f"tool_call.{near[0]}" if near else f"tool_call.arguments.{inner}"
            message = f"A call has a name, arguments and an id, no {_root(inner)}. Did you mean {meant}?"
            warning = Problem(path=at, code="misspelt_field", message=message)
            yield f"tool_call.{_root(inner)}", warning


def _suggested(root: str, at: str) -> Iterator[Problem]:
    """Yield the warning about a name if it resembles a field; any other may well be a key of metadata."""
    near = get_close_matches(Path(root).canonical, ROOTS, n=1, cutoff=_NEAR)
    meant = _MEANT.get(root, near[0] if near else "")
    if meant:
        message = (
            f"No request has a field {root}, so only a key of its metadata can be meant. Did you mean"
            f" {meant}? For a key of metadata write metadata.{root}."
        )
        yield Problem(path=at, code="misspelt_field", message=message)


def _conditions_in_other_phases(conditions: Conditions, at: str) -> Iterator[Problem]:
    for key, fact in conditions.reads.items():
        field = Path(fact.partition(".")[0]).canonical
        others = [phase for phase in _lacking(field) if fact in _missing(conditions, phase)]
        if others:
            message = (
                f"{_no_such(field, others)} there this condition is undetermined, and the policy is judged"
                f" all the same. Say in the conditions where it is meant: phase: {PHASES[field][0]}."
            )
            yield Problem(path=join(at, key), code="other_phases", message=message)


def _rules_in_other_phases(conditions: Conditions, rules: Mapping[str, Rule]) -> Iterator[Problem]:
    for at, rule in rules.items():
        for field in sorted({_root(read) for read in rule.fields}):
            others = [
                phase
                for phase in _lacking(field)
                if _applies(conditions, phase) and _root(rule.evaluate({"phase": phase}).path) == field
            ]
            if others:
                message = (
                    f"{_no_such(field, others)} there this rule is indeterminate, never satisfied. Say in the"
                    f" conditions where it is meant: phase: {PHASES[field][0]}."
                )
                yield Problem(path=at, code="other_phases", message=message)


def _lacking(field: str) -> tuple[Phase, ...]:
    """Return the phases whose requests do not have `field`."""
    having = PHASES.get(field, get_args(Phase))
    return tuple(phase for phase in get_args(Phase) if phase not in having)


def _missing(conditions: Conditions, phase: Phase) -> tuple[str, ...]:
    return conditions.evaluate({"phase": phase}, str).missing


def _applies(conditions: Conditions, phase: Phase) -> bool:
    return conditions.evaluate({"phase": phase}, str).state != "does_not_apply"


def _no_such(field: str, phases: list[Phase]) -> str:
    listed = " or ".join(filter(None, (", ".join(phases[:-1]), phases[-1])))
    return f"A request of phase {listed} has no {field}:"


def _root(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def _keys_of_metadata(requests: Iterable[Mapping[str, Json]]) -> frozenset[str]:
    """Return the keys that examples show to be in metadata."""
    found: set[str] = set()
    for request in requests:
        metadata = request.get("metadata")
        found.update(metadata if isinstance(metadata, Mapping) else ())
    return frozenset(found)
