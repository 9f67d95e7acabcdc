"""Rules that show in calls of tools: what agents always do before they change something, and what is refused.

A tool that only looks (`get_…`, `search_…`) changes nothing; every other one may. Only calls that were not
answered with an error count as habits.
"""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from bylaw.learning.mining.model import Kind, Quote
from bylaw.learning.mining.said import Saying, rules_in
from bylaw.learning.mining.transcript import Transcript, Turn
from bylaw.learning.model import ToolCall

_LOOKS: Final = re.compile(
    r"^(?:get|list|search|find|read|look|lookup|calculate|compute|think|check|fetch|query|view|show"
    r"|describe|count)(?:_|-|[A-Z]|$)"
)
_HANDS_OVER: Final = re.compile(r"transfer|escalat|hand_?(?:over|off)", re.IGNORECASE)
_ERROR: Final = re.compile(
    r"^\s*[{\"']*\s*(?:error|failed|refused|denied|forbidden|not allowed)\b", re.IGNORECASE
)
_YES: Final = re.compile(
    r"\b(?:yes|yeah|yep|confirm(?:ed)?|proceed|go ahead|please do|sure|correct|ok(?:ay)?|sounds good|that"
    r" works|do it"
    r"|agreed?|fine|perfect|absolutely|let's)\b",
    re.IGNORECASE,
)
_KIND_OF: Final = re.compile(r"^([a-z]{1,30}(?:_[a-z]{1,30}){0,4})_\d+$")
# What may stand in an expression as it is: a name of a tool, and a field of its arguments.
_NAME: Final = re.compile(r"[A-Za-z][\w.-]{0,63}", re.ASCII)
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_MOST_CALLS: Final = 20_000  # of all that is read
_MOST_BEFORE: Final = 100  # of the calls before one
_MOST_TOOLS: Final = 100
_MOST_FIELDS: Final = 20  # arguments of a tool, and fields in them
_FEWEST_CALLS: Final = 5
_FEWEST_AT_MOST: Final = 3  # calls that reach a limit but do not pass it
_MOSTLY: Final = 0.8
_NEARLY_ALWAYS: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call with where it was made, and the last calls before it in its conversation."""

    transcript: Transcript
    turn: Turn
    call: ToolCall
    before: tuple[ToolCall, ...]

    @property
    def is_refused(self) -> bool:
        """Whether its tool answered with an error."""
        return bool(_ERROR.match(self.call.result))

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return not _LOOKS.match(self.call.name) and not _HANDS_OVER.search(self.call.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What calls have in common: the conversations that keep to it, and those that do not."""

    kind: Kind
    text: str
    expr: str
    kept: tuple[Call, ...]
    broken: tuple[Call, ...] = ()


def calls_in(transcripts: Iterable[Transcript]) -> list[Call]:
    """Return the calls in order, as many as can be compared."""
    return [*islice(_calls_in(transcripts), _MOST_CALLS)]


def _calls_in(transcripts: Iterable[Transcript]) -> Iterator[Call]:
    for each in transcripts:
        before: deque[ToolCall] = deque(maxlen=_MOST_BEFORE)
        for turn in each.turns:
            for call in turn.calls:
                yield Call(transcript=each, turn=turn, call=call, before=tuple(before))
                before.append(call)


def refused_rules(calls: Iterable[Call]) -> Iterator[Saying]:
    """Yield the rules that tools give as reasons when they refuse a call."""
    for each in calls:
        if not each.is_refused:
            continue
        said = each.transcript.masked(
            re.sub(r"^[\s{\"']*error[\"']?\s*:?\s*[\"']?", "", each.call.result, flags=re.IGNORECASE)
        )
        for text in rules_in(said[:500]):
            quote = Quote(
                conversation_id=each.transcript.id,
                message=each.turn.index,
                speaker="tool",
                text=each.transcript.masked(each.call.result)[:500],
            )
            yield Saying(kind="refusal", text=text, quote=quote)


def habits(calls: Sequence[Call]) -> Iterator[Habit]:
    """Yield what calls that were not refused have in common, by the names of their tools."""
    changing = [each for each in calls if each.changes and not each.is_refused]
    by_tool: dict[str, list[Call]] = defaultdict(list)
    for each in changing:
        by_tool[each.call.name].append(each)
    yield from _confirmed(changing)
    yield from _alone(calls)
    common = sorted(by_tool, key=lambda name: (-len(by_tool[name]), name))[:_MOST_TOOLS]
    for name in sorted(common):
        made = by_tool[name]
        if len(made) >= _FEWEST_CALLS and _NAME.fullmatch(name):
            yield from _looked_up(name, made)
            yield from _limits(name, made)


def _confirmed(changing: Sequence[Call]) -> Iterator[Habit]:
    """Yield the habit to change something only after the customer said yes."""
    kept, broken = _split(
        changing, lambda each: bool(_YES.search(each.transcript.asked_before(each.turn.index)))
    )
    if _holds(kept, broken, _MOSTLY):
        tools = ", ".join(sorted({each.call.name for each in changing if _NAME.fullmatch(each.call.name)}))
        text = (
            "Before a call that changes something, tell the customer its details and wait for their explicit"
            f" confirmation ({tools})."
        )
        yield Habit(kind="habit", text=text, expr="", kept=kept, broken=broken)


