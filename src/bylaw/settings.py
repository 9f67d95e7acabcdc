"""Typed settings, one section per noun, read from flags, `BYLAW_*` variables and one optional TOML file.

A flag wins over a variable, a variable over the file, the file over the default. Nothing is ignored in
silence: an unknown variable, file key or section, and a setting that could have no effect, are refused by
name. The reference page is generated from the text beside each setting (`bylaw settings`).
"""

import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from bylaw.core.errors import InvalidInput, Problem

PREFIX = "BYLAW_"
T = TypeVar("T")

# Variables with our prefix that other programs read: the client commands, and the test suite.
OTHERS = frozenset(
    {"BYLAW_CONFIG", "BYLAW_URL", "BYLAW_API_KEY", "BYLAW_SHARED", "BYLAW_TEST_POSTGRES_URL", "BYLAW_BENCH"}
)


def _setting(default: T, text: str, *, unit: str = "", low: int | None = None, high: int | None = None) -> T:
    """Return a field that carries its documentation and its bounds."""
    return field(default=default, metadata={"text": text, "unit": unit, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the server listens and what it accepts."""

    host: str = _setting("127.0.0.1", "Address to listen on. Anything but loopback also needs `expose`.")
    port: int = _setting(8181, "TCP port to listen on; 0 takes a free one.", low=0, high=65535)
    expose: bool = _setting(
        False,  # noqa: FBT003 - a setting's default
        "Allow a `host` other than loopback. Keys travel in clear: put TLS in front.",
    )
    public_url: str = _setting(
        "",
        "Address under which others reach this server, such as `https://policies.example.com`: links in"
        " answers lead there. Default: the host that each request names, over http.",
    )
    proxies: str = _setting(
        "127.0.0.1,::1",
        "Addresses and networks of the reverse proxies in front, with commas between: whom they name in"
        " `X-Forwarded-For` is held to `address_per_minute`, and nobody else is believed.",
    )
    body_bytes: int = _setting(1 << 20, "Largest request body.", unit="bytes", low=1024)
    head_bytes: int = _setting(
        32_768,
        "Largest head of a request: its address (8192 bytes at most) and headers (100 lines at most).",
        unit="bytes",
        low=1024,
        high=1 << 20,
    )
    head_ms: int = _setting(
        10_000,
        "Time within which the head of a request is read, or the first one of a new connection begins.",
        unit="ms",
        low=100,
    )
    request_ms: int = _setting(
        30_000,
        "Time within which a request is read and its answer begins, durable receipt included.",
        unit="ms",
        low=100,
    )
    shutdown_s: int = _setting(10, "Time for accepted requests to finish after SIGTERM.", unit="s", low=1)
    outgoing: Literal["off", "public", "any"] = _setting(
        "off",
        "Whether this server may call providers of models to try a connection: not at all, at public"
        " addresses, or at any, also those of this machine and its network.",
    )
    access_log: Literal["all", "errors", "off"] = _setting(
        "errors",
        "Which requests leave a line in the access log: `all`, `errors` (status 400 and above) or `off`; a"
        " decision leaves its receipt anyway.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where things are kept: a data directory with SQLite files, or one PostgreSQL database."""

    data: Path = _setting(  # noqa: RUF009 - a Path does not change
        Path("bylaw-data"), "Directory of the embedded SQLite files and the signing keys."
    )
    database: str = _setting(
        "",
        "`postgresql://…` to keep everything in PostgreSQL; several servers may share it. Excludes `data`.",
    )
    database_owner: str = _setting(
        "", "`postgresql://…` of the role that owns the tables, used only for migrations; default `database`."
    )
    key_file: str = _setting(
        "",
        "File of this server's signing keys. Default: `keys.json` in `data`; required with `database`.",
    )
    secret_file: str = _setting(
        "",
        "File of the keys under which credentials of providers are encrypted; servers of one database share"
        " it. Default: `secrets.json` beside the signing keys.",
    )
    keep_answers_h: int = _setting(
        7 * 24,
        "How long the answer to a POST is kept to be repeated under its `Idempotency-Key`; that of a decision"
        " is kept with its receipt.",
        unit="hours",
        low=1,
    )
    follow_ms: int = _setting(
        1000, "How often changes made by other processes are looked for: the longest lag.", unit="ms", low=10
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """API keys."""

    admin_key: str = _setting(
        "",
        "Raw key to register as an admin key of the operator, unless it is known: at the first start in place"
        " of a made one, later beside those that there are. The start says which.",
    )
    rate_per_minute: int = _setting(
        60_000,
        "Requests that a key may send per minute to each process, unless it has its own limit.",
        unit="requests",
        low=1,
    )
    unknown_per_minute: int = _setting(
        6_000,
        "Requests per minute to each process for all together who come without a key, to verify receipts or"
        " to read checkpoints, keys and the description of the API.",
        unit="requests",
        low=1,
    )
    address_per_minute: int = _setting(
        600,
        "Requests of those per minute from one address (IPv6: one /64 network), as far as `proxies` tell.",
        unit="requests",
        low=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Deciding."""

    batch_items: int = _setting(
        100, "Most requests in one `POST /v1/decisions:batch`.", unit="requests", low=1
    )
    kept_judgements: int = _setting(
        4096,
        "Latest answers of the evaluator that are kept in memory, so that the same rules over the same facts "
        "are judged once; 0 keeps none.",
        unit="answers",
        low=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Receipts and their log."""

    log_host: str = _setting(
        "", "First part of the log's origin, a name of this installation. Default: `bylaw.local`."
    )
    anchor_s: int = _setting(
        10,
        "How often the checkpoints of other logs are written into this one (and once at stop), and the key "
        "file is looked at.",
        unit="s",
        low=1,
        high=30,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Spans for OpenTelemetry; metrics are always at /metrics."""

    traces: Literal["off", "otlp"] = _setting(
        "off", "`otlp` sends spans as the standard `OTEL_*` variables say; needs the extra `bylaw[otel]`."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set."""

    server: Server = field(default_factory=Server)
    storage: Storage = field(default_factory=Storage)
    keys: Keys = field(default_factory=Keys)
    decisions: Decisions = field(default_factory=Decisions)
    receipts: Receipts = field(default_factory=Receipts)
    telemetry: Telemetry = field(default_factory=Telemetry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One setting as the reference page shows it; `flag`, `variable` and `key` are its three names."""

    section: str
    name: str
    default: object
    text: str
    unit: str
    low: int | None
    high: int | None
    type: object

    @property
    def flag(self) -> str:
        """Return the name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Return the name in the environment."""
        return PREFIX + self.name.upper()

    @property
    def key(self) -> str:
        """Return the name in the file."""
        return f"{self.section}.{self.name}"


def known() -> Iterator[Known]:
    """Yield every setting in the order of the reference page; names are unique across sections."""
    for section, kind in get_type_hints(Settings).items():
        hints = get_type_hints(kind)
        for each in cast("tuple[Field[object], ...]", fields(kind)):
            yield Known(
                section=section, name=each.name, default=each.default, type=hints[each.name], **each.metadata
            )


def load(flags: Mapping[str, object], environ: Mapping[str, str], *, signs: bool = True) -> Settings:
    """Return the settings that `flags` (by name; None is absent), `environ` and its file say.

    Who never `signs` needs no key file.
    Raises: InvalidInput that names every unknown, unusable or inert setting and suggests the fix.
    """
    problems: list[Problem] = []
    table = {each.name: each for each in known()}
    given: dict[str, tuple[str, object]] = {}
    if path := environ.get("BYLAW_CONFIG"):
        given |= _from_file(Path(path), table, problems)
    given |= _from_environ(environ, table, problems)
    given |= {name: (table[name].flag, value) for name, value in flags.items() if value is not None}
    values = {name: _parse(table[name], origin, raw, problems) for name, (origin, raw) in given.items()}
    problems += _inert(given, values)
    problems += _unusable_databases(given, values)
    if signs and "database" in given and "key_file" not in given:
        name = given["database"][0]
        message = f"{name} needs --key-file (BYLAW_KEY_FILE): the file of this server's signing keys."
        problems.append(Problem(path=name, code="missing_setting", message=message))
    problems += _no_networks(given, values)
    if problems:
        raise InvalidInput(" ".join(problem.message for problem in problems), *problems)
    return build(**{name: value for name, value in values.items() if value is not None})


def build(**values: object) -> Settings:
    """Return settings with `values` by name over the defaults, already of the right types."""
    sections: dict[str, dict[str, object]] = {}
    for each in known():
        if each.name in values:
            sections.setdefault(each.section, {})[each.name] = values.pop(each.name)
    if values:
        raise InvalidInput(f"There is no setting {next(iter(values))!r}.")
    kinds = cast("Mapping[str, Callable[..., object]]", get_type_hints(Settings))
    make = cast("Callable[..., Settings]", Settings)
    return make(**{section: kinds[section](**found) for section, found in sections.items()})


def _from_environ(
    environ: Mapping[str, str], table: Mapping[str, Known], problems: list[Problem]
) -> dict[str, tuple[str, object]]:
    by_variable = {each.variable: each for each in table.values()}
    given: dict[str, tuple[str, object]] = {}
    for variable in sorted(name for name in environ if name.startswith(PREFIX) and name not in OTHERS):
        if variable in by_variable:
            given[by_variable[variable].name] = (variable, environ[variable])
        else:
            problems.append(_unknown("variable", variable, [*by_variable, *OTHERS]))
    return given


def _from_file(
    path: Path, table: Mapping[str, Known], problems: list[Problem]
) -> dict[str, tuple[str, object]]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        message = f"BYLAW_CONFIG: the file {path} cannot be read: {why}."
        problems.append(Problem(path="BYLAW_CONFIG", code="unreadable", message=message))
        return {}
    by_key = {each.key: each for each in table.values()}
    given: dict[str, tuple[str, object]] = {}
    for section, content in data.items():
        items = content.items() if isinstance(content, dict) else [("", content)]
        for name, value in items:
            key = f"{section}.{name}".rstrip(".")
            if key in by_key:
                given[name] = (f"{path.name}: {key}", value)
            else:
                problems.append(_unknown("file key", key, list(by_key)))
    return given


def _unknown(what: str, name: str, names: list[str]) -> Problem:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else " `bylaw settings` lists those there are."
    return Problem(path=name, code="unknown_setting", message=f"There is no {what} {name}.{hint}")


def _parse(each: Known, origin: str, raw: object, problems: list[Problem]) -> object:
    """Return `raw` as the setting's type, or None after adding the problem."""
    try:
        return _typed(each, raw)
    except ValueError as error:
        problems.append(Problem(path=origin, code="bad_value", message=f"{origin} {error}."))
        return None


def _typed(each: Known, raw: object) -> object:
    if get_origin(each.type) is Literal:
        if raw not in get_args(each.type):
            raise ValueError(f"is one of {', '.join(get_args(each.type))}, not {raw!r}")
        return raw
    if each.type is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if str(raw).lower() not in words:
            raise ValueError(f"is true or false, not {raw!r}")
        return words[str(raw).lower()]
    if each.type is int:
        return _whole(each, raw)
    if not str(raw):
        raise ValueError("is empty; leave it out for the default")
    return Path(str(raw)).expanduser() if each.type is Path else str(raw)


def _whole(each: Known, raw: object) -> int:
    try:
        number = int(str(raw))
    except ValueError:
        raise ValueError(f"is a whole number, not {raw!r}") from None
    if each.low is not None and number < each.low:
        raise ValueError(f"is at least {each.low}, not {number}")
    if each.high is not None and number > each.high:
        raise ValueError(f"is at most {each.high}, not {number}")
    return number


def _inert(given: Mapping[str, tuple[str, object]], values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield what was said but could have no effect."""

    def problem(name: str, message: str) -> Problem:
        return Problem(path=given[name][0], code="inert_setting", message=f"{given[name][0]} {message}.")

    if "database" in given and "data" in given:
        yield problem("data", f"has no effect beside {given['database'][0]}: leave one of the two out")
    if "database_owner" in given and "database" not in given:
        yield problem("database_owner", "has no effect without a database")
    if values.get("expose") is True and str(values.get("host", "127.0.0.1")) in LOOPBACK:
        yield problem("expose", "has no effect while the host is loopback: name the host as well")
    if "host" in given and str(values.get("host")) not in LOOPBACK and values.get("expose") is not True:
        advice = "put TLS in front and say --expose (BYLAW_EXPOSE=true)"
        yield problem("host", f"{values['host']!r} is not loopback, so keys would travel in clear: {advice}")


def _unusable_databases(
    given: Mapping[str, tuple[str, object]], values: Mapping[str, object]
) -> Iterator[Problem]:
    """Yield the addresses of databases that are none; what they say may be secret, so it is not repeated."""
    for name in ("database", "database_owner"):
        if not str(values.get(name) or "postgresql://").startswith("postgresql://"):
            origin = given[name][0]
            message = f"{origin} begins with postgresql://, as in postgresql://user@host/name."
            yield Problem(path=origin, code="bad_value", message=message)


def _no_networks(given: Mapping[str, tuple[str, object]], values: Mapping[str, object]) -> Iterator[Problem]:
    """Yield the addresses of proxies that are none."""
    for each in str(values.get("proxies") or "").split(","):
        try:
            ip_network(each.strip() or "::1")
        except ValueError as error:
            origin = given["proxies"][0]
            yield Problem(path=origin, code="bad_value", message=f"{origin}: {error}.")


LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
