"""Rules about the form of a whole text: JSON, letters that are all capitals, a question at the end."""

import re
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from bylaw.evaluators.offline.grammar import (
    ALWAYS,
    MUST,
    NEVER,
    NOT,
    SUBJECT,
    TAIL,
    Wording,
    group,
    matches,
    wordings,
)
from bylaw.evaluators.offline.reading import Reader, is_read
from bylaw.evaluators.offline.shape import ABSTAINED, ASIDE, Ruling, Shape
from bylaw.evaluators.offline.subject import ANSWER, Subject, subject_of
from bylaw.evaluators.protocol import EvaluatorBasis

FormKind = Literal["json", "object", "capitals", "question"]

_WHAT: Final = (
    r"(?:an? |one )?(?:valid |well-formed |parsable |parseable |raw |single )*JSON(?:"
    r" objects?| format| documents?| only)?"
)
_OBJECT: Final = re.compile(r"\bJSON objects?\b", re.IGNORECASE)
_JSON: Final = wordings(
    rf"{SUBJECT} {MUST}(?: only)? (?:be(?: in)?|consist of|contain only|parse as) {_WHAT}",
    rf"(?:{ALWAYS} )?(?:only )?(?:answer|reply|respond|output|return|write)(?: only| always)? (?:in "
    rf"|with |as )?{_WHAT}(?: only)?",
)
_QUESTION: Final = wordings(
    rf"{SUBJECT} {MUST} (?:end|close|conclude|finish) (?:with|in|on) (?:a|one) (?:question|question mark)",
    rf"{ALWAYS} (?:end|close|conclude|finish) (?:{SUBJECT} )?(?:with|in|on) (?:a|one)"
    r" (?:question|question mark)",
)
_CAPITALS: Final = wordings(
    rf"(?:{NEVER}|{SUBJECT} {NOT}) (?:write|use|answer|reply|be|shout|writing|using)(?: words)?(?: in"
    rf"| with)? (?:all caps|all capitals|all capital letters|all uppercase|only capital letters|all"
    rf" upper case){TAIL}",
    rf"no (?:all caps|all-caps|all capitals|all capital letters){TAIL}",
)
_AS: Final = {"json": "JSON", "object": "an object in JSON"}
_ASKING: Final = ("?", "\uff1f", "\u061f")
_CLOSING: Final = "\"')]*_\u201d\u2019 "
# A question without its mark begins like this; a name at the end is no sentence.
_ENDED: Final = re.compile(r"[.!?:,;]\s+")
_ASKS: Final = re.compile(
    r"(?:who|whom|whose|what|when|where|why|how|which|can|could|would|will|do|does|did|is|are|may|might|shall"
    r"|should|have|has|shouldn't|won't|don't|isn't|aren't)\b",
    re.IGNORECASE,
)
_SIGNATURE: Final = 6
_SHOUTED: Final = re.compile(r"\b[A-Z]{4,}(?:[ ,!'-]{1,3}[A-Z]{2,}){2,}")
_LOUD: Final = re.compile(r"\b[^\W\d_a-z]{2,}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Kept when a whole text has the form."""

    subject: Subject
    form: FormKind

    name = "form"
    basis: EvaluatorBasis = "pattern"
    gap = ""
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        if self.form == "question":
            return f"Looks at the last sentence of {self.subject.said}: it ends with a question mark."
        if self.form != "capitals":
            return f"Parses {self.subject.said} as {_AS[self.form]}."
        return f"Looks for words in capitals in {self.subject.said}."

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        if self.subject.is_to_come(reader.facts, ("input", "tool_call")):
            return ASIDE
        said = self.subject.texts(reader.facts, in_calls=False)
        if len(said.texts) != 1 or not said.is_all or not is_read(said.texts[0]):
            return ABSTAINED
        if self.form == "capitals":
            return _capitals(said.texts[0])
        if self.form == "question":
            return _question(said.texts[0])
        return _json(said.texts[0], is_object=self.form == "object")


def _json(text: str, *, is_object: bool) -> Ruling:
    try:
        value = msgspec.json.decode(text.strip())
    except (msgspec.DecodeError, RecursionError):
        if "```" in text:
            return ABSTAINED  # a fence may be taken off by whoever reads it
        return Ruling(status="violated", rationale="It is not valid JSON.")
    if is_object and not isinstance(value, dict):
        return Ruling(status="violated", rationale="It is JSON, and no object.")
    return Ruling(status="satisfied", rationale="It is valid JSON.")


def _capitals(text: str) -> Ruling:
    found = _SHOUTED.search(text)
    if found is not None:
        return Ruling(status="violated", rationale="Words are written in capitals.", evidence=(found[0],))
    if _LOUD.search(text):
        return ABSTAINED  # may be an abbreviation
    return Ruling(status="satisfied", rationale="No word is written in capitals.")


def _question(text: str) -> Ruling:
    last = text.rstrip().rstrip(_CLOSING)
    line = last.rpartition("\n")[2]
    if last.endswith(_ASKING):
        # a link may end like a question, and stand where one does
        asks = Ruling(status="satisfied", rationale="It ends with a question.", evidence=(last[-1],))
        return ABSTAINED if "/" in line.rpartition(" ")[2] else asks
    sentence = _ENDED.split(line.rstrip(".!"))[-1].strip(_CLOSING)
    is_unclear = (
        not last.endswith((".", "!"))
        or line.rstrip(".!").endswith(_ASKING)
        or _ASKS.match(sentence) is not None
        or (len(line.split()) <= _SIGNATURE and line != last)
    )
    if is_unclear:
        return ABSTAINED
    return Ruling(status="violated", rationale="It does not end with a question.", evidence=(last[-60:],))


def read_form(wording: str) -> Shape | None:
    """Return the shape of a rule about the form of a whole text."""
    kinds: tuple[tuple[tuple[Wording, ...], FormKind], ...] = (
        (_JSON, "object" if _OBJECT.search(wording) else "json"),
        (_CAPITALS, "capitals"),
        (_QUESTION, "question"),
    )
    for patterns, form in kinds:
        for found in matches(patterns, wording):
            named = group(found, "subject")
            subject = subject_of(named) if named else ANSWER
            if subject is not None and subject.kind not in {"field", "conversation"}:
                return Form(subject=subject, form=form)
    return None
