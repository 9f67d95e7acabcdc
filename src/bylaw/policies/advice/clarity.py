"""Checks for what is hard to follow or says more than it needs: negations, exceptions, passives, length."""

import re
from collections.abc import Iterator
from typing import Final

from bylaw.policies.advice.checks import Check, Kind, each, phrases
from bylaw.policies.advice.model import Issue
from bylaw.policies.advice.reading import Reading
from bylaw.policies.advice.words import WORD

LONG_SENTENCE: Final = 40  # words
LONG_TEXT: Final = 150

_DOUBLE_NEGATIVE: Final = Kind(
    type="clarity",
    code="double_negative",
    severity="medium",
    description="“{}” denies twice, which readers resolve in both directions.",
    suggestion="Say it without a negation: what is required, or what is allowed.",
)
_EXCEPTIONS: Final = Kind(
    type="clarity",
    code="exception_chain",
    severity="medium",
    description="Exceptions stand inside exceptions here; which of them wins is open.",
    suggestion="Write the main rule as one sentence, and each exception as a sentence of its own.",
)
_PASSIVE: Final = Kind(
    type="clarity",
    code="no_agent",
    severity="low",
    description="“{}” does not say who has to do it.",
    suggestion="Name who acts: “the agent does …”, or add “by a manager”.",
)
_LONG_SENTENCE: Final = Kind(
    type="clarity",
    code="long_sentence",
    severity="medium",
    description=f"This sentence has more than {LONG_SENTENCE} words.",
    suggestion="Split it: one condition and one consequence a sentence.",
)
_LANGUAGE: Final = Kind(
    type="clarity",
    code="other_language",
    severity="none",
    description="These checks know English only, and this seems to be another language: it is not scored.",
    suggestion="Keep the language that your agents' users speak; ask a second reader to review the wording.",
)
_FILLER: Final = Kind(
    type="verbosity",
    code="filler",
    severity="low",
    description="“{}” adds words and no meaning.",
    suggestion="Leave out “{}”, or use the shorter word for it.",
)
_LONG_TEXT: Final = Kind(
    type="verbosity",
    code="long_text",
    severity="medium",
    description=f"A rule of more than {LONG_TEXT} words is hard to hold in mind, for people and for models.",
    suggestion="Keep what decides a case; move background to the description, other matters to other rules.",
)
_REPETITION: Final = Kind(
    type="verbosity",
    code="repetition",
    severity="low",
    description="“{}” says again what an earlier sentence says.",
    suggestion="Keep one of the two sentences.",
)
_CUT: Final = Kind(
    type="verbosity",
    code="not_read",
    severity="high",
    description="The text is longer than this review reads; what follows here was not looked at.",
    suggestion="Shorten the rule to what decides a case, or split it into several rules.",
)

_BE_DONE: Final = re.compile(
    r"\b(?:must|should|shall|may|can|will|has to|have to|needs? to|ought to)"
    r"(?: not| never| only| always| also| first)* be (?:\w+ly )?"
    r"(?:(?!need)\w{2,}ed|done|made|given|sent|shown|kept|held|paid|taken|written|told|sold|put|cut|run|set)\b",
    re.IGNORECASE,
)
_IF: Final = re.compile(r"\b(?:if|when|whenever|in case)\b", re.IGNORECASE)


def _exception_chains(reading: Reading) -> Iterator[Issue]:
    for sentence in reading.sentences:
        exceptions = sum(1 for _ in phrases(_EXCEPTIONS.code).finditer(sentence.text))
        conditions = sum(1 for _ in _IF.finditer(sentence.text))
        if exceptions >= 2 or conditions >= 4:
            yield _EXCEPTIONS.of(sentence, severity="high" if exceptions >= 3 else "medium")


def _passives(reading: Reading) -> Iterator[Issue]:
    for sentence in reading.sentences:
        for found in _BE_DONE.finditer(sentence.text):
            if not re.search(r"\b(?:by|automatically)\b", sentence.text[found.start() :], re.IGNORECASE):
                yield _PASSIVE.at(sentence.start + found.start(), found[0])


def _long_sentences(reading: Reading) -> Iterator[Issue]:
    for sentence in reading.sentences:
        if sentence.words > LONG_SENTENCE:
            yield _LONG_SENTENCE.of(sentence, severity="high" if sentence.words > 2 * LONG_SENTENCE else None)


def _long_texts(reading: Reading) -> Iterator[Issue]:
    if reading.words > LONG_TEXT:
        severe = reading.words > 3 * LONG_TEXT
        yield _LONG_TEXT.at(0, reading.text, severity="high" if severe else None)


def _repetitions(reading: Reading) -> Iterator[Issue]:
    seen: set[tuple[str, ...]] = set()
    for sentence in reading.sentences:
        said = tuple(found[0].casefold() for found in WORD.finditer(sentence.text))
        if said in seen and len(said) >= 2:
            yield _REPETITION.of(sentence)
        seen.add(said)


def _cut(reading: Reading) -> Iterator[Issue]:
    if reading.is_cut:
        yield _CUT.at(len(reading.text), "")


def _language(reading: Reading) -> Iterator[Issue]:
    if not reading.is_english:
        yield _LANGUAGE.at(0, reading.text)


CHECKS: Final[tuple[Check, ...]] = (
    each(_DOUBLE_NEGATIVE),
    _exception_chains,
    _passives,
    _long_sentences,
    each(_FILLER),
    _long_texts,
    _repetitions,
)
# What can be said about a text in any language.
ANY_LANGUAGE: Final[tuple[Check, ...]] = (_language, _cut)
