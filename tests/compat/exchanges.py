"""Exchanges with a real server: what a family's contract names, what is sent, and what was answered.

Beside the tests of each family lie `contract.yaml`, written by hand (the routes and fields of the contract,
what is added and left out, and every request in order with the status it must get), and `recorded.jsonl`,
which is what the server answered. `python -m tests.compat.pages` plays the requests, records the answers and
writes docs/reference/compat from both.

In a request `$name` stands for what an earlier answer was kept as; in a recording that name stands in its
place, `id-1` for other ids in the order in which they come, and what else differs each time is cut short.
"""

import json
import re
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import yaml
from typing_extensions import override

from bylaw import settings
from bylaw.api.contracts import described
from bylaw.api.described import Described
from bylaw.api.tracing import Untraced
from bylaw.app import join
from bylaw.core.clock import SystemClock, from_rfc3339
from bylaw.core.ids import Ids
from bylaw.stores import open_stores
from tests.api.conftest import World

FOLDER = Path(__file__).parent
FAMILIES = ("ohallo", "flashback", "agentcert")
# The MCP server is no route of the application; its messages are told like routes.
MCP = tuple(
    Described(method="POST", path=path, access="any key", family="agentcert", summary=summary)
    for path, summary in (
        ("/mcp", "Answer one message of a client of the Model Context Protocol"),
        ("/mcp/sse", "The same, at the address that clients were told"),
    )
)
HEADERS = ("x-error-code", "www-authenticate", "allow", "x-total-count", "idempotent-replayed")
_DAY_MS = 86_400_000
_NINE_MS = 9 * 3_600_000
_MOMENT = "2026-01-10T09:00:00.000Z"
# What differs each time, by the name of what is put in its place. A quote may be escaped: answers of tools
# hold JSON as text.
_VARIABLE = re.compile(
    "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in (
            ("id", r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
            ("ulid", r"\b[a-z]+_[0-9A-HJKMNP-TV-Z]{26}(?:_\d+)?\b"),
            ("time", r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z"),
            ("ms", r"\b1[789]\d{11}\b"),
            ("hash", r"sha256:[0-9a-f]{64}"),
            ("signature", r"ed25519:[A-Za-z0-9+/]{86}=="),
            ("wait", r"(?<=try again in )\d+"),
            ("used", r'(?<="lastUsedAt":)"[^"]*"'),
            ("lasted", r',\\?"duration_ms\\?":\d+'),
            ("count", r'(?:(?<=duration_us":)|(?<=duration_us\\":)|(?<=revision":)|(?<=revision\\":))\d+'),
            ("log", r"(?<=bylaw\.local/)[0-9a-f]{12}"),
            ("base64", r"(?:(?<=\\n)|(?<![\w+/\\-]))(?:[A-Za-z0-9+/]{43,}={1,2}|[\w-]{43,})"),
            ("secret", r"\b(?:sf_live_v1|sf_test_v1|ak_live)_[A-Za-z0-9]{4,}\b"),
        )
    )
)
_FIXED = {"wait": "60", "used": "null", "lasted": "", "count": "1"}


class Exchange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request: `when` says what it shows, `gets` the status it must get.

    `caller` names a key that was kept, none for nobody. `send` is JSON, `text` any other body. `keep` says
    under which names parts of the answer are kept: a path into it, with dots.
    """

    ask: str
    gets: int
    when: str = ""
    caller: str | None = msgspec.field(default="admin", name="as")
    send: object = msgspec.UNSET
    text: str | None = None
    headers: dict[str, str] = {}
    keep: dict[str, str] = {}


class Served(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A route: the statuses that the contract names for it, or why it is served beside the contract."""

    contract: list[int] = []
    added: str = ""


class Fields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of one object in answers, as the contract orders them, and why others are there.

    A key of `added` may be several fields that are there for one reason.
    """

    contract: str = ""
    added: dict[str, str] = {}
    unserved: dict[str, str] = {}

    @property
    def additions(self) -> set[str]:
        """Return the fields that are beside the contract."""
        return {name for names in self.added for name in names.split()}


class Accepted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that the contract's list of acceptance asks for, and the tests that hold it."""

    item: str
    what: str
    tests: list[str]


class Contract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a family's contract names, and what is tried of it."""

    routes: dict[str, Served]
    answers: dict[str, Fields]
    acceptance: list[Accepted]
    setup: list[Exchange]
    exchanges: list[Exchange]


