"""The record that a model judges: the facts as lines of text, each with who speaks.

A fact that is no plain text is written as one line of text `path: value` for each value in it. `spans` are
where the words of the facts stand in a line, so that a quote of the line becomes quotes of the facts.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

VERSION: Final = 1

Unread = Literal["", "too_long", "unread"]

# What is decided on comes last: read from the end, what matters most comes first.
_ROLES: Final[Mapping[str, str]] = {
    "metadata": "metadata",
    "retrieval_summary": "document",
    "rationale": "agent_thoughts",
    "user_intent": "customer",
    "tool_result": "tool",
    "tool_call": "tool_call",
    "agent_output": "agent",
}
_SPEAKERS: Final[Mapping[str, str]] = {
    "user": "customer",
    "customer": "customer",
    "assistant": "agent",
    "agent": "agent",
    "tool": "tool",
    "function": "tool",
    "system": "system",
    "developer": "system",
}
_OWN: Final = frozenset({"agent", "agent_thoughts", "tool_call"})
# Parts of a message that are read, beside those with a text.
_READABLE: Final = frozenset({"tool_use", "tool_result", "tool_call"})
# What a line costs beside its text.
_FRAME: Final = 40
# A quote of fewer characters stands alone, and one of fewer does not count in another form.
_LEAST: Final = 4
_LEAST_ALIKE: Final = 8
_MOST_QUOTED: Final = 1_000
_LIKE: Final = str.maketrans("\u2018\u2019\u201c\u201d\u2010\u2011\u2012\u2013\u2014", "''\"\"-----")
# A run of spaces or of anything else, and a character with what combines with it.
_MARKS: Final = (
    "\u0300-\u036f\u05b0-\u05c2\u064b-\u0655\u093c\u09bc\u09be\u09d7\u0a3c\u1161-\u11ff\u1ab0-\u1aff"
    "\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f"
)
_WORDS: Final = re.compile(r"\s+|\S+")
_PIECES: Final = re.compile(rf"\S[{_MARKS}]{{0,16}}")
_UNSEEN: Final = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the record. Units: `spans` count code points of `text`."""

    role: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The lines in order; `unread` says why they are not all that there is."""

    lines: tuple[Line, ...]
    unread: Unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """What is quoted of the facts, word for word, and whose line it is."""

    role: str
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A text in one form, and where each of its characters stands in the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def record_of(facts: Mapping[str, object], *, most_chars: int) -> Record:
    """Return the facts as lines, within `most_chars`: of what is too much, the oldest messages go first."""
    found = [*_lines(facts)]
    kept = _kept(found, most_chars)
    unread: Unread = "too_long" if kept != found else "unread" if _holds_others(facts) else ""
    return Record(lines=tuple(kept), unread=unread)


def own_words(record: Record) -> Record:
    """Return the lines that are the agent's own doing: nobody else can write into them."""
    return Record(lines=tuple(line for line in record.lines if line.role in _OWN), unread="")


class Quoting:
    """Finds what a model quotes; each line is brought into one form once at most."""

    def __init__(self, lines: Mapping[str, Line]) -> None:
        self._lines = lines
        self._forms: dict[str, _Form] = {}

    def find(self, quote: str, ident: str) -> Quoted | None:
        """Return what a quote quotes of the facts, looked for in the line `ident` first.

        One that differs in spaces, kinds of quotation marks or compatible characters counts when it is long.
        """
        order = [ident, *self._lines] if ident in self._lines else [*self._lines]
        bare = quote.strip()
        if not any(map(str.isalnum, bare)):
            return None
        exact = re.compile(f"(?<![^\\W_]){re.escape(bare)}(?![^\\W_])") if len(bare) < _LEAST else None
        for each in order:
            line = self._lines[each]
            start = line.text.find(bare) if exact is None else _start(exact, line.text)
            if start >= 0 and (found := _quoted(line, start, start + len(bare))):
                return found
        wanted = _form(quote).text.strip()
        for each in order if len(wanted) >= _LEAST_ALIKE else ():
            form = self._forms.get(each) or _form(self._lines[each].text)
            self._forms[each] = form
            start = form.text.find(wanted)
            if start >= 0:
                ends = form.ends[start + len(wanted) - 1]
                if found := _quoted(self._lines[each], form.starts[start], ends):
                    return found
        return None


