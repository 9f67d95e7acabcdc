"""Reports of runs without the words of conversations that were forgotten."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bylaw.learning.report import Finding, Report

FORGOTTEN: Final = "[forgotten]"  # stands where words of a forgotten conversation stood


def without(report: Report, gone: frozenset[str]) -> Report:
    """Return a report without the words of forgotten conversations."""
    left = tuple(_left(each, gone) for each in report.findings)
    lost = [
        then.draft.text
        for then, now in zip(report.findings, left, strict=True)
        if now.draft.text != then.draft.text
    ]
    findings = [replace(each, notes=tuple(_cut(note, lost) for note in each.notes)) for each in left]
    return replace(report, findings=tuple(findings))


def _left(finding: Finding, gone: frozenset[str]) -> Finding:
    """Return a finding without what was forgotten; one that no policy holds may be nothing else."""
    draft = finding.draft
    if not draft.drawn_on & gone:
        return finding
    if finding.policy_id is None and gone.issuperset(draft.supports):
        bare = replace(draft, text=FORGOTTEN, expr="", topic="", quotes=(), examples=(), tried=None)
        return replace(finding, draft=bare, held_back="forgotten", because_of=None, notes=())
    quotes = (
        replace(each, text=FORGOTTEN) if each.conversation_id in gone else each for each in draft.quotes
    )
    known = (each for each in draft.examples if each.conversation_id not in gone | {""})
    return replace(finding, draft=replace(draft, quotes=tuple(quotes), examples=tuple(known)))


def _cut(note: str, lost: Sequence[str]) -> str:
    for each in lost:
        note = note.replace(each, FORGOTTEN)
    return note
