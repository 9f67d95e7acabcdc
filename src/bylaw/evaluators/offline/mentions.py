"""Rules about what a text must not have, and what it must: words, phrases, kinds of data."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.offline.grammar import (
    ALWAYS,
    GIVES,
    MUST,
    NEVER,
    NOT,
    RAISE,
    SAYS,
    STOP,
    SUBJECT,
    TAIL,
    any_of,
    group,
    listed,
    matches,
    wordings,
)
from bylaw.evaluators.offline.reading import Found, Reader, is_read
from bylaw.evaluators.offline.shape import ABSTAINED, ASIDE, TOO_LONG, Ruling, Shape
from bylaw.evaluators.offline.subject import ANSWER, INTERACTION, Subject, is_sent, subject_of
from bylaw.evaluators.offline.things import Thing, Things, quoted_of, things_of
from bylaw.evaluators.patterns import MOST_QUOTES
from bylaw.evaluators.protocol import EvaluatorBasis
from bylaw.policies.model import Effect

_LIST: Final = r"(?P<what>.+?)"
_BANNED: Final = any_of(
    *listed("forbidden prohibited banned not_allowed not_permitted not_acceptable off.limits never_allowed")
)
_STAND: Final = (
    "(?:(?P<verb>appear|occur)|be (?P<gives>"
    + "|".join(listed("mentioned said used included shared disclosed revealed written present sent"))
    + "))"
)
_SHARING: Final = (
    "sharing|disclosure|disclosing|exposure|exposing|leaking|leakage|posting|transmission|sending|inclusion"
    "|exchange|release"
)
_STOPPED: Final = any_of(*listed("blocked rejected denied refused stopped declined"))
_RAISED: Final = any_of(*listed("flagged escalated reviewed reported")) + "(?: (?:to|by|for) [\\w -]{2,40})?"
_GOES: Final = (
    rf"(?:(?:{MUST} |is to )?(?:be )?{_RAISED}"
    r"|(?:goes|must go|should go) to (?:a |an |the |our )?[\w -]{2,30})"
)
_IT: Final = r"(?: (?:it|this|(?P<it>(?:the|this|any|an?|every) [\w ]{1,30}?)))?"
_FORBIDS: Final = wordings(
    rf"{STOP} {SUBJECT} (?:that|which|if it|when it|if they) {SAYS} {_LIST}{TAIL}",
    rf"{STOP} {SUBJECT} {SAYS} {_LIST}{TAIL}",
    rf"{STOP}{_IT} (?:if|when|whenever) {SUBJECT} {SAYS} {_LIST}{TAIL}",
    rf"(?:if|when|whenever) {SUBJECT} {SAYS} {_LIST}{TAIL},? (?:then )?{STOP}(?: (?:it|this|the [\w"
    rf" ]{{1,30}}))?",
    rf"{SUBJECT} {NOT} (?:{SAYS}|{GIVES}) {_LIST}{TAIL}",
    rf"(?P<own>{NEVER}) (?:{SAYS}|{GIVES}) {_LIST}{TAIL}",
    rf"(?P<own>(?:please )?avoid) {_LIST}{TAIL}",
    rf"(?P<others>{NEVER} (?:allow|permit)|{STOP}) (?:any |the )?(?:{_SHARING}) of {_LIST}{TAIL}",
    rf"{SUBJECT} (?:that |which )?{SAYS} {_LIST}{TAIL} (?:{MUST}|is to|are to|will) be {_STOPPED}",
    rf"{STOP} (?:any |all |every )?(?P<verb>mention)s? of {_LIST}{TAIL}",
    rf"{SUBJECT} {MUST} be free (?:of|from) {_LIST}",
    rf"{_LIST} {NOT} {_STAND}{TAIL}",
    rf"{_LIST} (?:is|are) {_BANNED}{TAIL}",
    rf"no (?:(?P<verb>mention)s? of |use of )?{_LIST}(?: (?:is|are) allowed)?{TAIL}",
    rf"{_BANNED} (?P<literal>words?|terms?|phrases?){TAIL}: ?{_LIST}",
)
_RAISES: Final = wordings(
    rf"{RAISE}{_IT} (?:if|when|whenever) {SUBJECT} {SAYS} {_LIST}{TAIL}",
    rf"(?P<others>{RAISE}) (?:any |all |every )?(?P<verb>mention)s? of {_LIST}{TAIL}",
    rf"(?P<others>any|each|every) (?P<verb>mention) of {_LIST}{TAIL} {_GOES}",
    rf"{RAISE} {SUBJECT} (?:that|which|if it|when it|if they|who) {SAYS} {_LIST}{TAIL}",
    rf"{RAISE} {SUBJECT} {SAYS} {_LIST}{TAIL}",
    rf"{SUBJECT} (?:that |which )?{SAYS} {_LIST}{TAIL} (?:{MUST}|is to|are to|will) be {_RAISED}",
    rf"(?:if|when|whenever) {SUBJECT} {SAYS} {_LIST}{TAIL},? (?:then )?(?P<then>{RAISE}(?: [\w'"
    rf" -]{{1,160}})?)",
)
_WANTS: Final = wordings(
    rf"{SUBJECT} {MUST} (?P<place>end with|close with|conclude with|start with|begin with|open with"
    rf"|{SAYS}) {_LIST}",
    rf"(?:{ALWAYS} )?(?P<place>end|close|conclude|start|begin|open|sign off|finish) (?:{SUBJECT} )?with"
    rf" {_LIST}",
    rf"{ALWAYS} (?P<place>{SAYS}|add|ask) {_LIST}{TAIL.replace('<place>', '<where>')}",
    rf"{STOP} {SUBJECT} (?:that|which|if it) (?:do not|does not|don't|doesn't) (?P<place>{SAYS}) {_LIST}",
)
_UNLESS: Final = re.compile(r"\b(?:unless|except|only|until|before|after|if|without)\b", re.IGNORECASE)
_OR: Final = re.compile(r"['\"],? or ['\"]", re.IGNORECASE)
_WITHOUT_WORDS: Final = (
    "Words without quotes may stand for a meaning: that none of them occurs shows nothing."
)
_EXAMPLES: Final = "These are examples: whether something else is there that is meant takes a judge."
_WHOSE: Final = "Whether data that is found is theirs cannot be told from the text."
_ANSWERED: Final = "Whether an answer to it does what the rule asks for takes a judge."


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """Kept when everything named is shown to be absent; `is_raised` rules ask for a person instead."""

    subject: Subject
    things: Things
    is_raised: bool = False
    effect: Effect = "reject"

    name = "mention"
    basis: EvaluatorBasis = "pattern"

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        each = "all of these" if self.things.joined else "one of these" if len(self.things.each) > 1 else "it"
        calls = " and in what it passes to tools" if self.subject.kind == "answer" else ""
        return f"Looks for {self.things.said} in {self.subject.said}{calls}; with {each}, the rule is broken."

    @property
    def gap(self) -> str:
        """What it leaves to a judge."""
        gaps = []
        if not all(thing.shown or thing.kind for thing in self.things.each):
            gaps.append(_WITHOUT_WORDS)
        unsure = [thing.said for thing in self.things.each if thing.kind and not thing.kind.is_complete]
        if unsure:
            gaps.append(f"That no {', '.join(unsure)} are recognised does not show that there are none.")
        if self.things.are_examples:
            gaps.append(_EXAMPLES)
        if any(thing.is_owned for thing in self.things.each):
            gaps.append(_WHOSE)
        if self.waits:
            gaps.append(_ANSWERED)
        return " ".join(gaps)

    @property
    def rewording(self) -> str:
        """The words in quotes, when they stand without."""
        if self.things.are_examples:
            return "List all that is meant, without 'such as'."
        if all(thing.shown for thing in self.things.each):
            return ""
        words = ", ".join(
            f"'{thing.words}'" if thing.kind is None else thing.said for thing in self.things.each
        )
        return f"Put the words in quotes to look for just these: {words}."

    @property
    def waits(self) -> bool:
        """Whether it asks to hand over what a customer says, rather than to say nothing like it."""
        return self.is_raised and self.effect == "reject" and self.subject.is_asked

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        if self.subject.is_to_come(reader.facts, ("input",)):
            return ASIDE
        said = self.subject.texts(reader.facts)
        if not said.texts:
            return ABSTAINED
        found = [await _find(thing, said.texts, reader) for thing in self.things.each]
        quotes = tuple(dict.fromkeys(itertools.chain.from_iterable(each.quotes for each in found)))
        if quotes:
            return self._found(quotes, found, reader)
        if not (said.is_all and all(each.shows_absence for each in found)):
            return ABSTAINED
        none = Ruling(status="satisfied", rationale=f"There is none of it in {self.subject.said}.")
        return none if all(map(is_read, said.texts)) else TOO_LONG

    def _found(self, quotes: tuple[str, ...], found: Sequence[Found], reader: Reader) -> Ruling:
        is_partial = self.things.joined and not all(each.quotes for each in found)
        if is_partial or (self.waits and "agent_output" in reader.facts):
            return ABSTAINED
        owned = {thing.is_owned for thing, each in zip(self.things.each, found, strict=True) if each.quotes}
        if owned == {True}:
            return ABSTAINED
        said = f"It stands in {self.subject.said}."
        return Ruling(status="violated", rationale=said, evidence=quotes[:MOST_QUOTES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Kept when one of the quoted phrases is there, or all of those that an "and" joins."""

    subject: Subject
    things: Things
    place: str = ""

    name = "wanted"
    basis: EvaluatorBasis = "pattern"
    gap = ""
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        where = {"": "in", "start": "at the beginning of", "end": "at the end of"}[self.place]
        which = "all of " if self.things.joined else ""
        return (
            f"Looks for {which}{self.things.said} {where} {self.subject.said}; missing, the rule is broken."
        )

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        if self.subject.is_to_come(reader.facts, ("input", "tool_call")):
            return ASIDE
        said = self.subject.texts(reader.facts, in_calls=False)
        if not said.texts:
            return ABSTAINED
        found = [
            await _find(thing, said.texts, reader, is_wanted=True, place=self.place)
            for thing in self.things.each
        ]
        is_there = (all if self.things.joined else any)(each.quotes for each in found)
        if is_there:
            quotes = tuple(each.quotes[0] for each in found if each.quotes)
            return Ruling(status="satisfied", rationale="It is there.", evidence=quotes[:MOST_QUOTES])
        missing = [thing.said for thing, each in zip(self.things.each, found, strict=True) if not each.quotes]
        lacking = [each for each in found if not each.quotes]
        if not (said.is_all and (any if self.things.joined else all)(each.shows_absence for each in lacking)):
            return ABSTAINED
        lacks = Ruling(status="violated", rationale=f"It lacks {missing[0]}.")
        return lacks if all(map(is_read, said.texts)) else TOO_LONG


