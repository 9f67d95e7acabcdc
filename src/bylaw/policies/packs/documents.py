"""Reading YAML strictly: plain data, and the line and column at which everything stands.

The meaning is that of YAML 1.2's JSON schema, so `on`, `no` and `0o17` are text; words that older YAML took
for booleans or numbers are reported, because their author may have meant them so. Refused: duplicate keys,
keys that are not text, tags, merge keys, several documents, deep nesting, aliases that multiply the data.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import yaml

from bylaw.core.canonical_json import Json
from bylaw.core.errors import InvalidInput, Problem
from bylaw.policies.reader import join

MAX_BYTES = 1_048_576
MAX_DEPTH = 32
MAX_NODES = 50_000

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
_WORDS: Final[Mapping[str, Json]] = {"null": None, "~": None, "": None, "true": True, "false": False}
_AMBIGUOUS: Final = re.compile(
    r"y|yes|n|no|on|off|true|false|null|[-+]?0[0-9_]+|0[xob][0-9a-f_]+|\+[0-9]+", re.IGNORECASE
)
_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in a file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file as plain data.

    `marks` says where each path stands; it is empty when the data came without its text. `warnings` are what
    is probably not meant; they refuse nothing.
    """

    file: str
    value: Json
    marks: Mapping[str, Mark] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()


def load_document(text: str, *, file: str) -> Document:
    """Return the data in `text`. Raises: InvalidInput that says at which line and column of `file`."""
    builder = _Builder(file)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise builder.refused(None, "too_large", f"A file has at most {MAX_BYTES} bytes.")
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.feed(event)
    except yaml.MarkedYAMLError as error:
        raise builder.refused(_mark(error.problem_mark), "not_yaml", f"{error.problem or error}.") from None
    except yaml.YAMLError as error:
        raise builder.refused(None, "not_yaml", f"{error}.") from None
    return builder.finish()


def located(problem: Problem, document: Document) -> Problem:
    """Return `problem` with its path as `file:line:column path`, at the nearest thing that stands there."""
    near = problem.path
    while near and near not in document.marks:
        near = near[: max(near.rfind("."), near.rfind("["), 0)]
    mark = document.marks.get(near)
    where = document.file if mark is None else f"{document.file}:{mark.line}:{mark.column}"
    return replace(problem, path=f"{where} {problem.path}".rstrip())


