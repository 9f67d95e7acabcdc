"""Checks for what readers understand differently: vague words, open limits, references, contradictions."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from bylaw.policies.advice.checks import Check, Kind, each, phrases
from bylaw.policies.advice.model import Issue, Severity
from bylaw.policies.advice.reading import Reading, Sentence
from bylaw.policies.advice.words import content_stems

_MOST_CLAUSES: Final = 60  # so many are compared, each with each

_VAGUE: Final = Kind(
    type="ambiguity",
    code="vague_word",
    severity="medium",
    description="“{}” leaves open what counts: two readers would decide the same case differently.",
    suggestion="Replace “{}” by a number, a list, or a test that two people would answer alike.",
)
_OPEN_LIMIT: Final = Kind(
    type="ambiguity",
    code="open_limit",
    severity="medium",
    description="“{}” implies a limit without saying which.",
    suggestion="Give the number and its unit instead of “{}”, such as “above 100 EUR” or “within 24 hours”.",
)
_NO_UNIT: Final = Kind(
    type="ambiguity",
    code="no_unit",
    severity="low",
    description="“{}” is a number without a unit.",
    suggestion="Say what “{}” counts: EUR, percent, days, items.",
)
_REFERENCE: Final = Kind(
    type="ambiguity",
    code="open_reference",
    severity="medium",
    description="“{}” points to something that is not in this text, and a rule is judged alone.",
    suggestion="Name in the rule itself what “{}” stands for.",
)
_CONTRADICTION: Final = Kind(
    type="ambiguity",
    code="contradiction",
    severity="high",
    description="“{}” asks for the opposite of an earlier statement.",
    suggestion="Keep one of the two statements, or say under which condition each of them holds.",
)

_DEFINED: Final = re.compile(
    r"[\w\s,-]{0,30}(?:\bmeans?\b|\bdefined as\b|\bi\.e\.|\bthat is\b|\([^)\n]{0,60}\d|:\s)"
)

_NUMBER: Final = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|fifty|hundred|thousand)\b"
    r"|\bhalf\b",
    re.IGNORECASE,
)
_BARE_NUMBER: Final = re.compile(
    r"\b(?:above|over|under|below|more than|less than|at least|at most|up to|exceeds?|maximum of|minimum of)"
    r" \d++(?:[.,]\d++)*+(?=[.,;]?\s*(?:$|[.;,]"
    r"|(?:and|or|without|unless|if|must|should|needs?|until|before|after|when|while)\b))",
    re.IGNORECASE,
)

_PRONOUN: Final = re.compile(
    r"(?:always |never |please )?(?:it|this|that|these|those|they|he|she|them)\s+"
    r"(?:is|are|must|should|shall|may|can|cannot|will|does|do|has|have|appl(?:y|ies)|needs?|also|only"
    r"|never|always)\b(?!\s+(?:not\s+)?(?:required|forbidden|prohibited|allowed|permitted|important)\b)"
    r"|(?:always|never|please|do not|don't)\s+\w+\s+(?:it|them|this|that)"
    r"(?=\s*(?:$|[.,;!]|(?:to|by|when|if|with|in|for|before|after)\b))",
    re.IGNORECASE,
)

_DENIES: Final = re.compile(
    r"\b(?:not|never|no|cannot|avoid|refuse|reject|deny|block|forbidden|prohibited|without)\b|n't\b",
    re.IGNORECASE,
)
_WEAK_STEMS: Final = frozenset(
    [*content_stems("agent assistant bot avoid refuse reject deny block forbidden prohibited ever also")]
)


def _vague_words(reading: Reading) -> Iterator[Issue]:
    vague: Sequence[tuple[str, Severity]] = ((_VAGUE.code, "medium"), ("hedge", "low"))
    for name, severity in vague:
        for found in phrases(name).finditer(reading.text):
            if not _DEFINED.match(reading.text, found.end()):
                yield _VAGUE.at(found.start(), found[0], severity=severity)


def _open_limits(reading: Reading) -> Iterator[Issue]:
    for sentence in reading.sentences:
        if not _NUMBER.search(sentence.text):
            for found in phrases(_OPEN_LIMIT.code).finditer(sentence.text):
                yield _OPEN_LIMIT.at(sentence.start + found.start(), found[0])
        for found in _BARE_NUMBER.finditer(sentence.text):
            yield _NO_UNIT.at(sentence.start + found.start(), found[0])


def _open_references(reading: Reading) -> Iterator[Issue]:
    yield from each(_REFERENCE)(reading)
    if reading.sentences:
        first = reading.sentences[0]
        pronoun = _PRONOUN.match(first.text)
        if pronoun:
            yield _REFERENCE.at(first.start, pronoun[0])


def _contradictions(reading: Reading) -> Iterator[Issue]:
    """A statement and its denial over the same words; different conditions or numbers are different words."""
    told: list[tuple[Sentence, str, bool, frozenset[str]]] = []
    for sentence in reading.sentences:
        for clause in sentence.clauses():
            stems = frozenset(content_stems(clause)) - _WEAK_STEMS
            if len(told) < _MOST_CLAUSES and len(stems) >= 2:
                told.append((sentence, clause, _DENIES.search(clause) is not None, stems))
    for (_, _, denied, before), (sentence, clause, denies, stems) in combinations(told, 2):
        if denied != denies and before == stems:
            yield _CONTRADICTION.at(sentence.start + sentence.text.find(clause), clause)


CHECKS: Final[tuple[Check, ...]] = (_vague_words, _open_limits, _open_references, _contradictions)
