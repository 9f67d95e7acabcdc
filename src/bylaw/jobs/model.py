"""Jobs as values: what is to be done, by whom it is being done, and what became of it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NewType

from bylaw.core.clock import HOUR_MS
from bylaw.core.errors import InvalidInput, TooLarge
from bylaw.core.ids import TenantId

JobId = NewType("JobId", str)
JobStatus = Literal["waiting", "running", "done", "dead", "cancelled"]
Priority = Literal[-1, 0, 1]
Object = Mapping[str, object]
Lane = tuple[TenantId, str]  # whose, and which

PRIORITIES: Final[tuple[Priority, ...]] = (1, 0, -1)  # first things first
MAX_BYTES: Final = 65_536  # of a payload, and of a result
MAX_ERROR: Final = 2_000
MOST_LEASE_MS: Final = HOUR_MS  # a longer one was given by a clock that was wrong
_KIND: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What is to be done, at `at_ms` or, for None, as soon as possible.

    `payload` holds ids rather than contents, and no secrets: it is shown to administrators. `priority` is
    among the jobs of one tenant. Of a `lane` that has a name a worker does a few at a time: it is whom the
    jobs wait for. `dedupe`: see `bylaw.jobs`.
    """

    kind: str
    payload: Object = field(default_factory=dict)
    dedupe: str | None = None
    at_ms: int | None = None
    priority: Priority = 0
    lane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to be done for a tenant.

    `again`: it was asked for once more while it ran. `attempt` counts how often it started, from 0 when
    somebody retries it. `due_ms`: it waits until then. `worker` holds it until `lease_ms`, unless it extends
    that. `steps_done` of `steps_total` is what the handler said of its progress. `error` tells the last
    failure. `revision` rises with whatever happens to it, so a worker that was overtaken knows an older one.
    """

    id: JobId
    tenant_id: TenantId
    kind: str
    payload: Object
    dedupe: str | None = None
    priority: Priority = 0
    lane: str = ""
    status: JobStatus = "waiting"
    again: bool = False
    attempt: int = 0
    due_ms: int
    worker: str = ""
    lease_ms: int = 0
    steps_done: int = 0
    steps_total: int = 0
    result: Object | None = None
    error: str = ""
    created_ms: int
    started_ms: int | None = None
    ended_ms: int | None = None
    revision: int = 1

    @property
    def is_live(self) -> bool:
        """Whether it waits or runs."""
        return self.status in {"waiting", "running"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of a job that is done, and what came of it."""

    name: str
    result: Object
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Work of a tenant that recurs at the moments of `cron`, in UTC; the next one is at `next_ms`."""

    tenant_id: TenantId
    name: str
    kind: str
    cron: str
    payload: Object
    next_ms: int


def made(new: NewJob, *, tenant_id: TenantId, ident: JobId, now_ms: int) -> Job:
    """Return the job that `new` asks for. Raises: InvalidInput, TooLarge."""
    if not _KIND.fullmatch(new.kind):
        raise InvalidInput.of("kind", "bad_kind", "A kind is up to 64 of a-z, 0-9, dot and underscore.")
    if new.priority not in PRIORITIES:
        raise InvalidInput.of("priority", "out_of_range", "A priority is -1, 0 or 1.")
    require_bounded(new.payload)
    return Job(
        id=ident,
        tenant_id=tenant_id,
        kind=new.kind,
        payload=new.payload,
        dedupe=new.dedupe,
        priority=new.priority,
        lane=new.lane,
        due_ms=now_ms if new.at_ms is None else new.at_ms,
        created_ms=now_ms,
    )


def require_bounded(value: Object) -> None:
    """Return nothing for a JSON object that is small enough to be kept. Raises: InvalidInput, TooLarge."""
    try:
        size = len(json.dumps(value, allow_nan=False, separators=(",", ":")))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("Payloads and results of jobs are JSON objects.") from error
    if not isinstance(value, Mapping):
        raise InvalidInput("Payloads and results of jobs are JSON objects.")
    if size > MAX_BYTES:
        message = f"This job would keep {size} bytes; payloads and results have {MAX_BYTES} at most."
        raise TooLarge(message, limit=MAX_BYTES, unit="bytes")
