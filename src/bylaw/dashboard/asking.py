"""What pages ask of the server: the routes of its API, with the session of the person who looks."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar, cast

T = TypeVar("T")

# What a route answers, as JSON has it.
Item = Mapping[str, object]
Query = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request to the API.

    `session` is the text of the key, empty for nobody; `body` is sent as JSON, None for none; `once` is a
    word under which this is carried out once, empty for each time; `is_use`: a person asks, and not an open
    page by itself; `visit` is the request of the browser, for which this is asked.
    """

    method: str
    path: str
    session: str = ""
    query: Query = field(default_factory=dict)
    body: object = None
    revision: str = ""
    once: str = ""
    is_use: bool = True
    visit: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the API answered: `body` as it came, `etag` the revision of what it shows, empty for none."""

    status: int
    data: object
    body: bytes = b""
    etag: str = ""


class Api(Protocol):
    """The routes of the server."""

    async def ask(self, asked: Asked) -> Answered:
        """Return what is answered, failures too."""

    async def attend(self, visit: Mapping[str, object], work: Awaitable[T]) -> T:
        """Return what comes of `work`, which is given up when the browser of that visit leaves."""


# Failures about which a person can do something where they are.
_MENDABLE: Final = frozenset({400, 403, 404, 409, 412, 413, 422, 429, 503})
# Failures that say: this is not there for whoever asks.
HIDDEN: Final = frozenset({403, 404})


class Refused(Exception):
    """The API answered with a failure; `problem` is what it said (RFC 9457)."""

    def __init__(self, status: int, problem: Item) -> None:
        super().__init__(str(problem.get("detail", "")))
        self.status = status
        self.problem = problem

    @property
    def code(self) -> str:
        """The stable code of the failure."""
        return str(self.problem.get("code", ""))

    @property
    def detail(self) -> str:
        """The sentence for the person."""
        return str(self.problem.get("detail", ""))

    @property
    def errors(self) -> Mapping[str, str]:
        """What is wrong with each field, by its path; a path of a part of a field stands for the field."""
        found = items(self.problem, "errors")
        return {str(each.get("path", "")): str(each.get("message", "")) for each in found}


def mendable(refused: Refused) -> Refused:
    """Return a failure to be shown where the person typed. Raises: Refused when they can do nothing there."""
    if refused.status not in _MENDABLE:
        raise refused
    return refused


def items(item: Item, name: str) -> Sequence[Item]:
    """Return a list of objects of an answer, empty where there is none."""
    return cast("Sequence[Item]", item.get(name) or ())


def part(item: Item, name: str) -> Item:
    """Return an object of an answer, empty where there is none."""
    return cast("Item", item.get(name) or {})


def words(item: Item, name: str) -> Sequence[str]:
    """Return a list of words of an answer, empty where there is none."""
    return cast("Sequence[str]", item.get(name) or ())
