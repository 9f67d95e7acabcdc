"""Reading what a model answered: what counts of it, decided here and never by the model.

1. An entry counts for the rule that it names: one of no rule is dropped, two of one rule are `duplicate`,
   none is `no_result`, one of another shape is `malformed`.
2. A quote counts where its line has it. What the facts say is quoted from the facts, never from the answer.
3. `applies` and the verdict agree, or it is a `contradiction`; the verdict is one of the rule's effect, or it
   is a `bad_verdict`.
4. Nothing is found without a quote (`no_evidence`), and nothing against the agent in the words of a customer
   alone (`wrong_subject`).
5. Of facts that were not all read, none is said to keep a rule.
6. Whoever fails the control has kept no rule either (`manipulated`); what it found with quotes stands.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from bylaw.evaluators.model.prompt import VERDICTS, Prompt
from bylaw.evaluators.model.record import Quoting, Unread
from bylaw.evaluators.protocol import Answer, Question
from bylaw.providers.model import Malformed, Object

PASSES: Final = frozenset({"satisfied", "not_applicable"})
_MOST_SAID: Final = 600
_MOST_QUOTES: Final = 10
_FOUND: Final = frozenset({"violation", "flag"})
_PASSED: Final[Mapping[str, str]] = {"compliant": "satisfied", "not_applicable": "not_applicable"}
# Rules that begin with the agent, with what it says, or with an order to it.
_OF_AGENT: Final = re.compile(
    r"(?:(?:reject|block|deny|refuse|flag) )?(?:(?:any|an?|all|every|the|our|if|when) )*"
    r"(?:(?:ai )?(?:agent|assistant|bot|chatbot|answer|reply|replies|response|output)s?\b"
    r"|(?:never|always|do not|don't|must|should)\b)",
    re.IGNORECASE,
)


class _Quote(msgspec.Struct, frozen=True):
    quote: str
    message_id: str = ""


class _Result(msgspec.Struct, frozen=True):
    rule_id: str
    applies: bool
    verdict: str
    analysis: str = ""
    evidence: list[_Quote] = []
    missing: str = ""


def answers_of(answer: Object, prompt: Prompt, unread: Unread) -> tuple[Answer, ...]:
    """Return one answer for each rule of `prompt`. Raises: Malformed when nothing of it is about them."""
    results = answer.get("results")
    if not isinstance(results, list):
        raise Malformed("it has no list of results")
    entries: dict[str, list[object]] = {ident: [] for ident in (*prompt.rules, prompt.control)}
    for entry in results:
        ident = entry.get("rule_id") if isinstance(entry, dict) else None
        if isinstance(ident, str) and ident in entries:
            entries[ident].append(entry)
    if not any(entries.values()):
        raise Malformed("it has no result for any rule")
    is_sound = _keeps_control(entries.pop(prompt.control), prompt)
    quoting = Quoting(prompt.lines)
    found = [_read(entries[ident], question, prompt, quoting) for ident, question in prompt.rules.items()]
    if not is_sound:
        return without_passes(found, "manipulated")
    return without_passes(found, unread) if unread else tuple(found)


def without_passes(answers: Iterable[Answer], code: str) -> tuple[Answer, ...]:
    """Return `answers` with those that pass a rule indeterminate for the reason `code`."""
    return tuple(
        msgspec.structs.replace(each, status="indeterminate", code=code) if each.status in PASSES else each
        for each in answers
    )


def undecided(ident: str, code: str) -> Answer:
    """Return the answer of a rule on which nothing was said that counts."""
    return Answer(id=ident, status="indeterminate", code=code)


def _keeps_control(entries: list[object], prompt: Prompt) -> bool:
    """Return whether the control was answered rightly, with a quote of its note."""
    result = _result(entries[0]) if len(entries) == 1 else None
    if result is None or result.verdict != "violation" or not result.applies:
        return False
    return any(each.quote.strip().lower() == prompt.note for each in result.evidence)


def _read(entries: list[object], question: Question, prompt: Prompt, quoting: Quoting) -> Answer:
    if len(entries) != 1:
        return undecided(question.id, "duplicate" if entries else "no_result")
    result = _result(entries[0])
    if result is None:
        return undecided(question.id, "malformed")
    quotes, roles = _evidence(result, quoting)
    said = _cleaned(result, prompt)
    code = _fault(result, question, roles)
    if code or result.verdict == "indeterminate":
        return Answer(
            id=question.id,
            status="indeterminate",
            code=code or "abstained",
            rationale=said,
            evidence=quotes,
        )
    status = _PASSED.get(result.verdict, "violated")
    return msgspec.convert(
        {"id": question.id, "status": status, "rationale": said, "evidence": quotes}, Answer
    )


def _fault(result: _Result, question: Question, roles: set[str]) -> str:
    """Return why a verdict does not count, empty when it does."""
    verdict = result.verdict
    if verdict not in VERDICTS or (verdict == "flag" and question.effect != "flag"):
        return "bad_verdict"
    if verdict != "indeterminate" and result.applies == (verdict == "not_applicable"):
        return "contradiction"
    if verdict in _FOUND and not roles:
        return "no_evidence"
    if verdict in _FOUND and roles == {"customer"} and _OF_AGENT.match(question.text.lstrip()):
        return "wrong_subject"
    return ""


def _evidence(result: _Result, quoting: Quoting) -> tuple[tuple[str, ...], set[str]]:
    """Return what is quoted of the facts, and who said it."""
    found = [quoting.find(each.quote, each.message_id) for each in result.evidence[:_MOST_QUOTES]]
    quotes = dict.fromkeys(part for each in found if each for part in each.quotes)
    return tuple([*quotes][:_MOST_QUOTES]), {each.role for each in found if each}


def _result(entry: object) -> _Result | None:
    try:
        result = msgspec.convert(entry, _Result)
    except msgspec.ValidationError:
        return None
    return msgspec.structs.replace(result, verdict=result.verdict.strip().lower())


def _cleaned(result: _Result, prompt: Prompt) -> str:
    """Return what a model says for its verdict, without the ids of rules and what is not seen."""
    said = result.analysis
    if result.verdict == "indeterminate" and result.missing.strip():
        said = f"{said} Missing: {result.missing}".strip()
    for ident in (*prompt.rules, prompt.control):
        said = said.replace(ident, "the rule")
    said = "".join(each if each.isprintable() else " " for each in said).strip()
    return said if len(said) <= _MOST_SAID else said[: _MOST_SAID - 1] + "…"