class Recorded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was sent and answered, without what differs each time."""

    when: str
    request: str
    sent: str = ""
    sent_headers: dict[str, str] = {}
    status: int
    headers: dict[str, str] = {}
    answer: str = ""


def contract_of(family: str) -> Contract:
    """Return what is written about a family."""
    text = (FOLDER / family / "contract.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Contract)


def recorded_of(family: str) -> list[Recorded]:
    """Return what was recorded of a family."""
    lines = (FOLDER / family / "recorded.jsonl").read_text(encoding="utf-8").splitlines()
    return [msgspec.json.decode(line, type=Recorded) for line in lines]


def routes_of(family: str) -> dict[str, Described]:
    """Return the routes of a family, and those of others that its contract names."""
    named = contract_of(family).routes
    every = {f"{each.method} {each.path}": each for each in (*described(), *MCP)}
    return {name: each for name, each in every.items() if each.family == family or name in named}


def route_of(asked: str, routes: Mapping[str, Described]) -> str:
    """Return the name of the route that answers `asked`, as `GET /path?query`; the first in order."""
    method, _, target = asked.partition(" ")
    path = target.partition("?")[0]
    for name, each in routes.items():
        if each.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each.path), path):
            return name
    return ""


class Player:
    """Plays exchanges against a server, and keeps of the answers what later ones name."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[str, str] = {}

    async def play(self, exchange: Exchange) -> Recorded:
        """Return what was sent and answered. Raises: AssertionError for another status."""
        method, target = self._filled(exchange.ask).split(" ", 1)
        headers = {name: self._filled(value) for name, value in exchange.headers.items()}
        options: dict[str, object] = {"headers": headers}
        sent = self._filled(exchange.text or "")
        if exchange.send is not msgspec.UNSET:
            sent = self._filled(json.dumps(exchange.send, ensure_ascii=False, separators=(",", ":")))
        if sent or exchange.send is not msgspec.UNSET:
            options["headers"] = {"content-type": "application/json", **headers}
            options["content"] = sent.encode()
        caller = None if exchange.caller is None else self._kept.get(exchange.caller, exchange.caller)
        found = await self._world.send(caller, method, target, **options)
        assert found.status_code == exchange.gets, f"{exchange.when}: {exchange.ask}\n{found.text}"
        for name, path in exchange.keep.items():
            self._keep(name, _at(found.json(), path))
        return self._recorded(exchange, method=method, target=target, sent=sent, found=found)

    def _keep(self, name: str, value: str) -> None:
        assert name not in self._kept, f"{name} is kept twice"
        self._kept[name] = value

    def _filled(self, text: str) -> str:
        return re.sub(r"\$([a-z]\w*)", lambda found: self._kept[found[1]], text)

    def _recorded(
        self, exchange: Exchange, *, method: str, target: str, sent: str, found: httpx.Response
    ) -> Recorded:
        named = Names(self._kept)
        return Recorded(
            when=exchange.when,
            request=named.put(f"{method} {target}"),
            sent=named.put(sent if len(sent) < 5_000 else f"{sent[:40]}… ({len(sent)} bytes)"),
            sent_headers={name: named.put(self._filled(value)) for name, value in exchange.headers.items()},
            status=found.status_code,
            headers={name: found.headers[name] for name in HEADERS if name in found.headers},
            answer=named.put(_text(found)),
        )


class Names:
    """Puts names where ids, moments, hashes and keys are; the same name for the same id in one exchange."""

    def __init__(self, kept: Mapping[str, str]) -> None:
        self._kept = {value: name for name, value in kept.items()}
        self._other: dict[str, str] = {}

    def put(self, text: str) -> str:
        """Return `text` with names in it."""
        for value in sorted(self._kept, key=len, reverse=True):
            if len(value) > 12:  # a key, an id or a cursor: nothing that is in a text by chance
                text = text.replace(value, self._kept[value])
        return _VARIABLE.sub(self._name, text)

    def _name(self, found: re.Match[str]) -> str:
        text = found[0]
        match found.lastgroup:
            case "id" | "ulid":
                return self._other.setdefault(text, f"id-{len(self._other) + 1}")
            case "time":
                return _MOMENT if _is_near(from_rfc3339(text)) else text
            case "ms":
                return str(from_rfc3339(_MOMENT)) if _is_near(int(text)) else text
            case "hash" | "signature":
                return f"{text.partition(':')[0]}:…"
            case "secret":
                return f"{text[: text.rindex('_')]}_…"
            case name:
                return _FIXED.get(str(name), "…")


def _is_near(moment_ms: int) -> bool:
    return abs(moment_ms - time.time_ns() // 1_000_000) < 31 * _DAY_MS


def _at(answer: object, path: str) -> str:
    for part in path.split("."):
        if isinstance(answer, list):
            answer = answer[int(part)]
        else:
            assert isinstance(answer, dict)
            answer = answer[part]
    return str(answer)


def _text(found: httpx.Response) -> str:
    """Return an answer as it is told: its bytes, or the headings of a page."""
    kind = found.headers.get("content-type", "")
    if kind.startswith("text/html"):
        return " · ".join([kind, *re.findall(r"<h[12]>(.*?)</h[12]>", found.text)])
    return found.text


class Forenoon(SystemClock):
    """The machine's clock set to nine today: no step of statistics begins while exchanges are played."""

    def __init__(self) -> None:
        self._ahead_ms = _NINE_MS - super().now_ms() % _DAY_MS

    @override
    def now(self) -> datetime:
        return super().now() + timedelta(milliseconds=self._ahead_ms)

    @override
    def now_ms(self) -> int:
        return super().now_ms() + self._ahead_ms


@asynccontextmanager
async def playing() -> AsyncIterator[Player]:
    """Yield a player on a new server, on which `operator` is the only caller."""
    clock = Forenoon()
    ids = Ids(clock)
    async with AsyncExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        given = settings.build(data=Path(folder), outgoing="off")
        stores = await open_stores(given, clock, ids, opened)
        joined = join(given, stores, clock=clock, ids=ids, tracer=Untraced())
        app = await opened.enter_async_context(joined)
        yield Player(World(app=app, keys={"operator": app.admin_key or ""}))


async def played(family: str) -> list[Recorded]:
    """Return what a new server answers to every exchange of a family, in their order."""
    contract, routes = contract_of(family), routes_of(family)
    async with playing() as player:
        told = [await player.play(each) for each in (*contract.setup, *contract.exchanges)]
    return [each for each in told[len(contract.setup) :] if route_of(each.request, routes)]


def lines_of(recorded: Sequence[Recorded]) -> Iterator[str]:
    """Yield the lines of `recorded.jsonl`."""
    for each in recorded:
        yield msgspec.json.encode(each).decode() + "\n"