async def _find(
    thing: Thing, texts: Sequence[str], reader: Reader, *, is_wanted: bool = False, place: str = ""
) -> Found:
    """Return where a thing stands in any of the texts, and whether it is ruled out in all of them."""
    quotes: dict[str, None] = {}
    shows_absence = thing.shown
    for text in texts:
        found = await reader.read(text, lambda seen: thing.find(seen, is_wanted=is_wanted))
        kept = [each for each in found.quotes if _stands(each, text, place)]
        quotes |= dict.fromkeys(kept)
        shows_absence = shows_absence and (found.shows_absence or bool(found.quotes and not kept))
        if len(quotes) >= MOST_QUOTES:
            break
    return Found(quotes=tuple(quotes), shows_absence=shows_absence)


def _stands(quote: str, text: str, place: str) -> bool:
    """Return whether a quote stands at the end of the text that is asked for, marks beside it aside."""
    before, _, _ = text.partition(quote)
    _, _, after = text.rpartition(quote)
    beyond = {"start": before, "end": after}.get(place, "")
    return not any(map(str.isalnum, beyond))


def read_mention(wording: str, effect: Effect) -> Shape | None:
    """Return the shape of a rule about what a text must not have, or must."""
    return _forbidden(wording, effect) or _raised(wording, effect) or _wanted(wording)


