"""Rules about how long a text is, or how many of something it has."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Final

from bylaw.evaluators.offline.grammar import (
    ALWAYS,
    AT_LEAST,
    AT_MOST,
    MUST,
    NEVER,
    NOT,
    NUMBER,
    OVER,
    STOP,
    SUBJECT,
    UNDER,
    group,
    matches,
    number,
    wordings,
)
from bylaw.evaluators.offline.reading import Reader
from bylaw.evaluators.offline.shape import ABSTAINED, ASIDE, Ruling, Shape
from bylaw.evaluators.offline.subject import ANSWER, Subject, is_sent, subject_of
from bylaw.evaluators.patterns.forms import EMOJI, EMOJIS, LIKE_HOST, LINK
from bylaw.evaluators.protocol import EvaluatorBasis

Relation = Callable[[float, float], bool]
# How many there are at least, and at most; no limit when nobody can tell.
Range = tuple[int, float]

_ENDLESS: Final = float("inf")
# Of a longer text, what is counted is the least it has. What counting costs, in characters read.
_MOST_COUNTED: Final = 20_000
_COUNTING: Final = 4
_ABBREVIATED: Final = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|inc|ltd|co|corp|jr|sr|fig|dept|approx)|\b[a-z])$",
    re.IGNORECASE,
)
# A line that begins with some mark, number or letter of its own.
_MARKED: Final = re.compile(r"\s*(?:<li|[^\w\s\"'(\[]|[(\[]?\w{1,3}[.):\]])", re.IGNORECASE)
_RUNNING_ON: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)
# Stops of scripts whose sentences are not counted here, and letters of those that have none.
_OTHER_ENDS: Final = re.compile(
    "[\u037e\u0589\u061f\u06d4\u0964\u0965\u0e00-\u0fff\u1000-\u109f\u1362\u1367\u1780-\u17ff\u203c\u2047-\u2049"
    "\u2753-\u2757\uff0e\uff61]"
)


def _words(text: str) -> Range:
    least = len(re.findall(r"\w[\w'\u2019.,:/@&+-]*", text))
    most = len(re.findall(r"[^\W_]+|[$%&+=/#@<>*~^\u2013\u2014-]", text))
    return least, _ENDLESS if _RUNNING_ON.search(text) else most


def _sentences(text: str) -> Range:
    if _OTHER_ENDS.search(text):
        return 0, _ENDLESS
    least, ends = 0, 0
    for found in re.finditer(
        r"(?<![.!?\u2026])[.!?\u2026]++[\"')\]*_\u201d\u2019]*+(?=\s|$)|[\u3002\uff01\uff1f]", text
    ):
        ends += 1
        after = text[found.end() : found.end() + 3].strip()
        is_clear = not after or after[0].isupper()
        least += is_clear and not _ABBREVIATED.search(text[max(0, found.start() - 8) : found.start()])
    last = (re.split("[.!?\u2026\u3002\uff01\uff1f]", line)[-1] for line in text.splitlines())
    endless = sum(re.search(r"\w", part) is not None for part in last)
    return least, ends + endless + text.count(";") + text.count(":")


def _characters(text: str) -> Range:
    bare = len(text.strip())
    return bare, len(text) + text.count("\n")


def _lines(text: str) -> Range:
    lines = [line for line in text.splitlines() if line.strip()]
    return len(lines), len(text.strip().splitlines())


def _paragraphs(text: str) -> Range:
    parts = [part for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
    return len(parts), max(len(parts), _lines(text)[0])


def _links(text: str) -> Range:
    sure = len(LINK.findall(text))
    others = len(LIKE_HOST.findall(LINK.sub(" ", text)))
    return sure, sure + others + text.count("](") + text.count("href")


def _emojis(text: str) -> Range:
    return len(EMOJIS.findall(text)), len(EMOJI.findall(text))


def _questions(text: str) -> Range:
    return len(re.findall(r"(?<![?\uff1f])[?\uff1f]++(?=\s|$)", text)), _ENDLESS


def _bullets(text: str) -> Range:
    sure = len(re.findall(r"^[ \t]*(?:[-*+\u2022]|\d{1,2}[.)])[ \t]+\S", text, re.MULTILINE))
    return sure, max(sure, sum(_MARKED.match(line) is not None for line in text.splitlines()))


def _exactly(*marks: str) -> Callable[[str], Range]:
    def count(text: str) -> Range:
        found = sum(map(text.count, marks))
        return found, found

    return count


_UNITS: Final[Mapping[str, Callable[[str], Range]]] = {
    "word": _words,
    "sentence": _sentences,
    **dict.fromkeys(("character", "letter"), _characters),
    "line": _lines,
    "paragraph": _paragraphs,
    **dict.fromkeys(("link", "url", "hyperlink"), _links),
    "emoji": _emojis,
    "question": _questions,
    **dict.fromkeys(("bullet point", "bullet"), _bullets),
    **dict.fromkeys(
        ("exclamation mark", "exclamation point"), _exactly("!", "\uff01", "\ufe57", "\u2755", "\u2757")
    ),
    "question mark": _exactly("?", "\uff1f", "\ufe56", "\u061f", "\u2753", "\u2754"),
}
_UNIT: Final = rf"(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})s?"
_BOUND: Final = (
    rf"(?:(?P<most>{AT_MOST}|not exceeding)|(?P<under>{UNDER})|(?P<least>{AT_LEAST})"
    rf"|(?P<over>{OVER})|(?P<same>exactly))"
)
_EACH: Final = (
    r"(?: (?:long|in length|each|total|in total|or less|or fewer|or shorter|maximum|max))?"
    rf"(?:,? (?:per|in (?:each|every|any|an?|one|your|the)|for (?:each|every)|at a time|at once)(?:"
    rf" {SUBJECT.replace('subject', 'where')})?)?"
)
_HAVING: Final = (
    r"(?:be|have|has|contain|include|use|stay|remain|fit|run to|consist of|exceed|ask|comprise)s?"
)
_DOING: Final = r"(?:answer|reply|respond|write|use|include|ask|give|send|insert|add|provide|have|keep)"
_PLAIN: Final = wordings(
    rf"{SUBJECT} (?:must|should|shall|has to|have to|may|can|needs to)(?: always| only)?"
    rf" (?:{_HAVING} )?(?:in |within |of )?{_BOUND} {NUMBER} {_UNIT}{_EACH}",
    rf"(?:please |always )?(?:keep|limit|restrict|hold|cap|shorten) {SUBJECT} (?:to |at"
    rf" )?(?:{_BOUND} )?{NUMBER} {_UNIT}{_EACH}",
    rf"(?:please |always )?{_DOING} (?:{SUBJECT} )??(?:in |with |using )?{_BOUND} {NUMBER} {_UNIT}{_EACH}",
    rf"{_BOUND} {NUMBER} {_UNIT}{_EACH}",
    rf"(?P<only>(?:only {_DOING}|{_DOING} only)) {NUMBER} {_UNIT}{_EACH}",
    rf"{SUBJECT} {MUST} (?:contain|include|have|use) (?P<some>an?) {_UNIT}",
    rf"{ALWAYS} {_DOING} (?P<some>an?) {_UNIT}{_EACH}",
)
_NEGATED: Final = wordings(
    rf"{SUBJECT} {NOT} (?:{_HAVING} )?(?:longer than |{_BOUND} ){NUMBER} {_UNIT}{_EACH}",
    rf"{SUBJECT} {NOT} (?P<exceed>exceed) {NUMBER} {_UNIT}{_EACH}",
    rf"{NEVER} (?:{_DOING}|answering|using|asking|include|write|go) (?:{SUBJECT} )?(?:in "
    rf"|with )?{_BOUND} {NUMBER} {_UNIT}{_EACH}",
    rf"{NEVER} (?P<exceed>exceed) {NUMBER} {_UNIT}{_EACH}",
)
# "with 3 links" may mean three of them, or more: a number alone is no bound.
_STOPPED: Final = wordings(
    rf"{STOP} (?:it )?(?:(?:if|when|whenever) )?{SUBJECT} (?:(?:that|which|if it|when it) )?(?:(?:is|are"
    rf"|has|have|contains?|includes?|uses?|containing|with|having|of) {_BOUND}|exceeds?|exceeding"
    rf"|longer than|(?:is|are) longer than) {NUMBER} {_UNIT}{_EACH}",
)
_RELATIONS: Final[Mapping[str, tuple[Relation, Relation, str, str]]] = {
    "most": (le, gt, "at most", "more than"),
    "under": (lt, ge, "fewer than", "at least"),
    "least": (ge, lt, "at least", "fewer than"),
    "over": (gt, le, "more than", "at most"),
    "same": (eq, eq, "exactly", "exactly"),
}
_NO_SHORT_COUNT: Final = frozenset({"question"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Decided when every way of counting is on one side of the number."""

    subject: Subject
    unit: str
    relation: Relation
    bound: float
    said: str

    name = "count"
    basis: EvaluatorBasis = "pattern"
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        return f"Counts the {self.unit}s of {self.subject.said}: {self.said} {self.bound:g}."

    @property
    def gap(self) -> str:
        """What it leaves to a judge."""
        return "A question without a question mark is not seen." if self.unit in _NO_SHORT_COUNT else ""

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        if self.subject.is_to_come(reader.facts, ("input", "tool_call")):
            return ASIDE
        said = self.subject.texts(reader.facts, in_calls=False)
        if not said.texts or not said.is_all:
            return ABSTAINED
        rulings = [await self._of(text, reader) for text in said.texts]
        for status in ("violated", "indeterminate"):
            found = next((ruling for ruling in rulings if ruling.status == status), None)
            if found is not None:
                return found
        return rulings[0]

    async def _of(self, text: str, reader: Reader) -> Ruling:
        await reader.spend(min(len(text), _MOST_COUNTED) * _COUNTING)
        least, most = _UNITS[self.unit](text[:_MOST_COUNTED])
        most = max(least, most) if len(text) <= _MOST_COUNTED else _ENDLESS
        if self.relation is eq and least != most and least <= self.bound <= most:
            return ABSTAINED
        kept = {self.relation(least, self.bound), self.relation(most, self.bound)}
        if len(kept) == 2:
            return ABSTAINED
        is_kept = kept == {True}
        said = f"It has {'' if is_kept else 'not '}{self.said} {self.bound:g} {self.unit}s."
        return Ruling(status="satisfied" if is_kept else "violated", rationale=said)


def read_count(wording: str) -> Shape | None:
    """Return the shape of a rule about how long a text is, or how many of something it has."""
    for patterns, is_negated in ((_STOPPED, True), (_NEGATED, True), (_PLAIN, False)):
        for found in matches(patterns, wording):
            usual = "over" if is_negated else "least" if group(found, "some") else "most"
            kind = next((name for name in _RELATIONS if group(found, name)), usual)
            plain, negated, said, otherwise = _RELATIONS[kind]
            named = group(found, "subject") or group(found, "where")
            subject = subject_of(named) if named else ANSWER
            if subject is not None and (patterns is not _STOPPED or is_sent(wording)):
                subject = subject.own
            if (
                subject is None
                or subject.kind in {"field", "conversation"}
                or (kind == "same" and is_negated)
            ):
                continue
            return Count(
                subject=subject,
                unit=found["unit"].lower(),
                relation=negated if is_negated else plain,
                bound=number(group(found, "number") or "one"),
                said=otherwise if is_negated else said,
            )
    return None
