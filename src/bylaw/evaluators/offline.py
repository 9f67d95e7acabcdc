"""The offline evaluator: decides only what it can show, and abstains from everything else.

It reads closed shapes of wording, each in full or not at all:

1. mentions   "Reject any output that mentions 'chargeback' or 'lawsuit'." · "Never mention refund, rebate."
2. data       "The output must not contain e-mail addresses or card numbers."
3. wanted     "The output must include 'This is not legal advice'."
4. limits     "amount must not exceed 5,000." · "Reject if order_value is above 2000."
5. presence   "invoice_id is required." · "vendor.tax_id must be present."

A quoted phrase means just these words, so its absence is shown as well, unless characters of another form
may write it; words without quotes may stand for a meaning, so only their presence is. Before anything is
answered (phase `input`), a rule of shape 1 to 3 about the answer does not apply. Of a call of a tool, shapes
1 and 2 read the arguments too, and shape 3 does not apply to it. What is only like an
address or a card number is neither found nor shown to be absent (`patterns`). Limits and presence read
`metadata` and the arguments of the tool call.
Of a text, `MOST_READ` characters are read: of a longer one nothing is said to be absent (`too_long`), and
nothing of a message with a part that is no text.
What the request says goes into the evidence alone: rationales are kept when the request is erased.
"""

import asyncio
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Final

from bylaw.core.canonical_json import digest
from bylaw.evaluators.patterns import DASHES, END, FINDERS, MOST_QUOTES, START, Finder, quote
from bylaw.evaluators.protocol import Answer, Batch, EvaluatorBasis, Question, Reply
from bylaw.rules.spelling import MISSING, Path

# What is read of one text, and of all texts until others get their turn: together how long they ever wait.
MOST_READ: Final = 100_000
_TURN: Final = 50_000
# What beginning a search costs, in characters read.
_BEGINNING: Final = 500

_Facts = Mapping[str, object]
_Found = tuple[list[str], bool]
_Search = Callable[[str], _Found]

_ACT: Final = (
    r"(?:please )?(?:reject|block|deny|refuse|decline|do not (?:approve|allow|send)|flag(?: as [\w-]+)?)"
)
_SUBJECT: Final = r"(?:(?:any|an?|all|every|the|this) )?(?P<subject>[a-z]+?)s?"
_NOT: Final = r"(?:must|may|should|shall|can) ?not"
_VERB: Final = r"(?P<verb>mention|contain|include|say)s?"


def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern + r"[.!]?", re.IGNORECASE)


_FORBIDS: Final = (
    _shape(rf"{_ACT} {_SUBJECT} (?:that|which|if it|when it) {_VERB} (?P<what>.+?)"),
    _shape(rf"{_ACT} (?:if|when) {_SUBJECT} {_VERB} (?P<what>.+?)"),
    _shape(rf"{_SUBJECT} {_NOT} {_VERB} (?P<what>.+?)"),
    _shape(rf"(?P<subject>)(?:never|do not|don't) {_VERB} (?P<what>.+?)"),
)
_WANTS: Final = _shape(rf"{_SUBJECT} must {_VERB} (?P<what>.+?)")
_SUBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("", "output", "answer", "reply", "response"), ("agent_output",)),
    **dict.fromkeys(("input", "prompt", "request", "intent"), ("user_intent",)),
    **dict.fromkeys(("text", "message"), ("user_intent", "agent_output", "messages")),
    "conversation": ("messages",),
}
# Where a message, or a part of one, says something.
_SAID: Final = ("content", "text")
# One thing of a list: quoted words, or plain ones, up to a comma, an "or" or the end.
_THING: Final = re.compile(
    r"(?:\"(?P<double>[^\"]+)\"|'(?P<single>[^']+)'|“(?P<curly>[^”]+)”|(?P<plain>[\w@+ -]+?))(?:,? or |, |$)",
    re.IGNORECASE,
)
# Plain words that say how much, which or when: the words around them are no phrase to look for.
_QUALIFIERS: Final = re.compile(
    r"\b(?:an?|and|any|more|less|than|without|with|not?|other|unless|except|if|when|to|of|for|all|only)\b",
    re.IGNORECASE,
)
# Most words of a phrase that is looked for: a text that repeats its beginning makes a long one slow to find.
_MOST_WORDS: Final = 30