def _forbidden(wording: str, effect: Effect) -> Forbidden | None:
    for found in matches(_FORBIDS, wording):
        verb = group(found, "verb") or group(found, "gives")
        subject = _subject(found)
        what = f"the words {found['what']}" if group(found, "literal") else found["what"]
        things = things_of(what, verb)
        if subject is not None and things is not None:
            return Forbidden(subject=subject, things=things, effect=effect)
    return None


def _raised(wording: str, effect: Effect) -> Forbidden | None:
    for found in matches(_RAISES, wording):
        subject = _subject(found)
        things = things_of(found["what"], found["verb"])
        if subject is not None and things is not None and not _UNLESS.search(group(found, "then")):
            return Forbidden(subject=subject, things=things, is_raised=True, effect=effect)
    return None


def _wanted(wording: str) -> Wanted | None:
    for found in matches(_WANTS, wording):
        subject = subject_of(found["subject"]) if group(found, "subject") else ANSWER
        things = quoted_of(found["what"])
        if subject is None or things is None or (things.joined and _OR.search(found["what"])):
            continue
        return Wanted(subject=subject.own, things=things, place=_place(found["place"].lower()))
    return None


def _place(words: str) -> str:
    if words.startswith(("end", "close", "conclude", "sign", "finish")):
        return "end"
    return "start" if words.startswith(("start", "begin", "open")) else ""


def _subject(found: re.Match[str]) -> Subject | None:
    """Return of what the rule speaks: its subject, else the place it names at its end, else the answer."""
    named = group(found, "subject")
    if named.lower() == "it":
        named = group(found, "it") or named
    if named:
        subject = subject_of(named)
        return subject.own if subject and is_sent(found.string) else subject
    place = subject_of(group(found, "place"))
    if group(found, "others") and not group(found, "place"):
        return INTERACTION
    is_own = bool(group(found, "own")) or place is None or place.kind in {"customer", "field"}
    return ANSWER if is_own else place
