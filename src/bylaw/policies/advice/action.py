"""Checks for what a rule asks to be done, by whom, about what: actions, wishes, effects, scope."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from bylaw.policies.advice.checks import Check, Kind, each, part, phrases
from bylaw.policies.advice.model import Issue
from bylaw.policies.advice.reading import Reading, Sentence
from bylaw.policies.advice.words import content_stems

_EMPTY: Final = Kind(
    type="actionability",
    code="empty",
    severity="high",
    description="There is nothing to follow here.",
    suggestion="Write what the agent must do, or must not do, and when.",
)
_NO_ACTION: Final = Kind(
    type="actionability",
    code="no_action",
    severity="high",
    description="Nobody is told to do or to leave anything.",
    suggestion="Begin with a verb, “Reject …”, “Ask …”, “Never send …”, or say who must do what.",
)
_WISH: Final = Kind(
    type="actionability",
    code="wish",
    severity="high",
    description="“{}” is a wish: no case shows for certain that it was not kept.",
    suggestion="Describe what an answer that keeps it contains or leaves out, instead of “{}”.",
)
_ONLY_AVOIDS: Final = Kind(
    type="actionability",
    code="only_avoids",
    severity="low",
    description="The rule says what to avoid and not what to do instead.",
    suggestion="Add what to do in that case: “refer … to …”, or “unless a manager has approved”.",
)
_SOFT: Final = Kind(
    type="actionability",
    code="unclear_effect",
    severity="medium",
    description="“{}” leaves open whether a case that does otherwise is stopped, flagged or fine.",
    suggestion="Write “must” or “Reject …” where it is to be stopped, “Flag …” where people look at it.",
)
_MANY_RULES: Final = Kind(
    type="scope",
    code="several_rules",
    severity="medium",
    description="The text holds several matters, which then pass or fail together.",
    suggestion="Make one rule of each matter, so that a decision can say which of them was broken.",
)
_NO_OBJECT: Final = Kind(
    type="scope",
    code="no_object",
    severity="medium",
    description="“{}” does not say what it is about, or in which cases.",
    suggestion="Add the object and the case: always or never what, to whom, when?",
)
_EVERYTHING: Final = Kind(
    type="scope",
    code="everything",
    severity="low",
    description="“{}” claims every case, most of which nobody thought of.",
    suggestion="Name the cases that “{}” is meant for: which topic, tool, customer or amount.",
)

# A first word that is followed as a verb is, such as "Wear a badge": nouns and determiners stand otherwise.
_IMPERATIVE: Final = re.compile(
    r"^(?!(?:the|an?|our|your|their|its|his|her|my|these|those|this|that|it|they|we|you|he|she|there|all|any|each"
    r"|every|some|no|not|and|or|but|if|in|on|at|for|with|of|by|from|to|as)\b)(?!\w+(?<!s)s\b)\w+ "
    r"(?:an?|the|all|any|each|every|no|your|their|its|to|as|in|on|at|with|by|from|only|it|them|up|out|off|back"
    r"|one|two|\d)\b",
    re.IGNORECASE,
)
# Other ways to ask for something: modals, what is forbidden or required, and who alone may.
_ASKED: Final = re.compile(
    r"\b(?:must|shall|should|may not|may only|cannot|can't|can only|has to|have to|never|always|don't)\b"
    r"|\bdo(?:es)? not\b|\brequires?\b|\b(?:needs?|wants) \w+|\bwill (?:not )?be \w+|\bwaits? for\b"
    r"|\b(?:is|are) (?:not |never |only |strictly )?(?:allowed|permitted|prohibited|forbidden|required|banned"
    r"|mandatory|blocked|rejected|flagged|refused|off limits)\b"
    r"|\bno (?:\w+ ){1,6}without\b|\bonly (?:\w+ ){1,5}(?:may|can)\b|\bat most \d|^no \w+",
    re.IGNORECASE,
)
# Where a verb stands that is an imperative.
_LEAD: Final = (
    r"(?:^|[,:;]\s+|\b(?:then|and|or|but|also|immediately|please|otherwise|instead|first|only|\w{2,12}ly)\s+)"
)
_CONCRETE: Final = re.compile(
    r"\d|[\"“'`]q|:\s|\b(?:if|when|before|after|within|unless|by \w+ing|for example|that is|i\.e)\b",
    re.IGNORECASE,
)
_SHOULD: Final = re.compile(r"\bshould(?: not|n't| never| always)?\b", re.IGNORECASE)
_FIRM: Final = re.compile(
    r"\b(?:must|never|always|reject|block|refuse|shall|required|flag|do not)\b", re.IGNORECASE
)
_AVOIDS: Final = re.compile(
    r"\b(?:never|do not|don't|avoid|must not|may not|cannot|can't|refrain)\b", re.IGNORECASE
)
_DECIDES: Final = re.compile(
    r"\b(?:not|never) (?:approve|allow|permit|accept|authori[sz]e)\b"
    r"|\b(?:reject|block|deny|flag|refuse|decline)\b"
    r"|\b(?:without|unless|until|before|instead|except|only|rather than|other than|more than|above|below)\b"
    r"|\b(?:beyond|over|outside|under|exceed(?:s|ing)?|longer than|less than)\b",
    re.IGNORECASE,
)
_ALONE: Final = re.compile(
    r"(?:please )?(?:always|never|must|do not|don't) (?:\w+)(?: (?:it|them|so|this|that))?", re.IGNORECASE
)
_FURTHER: Final = re.compile(
    r"(?:also|additionally|furthermore|moreover|in addition|besides|another|separately|lastly|finally)\b",
    re.IGNORECASE,
)


def _asks(text: str) -> bool:
    """Return whether something is asked for in `text`."""
    return bool(_ASKED.search(text) or _imperatives().search(text))


@cache
def _imperatives() -> re.Pattern[str]:
    return re.compile(rf"{_LEAD}(?:{part('verb')})\b", re.IGNORECASE)


def _actions(reading: Reading) -> Iterator[Issue]:
    if not reading.words:
        yield _EMPTY.at(0, reading.text)
    elif not any(
        _asks(sentence.text) or hopes.search(sentence.text)
        for sentence in reading.sentences
        for hopes in (_IMPERATIVE, phrases(_WISH.code), phrases(_SOFT.code))
    ):
        yield _NO_ACTION.at(0, reading.text)


def _wishes(reading: Reading) -> Iterator[Issue]:
    for sentence in reading.sentences:
        for found in phrases(_WISH.code).finditer(sentence.text):
            concrete = _CONCRETE.search(sentence.text)
            yield _WISH.at(sentence.start + found.start(), found[0], severity="low" if concrete else None)


def _only_avoids(reading: Reading) -> Iterator[Issue]:
    if (
        reading.sentences
        and all(_AVOIDS.search(sentence.text) for sentence in reading.sentences)
        and not any(_DECIDES.search(sentence.text) or _goes_on(sentence) for sentence in reading.sentences)
    ):
        yield _ONLY_AVOIDS.of(reading.sentences[0])


def _goes_on(sentence: Sentence) -> bool:
    """Return whether some part of the sentence asks for something, beside what is to be avoided."""
    return any(_asks(clause.strip()) and not _AVOIDS.search(clause) for clause in sentence.clauses()[1:])


def _weak_modals(reading: Reading) -> Iterator[Issue]:
    if not _FIRM.search(reading.text):
        for found in _SHOULD.finditer(reading.text):
            yield _SOFT.at(found.start(), found[0], severity="low")


def _no_objects(reading: Reading) -> Iterator[Issue]:
    for sentence in reading.sentences:
        bare = sentence.text.rstrip(".!;?, ")
        if _ALONE.fullmatch(bare):
            yield _NO_OBJECT.at(sentence.start, bare)


def _several_rules(reading: Reading) -> Iterator[Issue]:
    """Matters are sentences that ask for something, joined where they share a word that carries meaning."""
    matters: list[set[str]] = []
    asking = [sentence for sentence in reading.sentences if _asks(sentence.text)]
    for sentence in asking:
        stems = set(content_stems(sentence.text))
        joined = [matter for matter in matters if matter & stems]
        matters = [matter for matter in matters if not matter & stems]
        matters.append(stems.union(*joined))
    further = any(_FURTHER.match(sentence.text) for sentence in asking[1:])
    if len(matters) >= 3 or (len(matters) == 2 and further) or len(asking) >= 6:
        yield _MANY_RULES.at(reading.sentences[0].start, reading.text[reading.sentences[0].start :].rstrip())


CHECKS: Final[tuple[Check, ...]] = (
    _actions,
    _wishes,
    _only_avoids,
    each(_SOFT),
    _weak_modals,
    _several_rules,
    _no_objects,
    each(_EVERYTHING),
)