# Between the parts of a call: no phrase and no number goes on across it.
_APART: Final = "\n\0\n"
_BETWEEN: Final = rf"[\s_{DASHES}]+"

_NAME: Final = r"(?:the )?`?(?P<name>[A-Za-z_][\w.]*)`?"
_NUMBER: Final = r"(?P<number>-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)"
_MUST: Final = r"(?:must|should|shall) be"
_OVER: Final = r"(?:above|over|more than|greater than)"
_UNDER: Final = r"(?:below|under|less than)"
# The wording of a limit, and how the fact must stand to the number.
_LIMITS: Final[tuple[tuple[re.Pattern[str], Callable[[float, float], bool]], ...]] = (
    (_shape(rf"{_NAME} {_NOT} (?:exceed|be {_OVER}) {_NUMBER}"), le),
    (_shape(rf"{_NAME} {_MUST} (?:at most|no more than) {_NUMBER}"), le),
    (_shape(rf"{_ACT} (?:if|when) {_NAME} (?:exceeds|is {_OVER}) {_NUMBER}"), le),
    (_shape(rf"{_NAME} {_MUST} {_UNDER} {_NUMBER}"), lt),
    (_shape(rf"{_NAME} {_MUST} (?:at least|no less than) {_NUMBER}"), ge),
    (_shape(rf"{_ACT} (?:if|when) {_NAME} is {_UNDER} {_NUMBER}"), ge),
    (_shape(rf"{_NAME} {_MUST} {_OVER} {_NUMBER}"), gt),
)
_PRESENCE: Final = _shape(rf"{_NAME} (?:is required|must be (?:present|given|provided))")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruling:
    """What was shown about a rule, by which quotes; `kept` is None when a text is too long to tell."""

    kept: bool | None
    basis: EvaluatorBasis
    rationale: str
    evidence: tuple[str, ...] = ()


_TOO_LONG: Final = _Ruling(kept=None, basis="pattern", rationale="")


class _Reader:
    """Reads the texts of one request, and gives others their turn meanwhile."""

    def __init__(self, facts: _Facts) -> None:
        self.facts = facts
        self._left = _TURN

    async def read(self, text: str, search: _Search) -> _Found:
        """Return what `search` finds in the text, and whether finding nothing shows that there is nothing."""
        part = text
        if not _is_read(text):
            begun = text[:MOST_READ]
            part = begun.rpartition(" ")[0] or begun
        self._left -= len(part) + _BEGINNING
        if self._left < 0:
            self._left = _TURN
            await asyncio.sleep(0)
        return search(part)


class OfflineEvaluator:
    """Decides by words, shapes and numbers alone; needs nothing and reaches nowhere."""

    id = "offline"
    digest = digest({"evaluator": "offline", "version": 5})

    async def evaluate(self, batch: Batch) -> Reply:
        """Return an answer to every rule: to most of them, that it abstains."""
        reader = _Reader(batch.facts)
        answers: list[Answer] = []
        for question in batch.questions:
            answers.append(await _answer(question, reader))
            await asyncio.sleep(0)  # others get their turn, and deadlines hold
        return Reply(answers=answers)


async def _answer(question: Question, reader: _Reader) -> Answer:
    wording = " ".join(question.text.split())
    if _is_of_an_answer_to_come(wording, reader.facts):
        said = "It speaks of the answer, and nothing is answered yet."
        return Answer(id=question.id, status="not_applicable", rationale=said, basis="pattern")
    ruling = (
        await _forbidden(wording, reader)
        or await _wanted(wording, reader)
        or _limit(wording, reader.facts)
        or _presence(wording, reader.facts)
    )
    if ruling is None or ruling.kept is None:
        code = "abstained" if ruling is None else "too_long"
        return Answer(id=question.id, status="indeterminate", code=code, basis="pattern")
    return Answer(
        id=question.id,
        status="satisfied" if ruling.kept else "violated",
        rationale=ruling.rationale,
        evidence=ruling.evidence,
        basis=ruling.basis,
    )