def plain_scalar(text: str) -> Json:
    """Return what an unquoted word means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def is_ambiguous(text: str) -> bool:
    """Return whether an unquoted word is text here and something else to other readers of YAML."""
    return _AMBIGUOUS.fullmatch(text) is not None and isinstance(plain_scalar(text), str)


class _LibraryMark(Protocol):
    """A place as the library counts it, from 0."""

    line: int
    column: int


def _mark(mark: _LibraryMark | None) -> Mark:
    return Mark(line=1, column=1) if mark is None else Mark(line=mark.line + 1, column=mark.column + 1)


@dataclass(slots=True)
class _Frame:
    """A list or an object whose end has not come yet; `begun` is the count of nodes before it."""

    container: list[Json] | dict[str, Json]
    path: str
    anchor: str | None
    begun: int
    key: str | None = None


class _Builder:
    """Builds the data from events, without recursion, so that no nesting is too deep to refuse."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._stack: list[_Frame] = []
        self._roots: list[Json] = []
        self._marks: dict[str, Mark] = {}
        self._anchors: dict[str, tuple[Json, int]] = {}
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._count = 0

    def feed(self, event: yaml.Event) -> None:
        """Take one event."""
        if isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            value, size = self._alias(event)
            self._attach(value, _mark(event.start_mark), size)
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._open(event)
        elif isinstance(event, yaml.DocumentStartEvent) and self._roots:
            raise self.refused(_mark(event.start_mark), "several_documents", "One file holds one document.")

    def finish(self) -> Document:
        """Return what was built. Raises: InvalidInput with all problems that did not end the reading."""
        if self._problems:
            raise InvalidInput(f"{self._file} is not usable.", *self._problems)
        value = self._roots[0] if self._roots else None
        return Document(file=self._file, value=value, marks=self._marks, warnings=tuple(self._warnings))

    def refused(self, mark: Mark | None, code: str, message: str) -> InvalidInput:
        """Return the error that ends the reading here."""
        where = self._file if mark is None else f"{self._file}:{mark.line}:{mark.column}"
        return InvalidInput(f"{where} {message}", Problem(path=where, code=code, message=message))

    def _open(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        if event.tag is not None:
            raise self.refused(
                _mark(event.start_mark), "tag", f"The tag {event.tag!r} is not understood: leave it out."
            )
        if len(self._stack) >= MAX_DEPTH:
            raise self.refused(_mark(event.start_mark), "too_deep", f"At most {MAX_DEPTH} levels.")
        container: list[Json] | dict[str, Json] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        begun = self._count
        path = self._attach(container, _mark(event.start_mark), 1)
        self._stack.append(_Frame(container, path, event.anchor, begun))

    def _close(self) -> None:
        frame = self._stack.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.container, self._count - frame.begun)

    def _alias(self, event: yaml.AliasEvent) -> tuple[Json, int]:
        if event.anchor not in self._anchors:
            raise self.refused(
                _mark(event.start_mark), "alias", f"Nothing is named &{event.anchor} before this."
            )
        return self._anchors[event.anchor]

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if event.tag is not None:
            raise self.refused(
                _mark(event.start_mark), "tag", f"The tag {event.tag!r} is not understood: leave it out."
            )
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is None:
            self._key(frame, event)
            return
        plain = event.style in {None, ""} and event.implicit[0]
        value = plain_scalar(event.value) if plain else event.value
        path = self._attach(value, _mark(event.start_mark), 1)
        if plain and is_ambiguous(event.value):
            message = f"{event.value} is text here: quote it, or write true, false or a plain number."
            self._warnings.append(self._at(_mark(event.start_mark), path, "ambiguous", message))
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)

    def _key(self, frame: _Frame, event: yaml.ScalarEvent) -> None:
        key = event.value
        if key == "<<" and event.style in {None, ""}:
            message = "Merge keys are not understood: write the fields out, or use defaults."
            raise self.refused(_mark(event.start_mark), "merge_key", message)
        path = join(frame.path, key)
        if key in frame.container:
            first = self._marks[path]
            message = f"The key {key!r} is there already, at line {first.line}."
            self._problems.append(self._at(_mark(event.start_mark), path, "duplicate_key", message))
        self._marks[path] = _mark(event.start_mark)
        frame.key = key

    def _attach(self, value: Json, mark: Mark, size: int) -> str:
        """Put `value` where it belongs and return its path."""
        self._count += size
        if self._count > MAX_NODES:
            raise self.refused(mark, "too_large", f"A file has at most {MAX_NODES} values, aliases followed.")
        if not self._stack:
            self._roots.append(value)
            return ""
        frame = self._stack[-1]
        if isinstance(frame.container, list):
            path = f"{frame.path}[{len(frame.container)}]"
            self._marks[path] = mark
            frame.container.append(value)
            return path
        if frame.key is None:
            raise self.refused(mark, "bad_key", "A key is text.")
        path, frame.container[frame.key], frame.key = join(frame.path, frame.key), value, None
        return path

    def _at(self, mark: Mark, path: str, code: str, message: str) -> Problem:
        where = f"{self._file}:{mark.line}:{mark.column} {path}".rstrip()
        return Problem(path=where, code=code, message=message)


def locate_all(error: InvalidInput, documents: Iterable[Document]) -> InvalidInput:
    """Return `error` with the line and column of every problem whose path begins with the name of a file."""
    files = {document.file: document for document in documents}
    problems = []
    for problem in error.problems:
        file, _, path = problem.path.partition(" ")
        document = files.get(file)
        problems.append(problem if document is None else located(replace(problem, path=path), document))
    return InvalidInput(error.message, *problems)
