"""Calling a model within the time and the budget that there are; what fails has a word for why."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from bylaw.core.clock import Clock, SystemClock
from bylaw.evaluators.model.allowance import Places, Tokens
from bylaw.evaluators.model.breaker import Breakers, Shown
from bylaw.evaluators.model.telling import told
from bylaw.providers.model import Failed, Object, Usage
from bylaw.providers.structured import Form, Structured, StructuredModel

_log = logging.getLogger(__name__)

_TRIES: Final = 3
_BACKOFF_S: Final = 0.25
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
# A model that was given less is not to blame for being late.
_FAIR_S: Final = 5.0
_OK: Final = range(200, 300)
# Statuses with which what is asked itself is refused; with any other one, anything would be.
_OF_WHAT_IS_ASKED: Final = frozenset({400, 409, 411, 413, 415, 422})
_NOTHING: Final[Shown] = "nothing"
CHARS_OF_TOKEN: Final = 3
_TOKENS_OF_RULE: Final = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Time, waiting and chance, which tests replace. Units: `ticks` and `sleep` count seconds."""

    clock: Clock = field(default_factory=SystemClock)
    ticks: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[int], bytes] = os.urandom


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Why there is no answer, as the code of an indeterminate verdict, and what was spent all the same."""

    code: str
    usage: Usage = field(default_factory=Usage)


class Caller:
    """Asks one model: for so many at once, within budgets, again where that can help."""

    def __init__(self, model: StructuredModel, tokens: Tokens, places: Places, means: Means) -> None:
        self.breakers = Breakers(means.ticks)
        self._model = model
        self._tokens = tokens
        self._places = places
        self._means = means
        self._usual_s = 0.0

    async def ask(
        self, form: Form, read: Callable[[Object], T], *, asker: str, until: float
    ) -> Structured[T] | Unanswered:
        """Return what is answered, read by `read`, or why nothing is.

        Units: `until` in seconds of `ticks`.
        """
        async with self._places.one(asker, until - self._means.ticks()) as is_held:
            if not is_held:
                return Unanswered(code="busy")
            expected = (len(form.system) + len(form.user)) // CHARS_OF_TOKEN + _TOKENS_OF_RULE
            if not self._tokens.hold(asker, expected):
                return Unanswered(code="over_budget")
            used = expected
            try:
                answered = await self._tried(form, read, asker, until)
                used = answered.usage.tokens_in + answered.usage.tokens_out
                if not used and (isinstance(answered, Structured) or answered.code == "deadline"):
                    used = expected
            finally:
                self._tokens.settle(asker, expected, used)
            return answered

    async def _tried(
        self, form: Form, read: Callable[[Object], T], asker: str, until: float
    ) -> Structured[T] | Unanswered:
        """Return the first answer of a few tries: again only where a wait for it leaves time to answer."""
        means, usage, code, failed = self._means, Usage(), "deadline", None
        for number in range(_TRIES):
            left_s = until - means.ticks()
            if left_s <= 0:
                break
            if not self.breakers.admits(asker):
                code = "breaker_open"
                break
            found = await self._reported(form, read, asker, left_s)
            usage += found.usage
            if isinstance(found, Structured):
                return replace(found, usage=usage)
            failed, code = found, _code(found)
            wait_s = _wait_s(found, number, _fraction(means.random)) if number + 1 < _TRIES else None
            if wait_s is None or means.ticks() + wait_s + self._usual_s >= until:
                break
            await means.sleep(wait_s)
        if failed is not None:
            _log.warning("%s", told(failed, self._model))
        return Unanswered(code=code, usage=usage)

    async def _reported(
        self, form: Form, read: Callable[[Object], T], asker: str, timeout_s: float
    ) -> Structured[T] | Failed:
        """Ask once, and tell the breakers what became of it, also when it is given up."""
        began, shown = self._means.ticks(), _NOTHING
        try:
            found = await self._model.ask(form, read, timeout_s=timeout_s)
            shown = "works" if isinstance(found, Structured) else _shown(found, timeout_s)
        finally:
            self.breakers.report(asker, shown)
        if isinstance(found, Structured):
            took_s = self._means.ticks() - began
            self._usual_s = took_s if not self._usual_s else 0.8 * self._usual_s + 0.2 * took_s
        return found


def _shown(failed: Failed, given_s: float) -> Shown:
    """Return what a failure shows of the model.

    What an answer says does not count against it: else the facts of one tenant could stop it for all. Nor
    does a refusal of what is asked, as of a text that is too long.
    """
    if failed.reason == "late":
        return "late" if given_s >= _FAIR_S else "nothing"
    if failed.reason in {"unreachable", "malformed", "declined", "truncated"}:
        return "works" if failed.status in _OK else "broken"
    if failed.reason == "refused":
        return "works" if failed.status in _OF_WHAT_IS_ASKED else "broken"
    return "nothing"


def _code(failed: Failed) -> str:
    """Return the code of an indeterminate verdict for a failure."""
    said = {"late": "deadline", "busy": "busy", "declined": "declined", "truncated": "truncated"}
    if failed.reason in said:
        return said[failed.reason]
    if failed.reason == "malformed" and failed.status in _OK:
        return "malformed"
    if failed.status == 429:
        return "rate_limited"
    is_down = failed.reason in {"unreachable", "malformed"} or failed.status >= 500
    return "model_unavailable" if is_down else "model_refused"


def _wait_s(failed: Failed, number: int, fraction: float) -> float | None:
    """Return how long to wait before the next try, None when another would not help."""
    is_passing = failed.reason in {"unreachable", "busy"} or failed.status in _AGAIN
    if not is_passing and (failed.reason != "malformed" or failed.status in _OK):
        return None
    backoff_s = _BACKOFF_S * 2.0**number * (0.5 + fraction / 2)
    return backoff_s if failed.retry_after_s is None else failed.retry_after_s + backoff_s


def _fraction(random: Callable[[int], bytes]) -> float:
    return int.from_bytes(random(4), "big") / 2**32