def _is_of_an_answer_to_come(wording: str, facts: _Facts) -> bool:
    """Return whether a rule that could be decided speaks of the answer, before there is any.

    What a call of a tool says is read, but no call has to say what an answer must.
    """
    if "agent_output" in facts:
        return False
    shapes = {"input": (*_FORBIDS, _WANTS), "tool_call": (_WANTS,)}.get(str(facts.get("phase")), ())
    found = next(filter(None, (shape.fullmatch(wording) for shape in shapes)), None)
    if found is None or _SUBJECTS.get(found["subject"].lower()) != ("agent_output",):
        return False
    return None not in [*_things(found)]


async def _forbidden(wording: str, reader: _Reader) -> _Ruling | None:
    """Shapes 1 and 2: kept when everything named is shown to be absent."""
    found = next(filter(None, (shape.fullmatch(wording) for shape in _FORBIDS)), None)
    texts, is_all = _subject(found, reader.facts)
    texts += _called(found, reader.facts)
    searches = list(_things(found)) if found and texts else []
    if None in searches:
        return None
    quotes: dict[str, None] = {}
    open_ends = not (searches and is_all)
    for search, text in itertools.product(filter(None, searches), texts):
        quoted, shown = await reader.read(text, search)
        quotes |= dict.fromkeys(quoted)
        open_ends |= not quoted and not shown
        if len(quotes) >= MOST_QUOTES:
            break
    if quotes:
        return _Ruling(kept=False, basis="pattern", rationale="The text has it.", evidence=tuple(quotes))
    if open_ends:
        return None
    none = _Ruling(kept=True, basis="pattern", rationale="The text has none of it.")
    return none if all(map(_is_read, texts)) else _TOO_LONG


async def _wanted(wording: str, reader: _Reader) -> _Ruling | None:
    """Shape 3: kept when one of the quoted phrases is there."""
    found = _WANTS.fullmatch(wording)
    texts, is_all = _subject(found, reader.facts)
    phrases = list(_phrases(found["what"])) if found and texts else []
    if not phrases or not all(quoted and len(phrase.split()) <= _MOST_WORDS for phrase, quoted in phrases):
        return None
    is_open = not is_all
    for (phrase, _), text in itertools.product(phrases, texts):
        quotes, shown = await reader.read(text, _search_words(phrase, shown=True))
        if quotes:
            return _Ruling(kept=True, basis="pattern", rationale="The text has it.", evidence=(quotes[0],))
        is_open |= not shown
    if is_open:
        return None
    lacking = _Ruling(kept=False, basis="pattern", rationale=f"The text lacks {phrases[0][0]!r}.")
    return lacking if all(map(_is_read, texts)) else _TOO_LONG


def _limit(wording: str, facts: _Facts) -> _Ruling | None:
    """Shape 4: decided when one fact of that name is a number."""
    for shape, relation in _LIMITS:
        found = shape.fullmatch(wording)
        fact = MISSING if found is None else _fact(found["name"], facts)
        if found and isinstance(fact, (int, float)) and not isinstance(fact, bool):
            kept = relation(fact, float(found["number"].replace(",", "")))
            said = f"{found['name']} is {'within' if kept else 'outside'} the limit."
            return _Ruling(kept=kept, basis="structured", rationale=said, evidence=(str(fact),))
    return None


def _presence(wording: str, facts: _Facts) -> _Ruling | None:
    """Shape 5: decided for a name that can only be a field's, one with an underscore or a dot."""
    found = _PRESENCE.fullmatch(wording)
    if found is None or not re.search(r"\w[_.]\w", found["name"]):
        return None
    kept = _fact(found["name"], facts) not in (MISSING, None, "")
    said = f"{found['name']} is {'there' if kept else 'not there'}."
    return _Ruling(kept=kept, basis="structured", rationale=said)


