"""What a replay came to, as data and as text, beside what is known of the recording."""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from bylaw.backtest.replay import Conversation, Decided
from bylaw.policies.model import Outcome
from bylaw.policies.outcomes import OUTCOMES, STOPS

WORDS = {"allow": "allowed", "flag": "flagged", "review": "held", "block": "blocked"}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One decided call: where it stands in the recording, what came of it, and why."""

    conversation: str
    message: int
    tool: str
    outcome: Outcome
    expected: bool | None
    refused: bool
    reasons: tuple[str, ...]
    rules: tuple[str, ...]


class ToolCount(msgspec.Struct, frozen=True, kw_only=True):
    """How the calls of one tool were decided."""

    tool: str
    allow: int
    flag: int
    review: int
    block: int


class RuleCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often one rule was not satisfied: `policy/rule`, split by what is known of the calls."""

    rule: str
    on_wrong: int
    on_right: int
    indeterminate: int


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How conversations that ended well or badly were treated: with no stop, with a hold, with a block."""

    ended_well: bool
    conversations: int
    untouched: int
    held: int
    blocked: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole replay.

    `false_blocks` and `false_holds` are calls known to be right; `caught` are calls known not to be among the
    right ones that were stopped; `passed` are those of them that were not.
    """

    conversations: int
    calls: int
    tools: tuple[ToolCount, ...]
    rules: tuple[RuleCount, ...]
    agreement: tuple[Agreement, ...]
    right: int
    wrong: int
    false_blocks: tuple[Line, ...]
    false_holds: tuple[Line, ...]
    caught: tuple[Line, ...]
    passed: tuple[Line, ...]
    lines: tuple[Line, ...]


def summarise(conversations: Sequence[Conversation], decided: Sequence[Decided]) -> Report:
    """Return the report of a replay."""
    lines = tuple(_line(item) for item in decided)
    right = [line for line in lines if line.expected is True]
    wrong = [line for line in lines if line.expected is False]
    return Report(
        conversations=len(conversations),
        calls=len(lines),
        tools=_by_tool(lines),
        rules=_by_rule(decided),
        agreement=tuple(_agreement(conversations, lines)),
        right=len(right),
        wrong=len(wrong),
        false_blocks=tuple(line for line in right if line.outcome == "block"),
        false_holds=tuple(line for line in right if line.outcome == "review"),
        caught=tuple(line for line in wrong if line.outcome in STOPS),
        passed=tuple(line for line in wrong if line.outcome not in STOPS),
        lines=lines,
    )


def _line(item: Decided) -> Line:
    return Line(
        conversation=item.call.conversation,
        message=item.call.message,
        tool=item.call.name,
        outcome=item.decision.outcome,
        expected=item.call.expected,
        refused=item.call.refused,
        reasons=item.decision.reasons,
        rules=tuple(name for name, _ in _unsatisfied(item)),
    )


def _unsatisfied(item: Decided) -> Iterator[tuple[str, str]]:
    for policy in item.decision.policies:
        for rule in policy.rules:
            if rule.status in {"violated", "flagged", "indeterminate"}:
                yield f"{policy.name}/{rule.id}", rule.status


def _by_tool(lines: Sequence[Line]) -> tuple[ToolCount, ...]:
    counts = Counter((line.tool, line.outcome) for line in lines)
    return tuple(
        ToolCount(tool=tool, **{outcome: counts[tool, outcome] for outcome in OUTCOMES})
        for tool in sorted({line.tool for line in lines})
    )


def _by_rule(decided: Sequence[Decided]) -> tuple[RuleCount, ...]:
    wrong: Counter[str] = Counter()
    right: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for item in decided:
        for name, status in _unsatisfied(item):
            if status == "indeterminate":
                unknown[name] += 1
            elif item.call.expected:
                right[name] += 1
            else:
                wrong[name] += 1
    names = sorted({*wrong, *right, *unknown})
    return tuple(
        RuleCount(rule=name, on_wrong=wrong[name], on_right=right[name], indeterminate=unknown[name])
        for name in names
    )


def _agreement(conversations: Sequence[Conversation], lines: Sequence[Line]) -> Iterator[Agreement]:
    for ended_well in (True, False):
        chosen = {c.id for c in conversations if c.success is ended_well}
        blocked = {line.conversation for line in lines if line.outcome == "block"} & chosen
        held = {line.conversation for line in lines if line.outcome == "review"} & chosen - blocked
        if chosen:
            yield Agreement(
                ended_well=ended_well,
                conversations=len(chosen),
                untouched=len(chosen) - len(blocked) - len(held),
                held=len(held),
                blocked=len(blocked),
            )


def text(report: Report) -> str:
    """Return the report for a terminal, without colour."""
    out = [f"{report.calls} consequential calls in {report.conversations} conversations", ""]
    out.append(f"{'tool':34}" + "".join(f"{WORDS[o]:>9}" for o in OUTCOMES))
    out += [
        f"{count.tool:34}{count.allow:9}{count.flag:9}{count.review:9}{count.block:9}"
        for count in report.tools
    ]
    if report.rules:
        out += ["", f"{'rule that was not satisfied':50}{'wrong':>8}{'right':>8}{'undecided':>11}"]
        out += [
            f"{count.rule:50}{count.on_wrong:8}{count.on_right:8}{count.indeterminate:11}"
            for count in report.rules
        ]
    if report.agreement:
        out += ["", f"{'conversations':26}{'number':>8}{'untouched':>11}{'held':>7}{'blocked':>9}"]
        out += [
            f"{'that ended well' if row.ended_well else 'that did not':26}{row.conversations:8}"
            f"{row.untouched:11}{row.held:7}{row.blocked:9}"
            for row in report.agreement
        ]
    if report.right + report.wrong:
        out += ["", _known(report)]
        out += _listing("Right calls that were blocked", report.false_blocks)
        out += _listing("Right calls that were held", report.false_holds)
        out += _listing("Other calls that were stopped", report.caught)
    return "\n".join(out) + "\n"


def _known(report: Report) -> str:
    return (
        f"Of {report.right} calls known to be right, {len(report.false_blocks)} were blocked and "
        f"{len(report.false_holds)} held; of {report.wrong} others, {len(report.caught)} were stopped "
        f"({sum(line.refused for line in report.caught)} of these the tool refused too) and "
        f"{len(report.passed)} passed."
    )


def _listing(title: str, lines: Sequence[Line]) -> Iterator[str]:
    if lines:
        yield f"\n{title}:"
    for line in lines:
        yield f"  {line.conversation} message {line.message}: {line.tool} -> {WORDS[line.outcome]}"
        yield from (f"      {reason}" for reason in line.reasons)
