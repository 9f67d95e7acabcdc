"""Every setting beside its text: a section for each noun."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

T = TypeVar("T")

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


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
        "Whether this server may call others, providers of models and receivers of webhooks: not at all, at"
        " public addresses, or at any, also those of this machine and network.",
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
class SignIn:
    """How people sign in."""

    password_sign_in: bool = _setting(
        True,  # noqa: FBT003 - a setting's default
        "Let people in by a password; `false` leaves single sign-on and keys, and the first start.",
    )
    sso_issuer: str = _setting(
        "",
        "Address of the OpenID provider whose people may sign in, as it names itself: it says for the whole"
        " server whose an e-mail address is. Needs `public_url`, and `outgoing` that lets it be asked.",
    )
    sso_client_id: str = _setting("", "What the OpenID provider calls this server.")
    sso_client_secret: str = _setting("", "Secret that it gave this server; better in a file.")
    sso_client_secret_file: str = _setting("", "File that holds this secret, in one line.")
    sso_label: str = _setting("single sign-on", "What people call that place: `Sign in with …`.")
    sso_scopes: str = _setting(
        "openid email", "What it is asked about people, with spaces between: `openid` and `email` at least."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Deciding."""

    batch_items: int = _setting(
        100, "Most requests in one `POST /v1/decisions:batch`.", unit="requests", low=1
    )
    kept_judgements: int = _setting(
        4096,
        "Latest verdicts of evaluators that are kept in memory, so that the same rule over the same facts is "
        "judged once; 0 keeps none.",
        unit="verdicts",
        low=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The model that judges what the offline evaluator leaves open; none unless it is named."""

    judge_model: str = _setting(
        "", "Name of the model that judges, as its provider calls it. `outgoing` must let it be called."
    )
    judge_api: Literal["openai", "anthropic", "ollama"] = _setting(
        "openai", "Whose words the model's endpoint speaks; most local servers speak OpenAI's."
    )
    judge_url: str = _setting(
        "",
        "Address of the model's endpoint, such as `http://127.0.0.1:11434/v1`. Default: the provider's own,"
        " Ollama's on this machine.",
    )
    judge_key: str = _setting("", "Key for the model's endpoint; better in a file.")
    judge_key_file: str = _setting("", "File that holds the key for the model's endpoint, in one line.")
    judge_samples: int = _setting(
        1,
        "How often the model is asked about each rule; where its answers differ, the rule is not decided.",
        unit="times",
        low=1,
        high=9,
    )
    judge_alone: bool = _setting(
        False,  # noqa: FBT003 - a setting's default
        "Ask about the rules once more over what the agent itself says and does: no customer, page or tool"
        " can then talk the model out of what it finds there. Doubles the tokens.",
    )
    judge_ms: int = _setting(
        20_000,
        "Time within which the rules in words of one decision are judged, at most four fifths of"
        " `request_ms`.",
        unit="ms",
        low=100,
    )
    judge_calls: int = _setting(
        8, "Calls of the model at once for each tenant; further ones wait.", unit="calls", low=1
    )
    judge_tokens_per_day: int = _setting(
        0,
        "Tokens that each tenant may use in a day (UTC) of each process, 0 for any number; rules are left"
        " undecided after that.",
        unit="tokens",
        low=0,
    )
    judge_price_in: int = _setting(
        0,
        "Price of a million tokens that the model reads, in cents of your currency: so decisions say what"
        " judging them cost.",
        unit="cents",
        low=0,
    )
    judge_price_out: int = _setting(
        0, "Price of a million tokens that the model writes.", unit="cents", low=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Calling providers of models."""

    provider_ms: int = _setting(
        120_000, "Time within which a provider answers a call, its whole answer included.", unit="ms", low=100
    )
    provider_bytes: int = _setting(4 << 20, "Largest answer of a provider.", unit="bytes", low=1024)
    provider_calls: int = _setting(
        100,
        "Most calls of providers at once, a quarter of them (at least one) to one address with one key; who "
        "comes then is asked to try again.",
        unit="calls",
        low=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Telling other systems what happened."""

    webhook_ms: int = _setting(
        15_000, "Time within which a receiver answers, its whole answer included.", unit="ms", low=100
    )
    webhook_keep_days: int = _setting(
        30,
        "How long notices and their deliveries are kept to be looked at and replayed; what happened earlier"
        " is not told any more.",
        unit="days",
        low=4,
    )
    webhook_fail_days: int = _setting(
        5, "A webhook that took nothing for so long is switched off.", unit="days", low=1
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
class Search:
    """Finding policies."""

    compare_in: Literal["auto", "memory", "postgres"] = _setting(
        "auto",
        "Where vectors are compared: in `memory`, exactly and fastest; in `postgres`, by its extension"
        " `vector`; or, `auto`, in memory as long as a tenant's fit into `memory_mb`. What PostgreSQL cannot"
        " compare is compared in memory.",
    )
    memory_mb: int = _setting(
        512,
        "Memory for vectors and words of tenants that were searched lately; 100,000 policies take 260 MB.",
        unit="MB",
        low=16,
    )
    embed_runtime: Literal["numpy", "onnxruntime", "onnxruntime-int8"] = _setting(
        "numpy",
        "What runs the model of this machine. `onnxruntime` gives the same vectors, many of them faster;"
        " `onnxruntime-int8` coarser ones in a third of the time. Both need the extra `bylaw[onnx]`.",
    )
    embed_model: str = _setting(
        "",
        "Name of a model elsewhere that embeds, as its provider calls it; `outgoing` must let it be called."
        " Default: the model of this machine.",
    )
    embed_dimensions: int = _setting(
        0, "How many numbers a vector of that model has.", unit="numbers", low=0, high=8_192
    )
    embed_url: str = _setting(
        "",
        "Address of an endpoint that speaks as OpenAI's embeddings do, such as `http://127.0.0.1:11434/v1`."
        " Default: OpenAI's.",
    )
    embed_key: str = _setting("", "Key for that endpoint; best said by the environment.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Work that outlives a request."""

    jobs_workers: int = _setting(
        1,
        "Worker processes that `serve` starts beside itself; with 0 nothing is done unless `bylaw worker`"
        " runs elsewhere.",
        unit="processes",
        low=0,
        high=16,
    )
    jobs_at_once: int = _setting(
        32,
        "Jobs that a worker runs at once; mostly they wait for others. A tenant alone has half of them.",
        unit="jobs",
        low=1,
        high=500,
    )
    jobs_in_lane: int = _setting(
        8,
        "Deliveries to one webhook that a worker makes at once: one that does not answer holds up no other.",
        unit="jobs",
        low=1,
        high=500,
    )
    jobs_forget_at: str = _setting(
        "17 3 * * *",
        "When what is kept for some days (notices, jobs) is forgotten, in UTC: minute, hour, day, month and"
        " weekday, as cron has them.",
    )
    jobs_keep_days: int = _setting(
        7, "How long jobs that are done or cancelled are kept to be looked at.", unit="days", low=1
    )
    jobs_keep_dead_days: int = _setting(
        90, "How long jobs that failed for good are kept to be looked at and retried.", unit="days", low=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set."""

    server: Server = field(default_factory=Server)
    storage: Storage = field(default_factory=Storage)
    keys: Keys = field(default_factory=Keys)
    sign_in: SignIn = field(default_factory=SignIn)
    decisions: Decisions = field(default_factory=Decisions)
    judge: Judge = field(default_factory=Judge)
    gateway: Gateway = field(default_factory=Gateway)
    webhooks: Webhooks = field(default_factory=Webhooks)
    jobs: Jobs = field(default_factory=Jobs)
    receipts: Receipts = field(default_factory=Receipts)
    search: Search = field(default_factory=Search)
    telemetry: Telemetry = field(default_factory=Telemetry)