def _subject(found: re.Match[str] | None, facts: _Facts) -> tuple[list[str], bool]:
    """Return the texts that a rule speaks of, and whether nothing is said beside them.

    There are none when they are absent, or it speaks of something else.
    """
    fields = _SUBJECTS.get(found["subject"].lower(), ()) if found else ()
    said = [facts.get(field) for field in fields]
    return [text for each in said for text in _texts(each)], all(map(_is_text, said))


def _called(found: re.Match[str] | None, facts: _Facts) -> list[str]:
    """Return what a call of a tool says, as one text in which nothing runs on: none for other subjects."""
    call = facts.get("tool_call")
    subject = found["subject"].lower() if found else "nothing"
    is_read = facts.get("phase") == "tool_call" and "agent_output" in _SUBJECTS.get(subject, ())
    if not is_read or not isinstance(call, Mapping):
        return []
    parts: list[str] = []
    waiting = [call.get("arguments")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif item is not None:
            parts.append(str(item))
    return [_APART.join(parts)]


def _is_read(text: str) -> bool:
    """Return whether a text is read to its end."""
    return len(text) <= MOST_READ


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name in _SAID:
            yield from _texts(value.get(name))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _is_text(value: object) -> bool:
    """Return whether what is said is text alone: an image or a file is not read here."""
    if isinstance(value, Mapping):
        said = [value[name] for name in _SAID if name in value]
        return (bool(said) or "role" in value) and all(map(_is_text, said))
    if isinstance(value, list):
        return all(map(_is_text, value))
    return value is None or isinstance(value, str)


def _things(found: re.Match[str]) -> Iterator[_Search | None]:
    """Yield a search for each thing of the list; None for one that cannot be looked for."""
    for phrase, quoted in _phrases(found["what"]):
        bare = re.sub(r"^(?:an?|any|the) ", "", phrase.lower())
        finder = (
            FINDERS.get(bare) or FINDERS.get(bare.removesuffix("s")) or FINDERS.get(bare.removesuffix("es"))
        )
        if finder and not quoted:
            yield _search_data(finder)
        elif 0 < len(phrase.split()) <= _MOST_WORDS and (
            quoted or (found["verb"].lower() in {"mention", "say"} and _is_plain(phrase))
        ):
            yield _search_words(phrase, shown=quoted)
        else:
            yield None


def _search_data(finder: Finder) -> _Search:
    return lambda text: (finder.find(text), finder.shows_absence(text))


def _search_words(words: str, *, shown: bool) -> _Search:
    return lambda text: (_occurrences(words, text), shown and not _reads_alike(words, text))


def _phrases(what: str) -> Iterator[tuple[str, bool]]:
    """Yield each thing of a list and whether it is quoted; one empty thing when it is not such a list."""
    position = 0
    while position < len(what):
        found = _THING.match(what, position)
        if found is None:
            yield "", False
            return
        position = found.end()
        quoted = found["double"] or found["single"] or found["curly"]
        yield (quoted or found["plain"]).strip(), quoted is not None


def _is_plain(phrase: str) -> bool:
    return len(phrase.split()) <= 3 and not _QUALIFIERS.search(phrase)


def _occurrences(phrase: str, text: str) -> list[str]:
    """Return where the words stand in the text, as they stand there."""
    words = _BETWEEN.join(map(re.escape, phrase.split()))
    return quote(re.compile(rf"{START}{words}{END}", re.IGNORECASE), text)


def _reads_alike(phrase: str, text: str) -> bool:
    """Return whether the words stand in the text once both have one form: `café` can be written in two."""
    if phrase.isascii() and text.isascii():
        return False
    return bool(_occurrences(_folded(phrase), _folded(text)))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold())


def _fact(name: str, facts: _Facts) -> object:
    """Return the fact of that name, MISSING when there is none or two that differ."""
    call = facts.get("tool_call")
    path = Path(name)
    places = (facts.get("metadata"), call.get("arguments") if isinstance(call, Mapping) else None)
    found = [path.find(place) for place in places if isinstance(place, Mapping)]
    values = [value for value in found if value is not MISSING]
    return values[0] if values and all(value == values[0] for value in values) else MISSING
