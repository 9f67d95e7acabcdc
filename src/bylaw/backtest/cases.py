"""Cases beside policies: requests with what is expected of them, run against the files alone."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from bylaw.backtest.local import LocalPolicies
from bylaw.core.errors import BylawError
from bylaw.decisions.model import Decision, PolicyResult
from bylaw.decisions.request import read
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.evaluators.panel import Panel
from bylaw.evaluators.protocol import Batch, Reply
from bylaw.evaluators.scripted import ScriptedEvaluator
from bylaw.policies.packs.model import Case, WrittenPolicyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What became of a case: `misses` say in sentences what was not as expected; none means it passed."""

    name: str
    file: str
    line: int
    misses: tuple[str, ...]
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCoverage:
    """How often one rule came to which status over all cases."""

    policy: str
    rule: str
    statuses: dict[str, int]

    @property
    def is_tried(self) -> bool:
        """Whether some case saw it hold and some case saw it not hold."""
        return self.statuses.get("satisfied", 0) > 0 and any(
            self.statuses.get(status, 0) for status in ("violated", "flagged")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All cases of a folder, and what they covered."""

    results: tuple[CaseResult, ...]
    coverage: tuple[RuleCoverage, ...]

    @property
    def failed(self) -> int:
        """How many cases were not as expected."""
        return sum(bool(result.misses) for result in self.results)


class _Judge:
    """Answers rules as the case says, and otherwise as the offline evaluator does."""

    id = "cases"

    def __init__(self, answers: dict[str, object]) -> None:
        self._scripted = ScriptedEvaluator(answers)
        self._offline = OfflineEvaluator()
        self._answers = answers

    @property
    def digest(self) -> str:
        """What identifies it with its answers."""
        return self._scripted.digest

    async def evaluate(self, batch: Batch) -> Reply:
        """Return the case's answers, and the offline ones for the rest."""
        said = tuple(q for q in batch.questions if q.text in self._answers)
        rest = tuple(q for q in batch.questions if q.text not in self._answers)
        scripted = await self._scripted.evaluate(replace(batch, questions=said))
        offline = await self._offline.evaluate(replace(batch, questions=rest))
        return replace(offline, answers=[*scripted.answers, *offline.answers])


async def run_cases(policies: LocalPolicies, cases: Sequence[Case]) -> Run:
    """Return what became of every case, in order, with the coverage of rules."""
    results = [await _run(policies, case) for case in cases]
    seen: Counter[tuple[str, str, str]] = Counter()
    for result in results:
        for policy in () if result.decision is None else result.decision.policies:
            seen.update((policy.id, rule.id, rule.status) for rule in policy.rules)
    coverage = tuple(
        RuleCoverage(
            policy=policy,
            rule=rule,
            statuses={s: n for (p, r, s), n in sorted(seen.items()) if (p, r) == (policy, rule)},
        )
        for policy, rule in policies.rules()
    )
    return Run(results=tuple(results), coverage=coverage)


async def _run(policies: LocalPolicies, case: Case) -> CaseResult:
    def ended(decision: Decision | None, misses: Iterator[str]) -> CaseResult:
        name, line = case.written.name, case.line
        return CaseResult(name=name, file=case.file, line=line, misses=tuple(misses), decision=decision)

    unknown = list(_unknown(policies, case))
    if unknown:
        return ended(None, iter(unknown))
    wording = policies.wording()
    verdicts = {} if isinstance(case.written.verdicts, msgspec.UnsetType) else case.written.verdicts
    answers: dict[str, object] = {wording[key]: said for key, said in verdicts.items()}
    model = ScriptedEvaluator(answers) if answers else None
    engine = policies.engine(Panel(offline=_Judge(answers), model=model))
    try:
        decision = await engine.decide(read({"dry_run": True, **case.written.request}), policies.caller)
    except BylawError as error:
        return ended(None, iter([f"The request was refused: {error.message}"]))
    return ended(decision, _misses(case, decision))


def _unknown(policies: LocalPolicies, case: Case) -> Iterator[str]:
    """Yield what the case names and the folder does not hold: a typing error must not pass."""
    expected = case.written.expect.policies
    for slug in () if isinstance(expected, msgspec.UnsetType) else expected:
        if not policies.knows(slug):
            yield f"There is no policy {slug!r} in this folder."
    verdicts = case.written.verdicts
    wording = policies.wording()
    for key in () if isinstance(verdicts, msgspec.UnsetType) else verdicts:
        if key not in wording:
            yield f"There is no rule in words {key!r} in this folder; write policy-key/rule-id."


def _misses(case: Case, decision: Decision) -> Iterator[str]:
    expect = case.written.expect
    yield from _miss("outcome", expect.outcome, decision.outcome, decision.reasons)
    yield from _miss("compliant", expect.compliant, decision.compliant, decision.reasons)
    masked = {} if isinstance(decision.masked, msgspec.UnsetType) else decision.masked
    yield from _miss("masked", expect.masked, masked)
    found = {policy.id: policy for policy in decision.policies}
    for slug, wanted in {} if isinstance(expect.policies, msgspec.UnsetType) else expect.policies.items():
        yield from _policy_misses(slug, wanted, found.get(slug))


def _policy_misses(slug: str, wanted: WrittenPolicyResult, found: PolicyResult | None) -> Iterator[str]:
    yield from _miss(f"{slug} applies", wanted.applies, found is not None)
    if found is None:
        if not isinstance(wanted.outcome, msgspec.UnsetType) or wanted.rules:
            yield f"{slug}: it did not apply, so it came to nothing."
        return
    yield from _miss(f"{slug} outcome", wanted.outcome, found.outcome)
    rules = {rule.id: rule for rule in found.rules}
    for ident, status in {} if isinstance(wanted.rules, msgspec.UnsetType) else wanted.rules.items():
        rule = rules.get(ident)
        if rule is None:
            yield f"{slug}/{ident}: there is no such rule."
        else:
            said = [text for text in (rule.code, rule.path, rule.message) if text]
            yield from _miss(f"{slug}/{ident}", status, rule.status, said)


def _miss(what: str, wanted: object, found: object, because: Sequence[str] = ()) -> Iterator[str]:
    if not isinstance(wanted, msgspec.UnsetType) and wanted != found:
        yield f"{what}: expected {wanted}, found {found}" + (f" ({'; '.join(because)})" if because else "")
