"""An expression tried on recorded calls: what it would have said of each, with what was known then."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from bylaw import rules
from bylaw.core.errors import RuleSyntax
from bylaw.learning.mining.done import Call
from bylaw.learning.mining.model import MOST_SHOWN, Case, Tried
from bylaw.learning.mining.transcript import Transcript
from bylaw.policies.model import Expectation

_ONE_TOOL: Final = "tool_call.name != "  # a rule that begins so is about the calls of one tool
_SAMPLES: Final = 5
_DEEPEST: Final = 20
_MOST_ITEMS: Final = 50
_MOST_READ: Final = 20_000  # characters of a text: what is cut before it is masked may stay unmasked
_MOST_NUMBER: Final = 9_999_999  # a longer one names somebody or something


def compiles(expr: str) -> bool:
    """Return whether an expression is one: a field may be called as a word of the language is."""
    try:
        rules.compile(expr)
    except RuleSyntax:
        return False
    return True


def tried(expr: str, calls: Iterable[Call]) -> Tried:
    """Return what a rule says of calls as they were made."""
    rule = rules.compile(expr)
    found: dict[str, list[str]] = {"satisfied": [], "violated": [], "indeterminate": []}
    for each in calls:
        if _ONE_TOOL in expr and f'{_ONE_TOOL}"{each.call.name}"' not in expr:
            continue
        found[rule.evaluate(facts(each)).status].append(each.transcript.id)
    return Tried(
        satisfied=len(found["satisfied"]),
        violated=len(found["violated"]),
        undecided=len(found["indeterminate"]),
        samples=tuple(dict.fromkeys(found["violated"]))[:_SAMPLES],
    )


def facts(each: Call) -> dict[str, object]:
    """Return what a decision about a call would have known."""
    known: dict[str, object] = {
        "phase": "tool_call",
        "tool_call": {"name": each.call.name, "arguments": dict(each.call.arguments)},
        "tools_used": list(dict.fromkeys(call.name for call in each.before)),
    }
    if each.turn.text.strip():
        known["agent_output"] = each.turn.text
    asked = each.transcript.asked_before(each.turn.index)
    return known | ({"user_intent": asked} if asked else {})


def cases(expr: str, kept: Sequence[Call], broken: Sequence[Call]) -> tuple[Case, ...]:
    """Return a call that keeps to a rule and one that does not, masked, where the rule still says so."""
    rule = rules.compile(expr)
    found: list[Case] = []
    for each in kept:
        shown = _shown(facts(each), each.transcript)
        if rule.evaluate(shown).status == "satisfied":
            found.append(_case("as it was done", "pass", shown, each))
            break
    for each in broken:
        shown = _shown(facts(each), each.transcript)
        if rule.evaluate(shown).status == "violated":
            found.append(_case("as it should not be done", "violate", shown, each))
            break
    return tuple(found)


def _case(name: str, expect: Expectation, request: Mapping[str, object], of: Call) -> Case:
    return Case(name=name, expect=expect, request=request, conversation_id=of.transcript.id)


def _shown(known: Mapping[str, object], of: Transcript) -> dict[str, object]:
    return {name: value if name == "phase" else _masked(value, of, depth=0) for name, value in known.items()}


def _masked(value: object, of: Transcript, *, depth: int) -> object:
    """Return plain data with its texts and long numbers masked; names of fields and tools stay."""
    if isinstance(value, str):
        return of.masked(value[:_MOST_READ])[:MOST_SHOWN]
    if isinstance(value, (int, float)) and abs(value) > _MOST_NUMBER:
        return None
    if depth == _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {
            str(key): inner if key == "name" and depth == 0 else _field(str(key), inner, of, depth=depth + 1)
            for key, inner in islice(value.items(), _MOST_ITEMS)
        }
    if isinstance(value, list):
        return [_masked(inner, of, depth=depth + 1) for inner in value[:_MOST_ITEMS]]
    return value


def _field(key: str, value: object, of: Transcript, *, depth: int) -> object:
    """Return a field masked: what a name's field or a date of birth holds is withheld whole."""
    if isinstance(value, str) and ("name" in key.casefold() or key.casefold() in {"dob", "date_of_birth"}):
        return "[name]" if "name" in key.casefold() else "[date]"
    return _masked(value, of, depth=depth)
