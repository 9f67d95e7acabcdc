"""Pages made from templates: what callers wrote is escaped, and a name that is not there is a failure."""

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bylaw.core.clock import Clock, from_rfc3339
from bylaw.dashboard.revealing import revealed

_HERE: Final = Path(__file__).parent
# One file: htmx begins by itself, and what extends it is there by then however slowly files come.
_SCRIPTS: Final = ("vendor/htmx.min.js", "vendor/hx-csp.min.js", "vendor/hx-sse.min.js", "app.js")
_KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STEPS: Final = ((60_000, "second", 1_000), (3_600_000, "minute", 60_000), (86_400_000, "hour", 3_600_000))
_DAY_MS: Final = 86_400_000
_CODE: Final = re.compile(r"`([^`]+)`")
_DATED_MS: Final = 30 * _DAY_MS  # older than this a date says more


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """A file that is served as it is, plain and compressed; `mark` changes with what it says."""

    kind: str
    plain: bytes
    zipped: bytes
    mark: str


@cache
def statics() -> Mapping[str, Static]:
    """Return what pages load by its name: styles, pictures, and all scripts as one."""
    folder = _HERE / "static"
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".css", ".svg"}}
    scripts = b";\n".join((folder / name).read_bytes() for name in _SCRIPTS)
    return {name: _static(name, plain) for name, plain in {**files, "scripts.js": scripts}.items()}


def _static(name: str, plain: bytes) -> Static:
    return Static(
        kind=f"{_KINDS[Path(name).suffix]}; charset=utf-8",
        plain=plain,
        zipped=gzip.compress(plain, mtime=0),
        mark=hashlib.sha256(plain).hexdigest()[:12],
    )


async def serve_static(request: Request) -> Response:
    """Return one file, which a browser may keep for as long as its address stays the same."""
    found = statics().get(request.path_params["name"])
    if found is None or found.mark != request.path_params["mark"]:
        return Response(status_code=404)
    headers = {
        "content-type": found.kind,
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "accept-encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.zipped, headers={**headers, "content-encoding": "gzip"})
    return Response(found.plain, headers=headers)


class Renderer:
    """Makes pages; moments are shown as `clock` sees them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters["ago"] = self._ago
        self._environment.filters["count"] = _count
        self._environment.filters["json"] = _json
        self._environment.filters["pieces"] = revealed
        self._environment.filters["spans"] = _spans
        self._environment.filters["is_past"] = self._is_past
        self._environment.globals["static"] = _address

    def render(self, template: str, data: Mapping[str, object]) -> str:
        """Return the page that `template` makes of `data`."""
        return self._environment.get_template(template).render(data)

    def _is_past(self, moment: str) -> bool:
        """Return whether a moment has come."""
        return from_rfc3339(moment) <= self._clock.now_ms()

    def _ago(self, moment: str) -> Markup:
        """Return how long ago a moment was, with the moment itself beside it."""
        passed_ms = self._clock.now_ms() - from_rfc3339(moment)
        shown = moment[:10] if passed_ms > _DATED_MS else _passed(passed_ms)
        return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(moment, shown)


def _passed(ms: int) -> str:
    if ms < 0:
        return f"in {_steps(-ms)}"
    return "just now" if ms < 10_000 else f"{_steps(ms)} ago"


def _steps(ms: int) -> str:
    for below, name, unit in _STEPS:
        if ms < below:
            return _count(ms // unit, name)
    return _count(ms // _DAY_MS, "day")


def _count(number: int, name: str, plural: str = "") -> str:
    """Return a number with its noun: 1 policy, 2 policies."""
    many = plural or (f"{name[:-1]}ies" if name.endswith("y") and name[-2] not in "aeiou" else f"{name}s")
    return f"{number:,} {name if number == 1 else many}"


def _json(value: object, indent: int = 0) -> str:
    """Return a value as people read JSON, every script in its own letters; the page escapes it."""
    encoded = msgspec.json.encode(value)
    return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()


def _spans(sentence: str) -> Sequence[tuple[bool, str]]:
    """Return a sentence in parts, each with whether it is code: what stands between backticks."""
    return [(at % 2 == 1, part) for at, part in enumerate(_CODE.split(sentence)) if part]


def _address(name: str) -> str:
    return f"/static/{statics()[name].mark}/{name}"