def _alone(calls: Sequence[Call]) -> Iterator[Habit]:
    """Yield the habits of a turn: nothing said beside a call, and one call at a time."""
    firsts = list({(each.transcript.id, each.turn.index): each for each in reversed(calls)}.values())[::-1]
    kept, broken = _split(firsts, lambda each: not each.turn.text.strip())
    if _holds(kept, broken, _MOSTLY):
        yield Habit(
            kind="habit",
            text="Do not answer the customer in the turn in which a tool is called.",
            expr='tool_call == null || agent_output == null || agent_output == ""',
            kept=kept,
            broken=broken,
        )
    kept, broken = _split(firsts, lambda each: len(each.turn.calls) == 1)
    if _holds(kept, broken, _NEARLY_ALWAYS):
        yield Habit(kind="habit", text="Make one tool call at a time.", expr="", kept=kept, broken=broken)


def _looked_up(name: str, made: Sequence[Call]) -> Iterator[Habit]:
    """Yield the habit to look something up before it is changed: by an id that both calls are given."""
    for argument in _arguments(made, str):
        lookers = Counter(
            before.name for each in made for before in {b.name: b for b in _same(each, argument)}.values()
        )
        for looker, count in lookers.most_common(1):
            sought = partial(_is_looked_up, looker=looker, argument=argument)
            kept, broken = _split(made, sought)
            if _holds(kept, broken, _MOSTLY) and count >= _FEWEST_CALLS:
                yield Habit(
                    kind="habit",
                    text=f"Call {looker} with the same {argument} before {name}.",
                    expr=f'tool_call.name != "{name}" || tools_used.contains("{looker}")',
                    kept=kept,
                    broken=broken,
                )


def _is_looked_up(each: Call, *, looker: str, argument: str) -> bool:
    return any(before.name == looker for before in _same(each, argument))


def _arguments(made: Sequence[Call], kind: type) -> list[str]:
    """Return the arguments that most often hold values of a kind, by name."""
    held = Counter(
        key for each in made for key, value in each.call.arguments.items() if isinstance(value, kind)
    )
    return _most_common(held)


def _most_common(fields: Counter[str]) -> list[str]:
    known = [field for field in fields if _FIELD.fullmatch(field)]
    return sorted(sorted(known, key=lambda field: (-fields[field], field))[:_MOST_FIELDS])


def _same(each: Call, argument: str) -> Iterator[ToolCall]:
    """Yield the calls before that only look, and were given the same."""
    value = each.call.arguments.get(argument)
    for before in each.before:
        if (
            _LOOKS.match(before.name)
            and _NAME.fullmatch(before.name)
            and value is not None
            and before.arguments.get(argument) == value
        ):
            yield before


def _limits(name: str, made: Sequence[Call]) -> Iterator[Habit]:
    """Yield the limits that lists in arguments reach again and again, and never pass."""
    for argument in _arguments(made, list):
        lists = [
            (each, value) for each in made if isinstance(value := each.call.arguments.get(argument), list)
        ]
        where = f"tool_call.arguments.{argument}"
        most = max(len(value) for _, value in lists)
        at_most = [each for each, value in lists if len(value) == most]
        if most > 1 and len(at_most) >= _FEWEST_AT_MOST:
            yield Habit(
                kind="limit",
                text=f"Give {name} at most {most} {argument}.",
                expr=f'tool_call.name != "{name}" || size({where}) <= {most}',
                kept=tuple(at_most),
            )
        yield from _mixes(name, argument, lists)


def _mixes(name: str, argument: str, lists: Sequence[tuple[Call, list[object]]]) -> Iterator[Habit]:
    """Yield how many of a kind a list of things with ids (`gift_card_7`) holds at most."""
    counted = [(each, _kinds(value)) for each, value in lists]
    fields = Counter(field for _, kinds in counted for field in {field for field, _ in kinds})
    for field in _most_common(fields):
        mixed = [
            (each, kinds)
            for each, kinds in counted
            if sum(n for (f, _), n in kinds.items() if f == field) > 1
        ]
        for kind in sorted({k for _, kinds in mixed for f, k in kinds if f == field})[:_MOST_FIELDS]:
            holding = [(each, kinds[(field, kind)]) for each, kinds in mixed if (field, kind) in kinds]
            most = max(n for _, n in holding)
            at_most = tuple(each for each, n in holding if n == most)
            if len(at_most) >= _FEWEST_AT_MOST and len({each.transcript.id for each in at_most}) > 1:
                yield Habit(
                    kind="limit",
                    text=f"Give {name} at most {most} {kind.replace('_', ' ')} in {argument}.",
                    expr=(
                        f'tool_call.name != "{name}" || size(tool_call.arguments.{argument}.filter(each,'
                        f' each.{field}.startsWith("{kind}_"))) <= {most}'
                    ),
                    kept=at_most,
                )


def _kinds(value: Sequence[object]) -> Counter[tuple[str, str]]:
    """Return how many things of which kind a list holds, by the field of their ids."""
    return Counter(
        (field, found[1])
        for item in value
        if isinstance(item, Mapping)
        for field, inner in item.items()
        if isinstance(inner, str) and _FIELD.fullmatch(str(field)) and (found := _KIND_OF.match(inner))
    )


def _split(calls: Sequence[Call], keeps: Callable[[Call], bool]) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
    """Return the calls that keep to something, and the others."""
    kept = tuple(each for each in calls if keeps(each))
    return kept, tuple(each for each in calls if not keeps(each))


def _holds(kept: Sequence[Call], broken: Sequence[Call], share: float) -> bool:
    return len(kept) >= _FEWEST_CALLS and len(kept) >= share * (len(kept) + len(broken))