def _lines(facts: Mapping[str, object]) -> Iterator[Line]:
    for message in _messages(facts):
        if isinstance(message, Mapping):
            said = {name: value for name, value in message.items() if name != "role"}
            role = _SPEAKERS.get(str(message.get("role")), "other")
            yield _line(role, said["content"] if said.keys() == {"content"} else said)
        else:
            yield _line("other", message)
    known = {"messages", *_ROLES}
    around = {name: value for name, value in facts.items() if name not in known}
    if around:
        yield _line("context", around)
    for name, role in _ROLES.items():
        if facts.get(name) is not None:
            yield _line(role, facts[name])


def _messages(facts: Mapping[str, object]) -> Sequence[object]:
    messages = facts.get("messages")
    return messages if isinstance(messages, (list, tuple)) else () if messages is None else (messages,)


def _line(role: str, value: object) -> Line:
    parts, spans, at = list[str](), list[Span](), 0
    for path, leaf in _leaves(value, ""):
        head = ("\n" if parts else "") + (f"{path}: " if path else "")
        said = _said(leaf)
        parts += (head, said)
        if leaf is not None:
            spans.append((at + len(head), at + len(head) + len(said)))
        at += len(head) + len(said)
    return Line(role=role, text="".join(parts), spans=tuple(spans))


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Yield each value inside `value` that holds no other, with where it is."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, value


def _said(leaf: object) -> str:
    """Return a value as it is quoted: see `verdicts.quotable`."""
    if isinstance(leaf, str):
        return leaf
    return "null" if leaf is None else str(leaf).lower() if isinstance(leaf, bool) else str(leaf)


def _kept(lines: list[Line], most_chars: int) -> list[Line]:
    """Return the lines for which there is room, from the end; the first of them may be cut."""
    left, kept = most_chars, list[Line]()
    for line in reversed(lines):
        room = left - _FRAME
        if room <= 0:
            break
        kept.append(line if len(line.text) <= room else _cut(line, room))
        left = room - len(kept[-1].text)
    return kept[::-1]


def _cut(line: Line, most: int) -> Line:
    spans = tuple((start, min(end, most)) for start, end in line.spans if start < most)
    return replace(line, text=line.text[:most], spans=spans)


def _holds_others(facts: Mapping[str, object]) -> bool:
    """Return whether a message has a part that is no text, such as an image."""
    for message in _messages(facts):
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, Mapping):
            content = [content]
        if isinstance(content, (list, tuple)) and not all(map(_is_readable, content)):
            return True
    return False


def _is_readable(part: object) -> bool:
    if isinstance(part, Mapping):
        return isinstance(part.get("text"), str) or part.get("type") in _READABLE
    return isinstance(part, str)


def _start(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return -1 if found is None else found.start()


def _quoted(line: Line, start: int, end: int) -> Quoted | None:
    """Return the parts of the facts between two places of a line; None when no fact stands there."""
    parts = [line.text[max(start, first) : min(end, last)] for first, last in line.spans]
    quotes = tuple(part[:_MOST_QUOTED] for part in parts if part.strip())
    return Quoted(role=line.role, quotes=quotes) if quotes else None


def _form(text: str) -> _Form:
    """Return a text in one form: spaces, marks and compatible characters alike, without what is not seen."""
    parts, starts, ends = list[str](), array("L"), array("L")
    for word in _WORDS.finditer(text):
        start, end = word.span()
        if not word[0].isspace() and _formed(word[0]) == word[0]:
            parts.append(word[0])
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
            continue
        for piece in (word,) if word[0].isspace() else _PIECES.finditer(text, start, end):
            form = " " if word[0].isspace() else _formed_piece(piece[0])
            parts.append(form)
            starts.extend([piece.start()] * len(form))
            ends.extend([piece.end()] * len(form))
    return _Form(text="".join(parts), starts=starts, ends=ends)


def _formed(word: str) -> str:
    """Return the form of what stands between two spaces."""
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", word).translate(_LIKE))


_formed_piece: Final = lru_cache(maxsize=4_096)(_formed)
