"""The circuit breaker: a model that fails again and again is left alone for a while, then tried once.

What is the fault of its endpoint counts for everybody: it cannot be reached, fails, refuses us, or asks all
of us to slow down. That it was late may come of what one tenant asks, so it counts for that one; for all it
counts once for each tenant in a row.
"""

from collections.abc import Callable
from typing import Final, Literal

BreakerState = Literal["closed", "open", "half_open"]
# What a call shows of a model: nothing when it was given up, or failed for another reason.
Shown = Literal["works", "broken", "late", "nothing"]

FAILURES: Final = 5
COOLDOWN_S: Final = 30.0


class Breaker:
    """Opens after `FAILURES` in a row; after `COOLDOWN_S`, one call may show that it works again.

    Units: `ticks` counts seconds.
    """

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._failures = 0
        self._opened: float | None = None
        self._is_tried = False

    @property
    def state(self) -> BreakerState:
        """Whether calls are let through, all of them, one to try, or none."""
        if self._opened is None:
            return "closed"
        return "open" if self._ticks() - self._opened < COOLDOWN_S else "half_open"

    def admits(self) -> bool:
        """Return whether a call may be made; whoever makes it reports what became of it."""
        state = self.state
        if state == "half_open" and not self._is_tried:
            self._is_tried = True
            return True
        return state == "closed"

    def report(self, *, works: bool | None) -> None:
        """Note what became of a call: None when it shows nothing, as one that was given up."""
        self._is_tried = False
        if works:
            self._failures, self._opened = 0, None
        elif works is not None:
            self._failures += 1
            if self._failures >= FAILURES:
                self._opened = self._ticks()


class Breakers:
    """The breaker of an endpoint, and one for each asker for whom it is late.

    Units: `ticks` counts seconds.
    """

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._everybody = Breaker(ticks)
        self._own: dict[str, Breaker] = {}
        self._late: set[str] = set()

    @property
    def is_closed(self) -> bool:
        """Return whether nobody's calls are held back."""
        return all(each.state == "closed" for each in (self._everybody, *self._own.values()))

    def state_of(self, asker: str) -> BreakerState:
        """Return whether the calls of an asker are let through."""
        own, state = self._own.get(asker), self._everybody.state
        return state if own is None or state == "open" or own.state == "closed" else own.state

    def admits(self, asker: str) -> bool:
        """Return whether an asker may make a call, and reports what becomes of it."""
        own = self._own.get(asker)
        if own is not None and not own.admits():
            return False
        if self._everybody.admits():
            return True
        if own is not None:
            own.report(works=None)
        return False

    def report(self, asker: str, shown: Shown) -> None:
        """Note what a call of an asker showed."""
        if shown == "works":
            self._own.pop(asker, None)
            self._late.clear()
            self._everybody.report(works=True)
            return
        is_news = shown == "broken" or (shown == "late" and asker not in self._late)
        self._everybody.report(works=False if is_news else None)
        if shown == "late":
            self._late.add(asker)
            self._own.setdefault(asker, Breaker(self._ticks)).report(works=False)
        elif asker in self._own:
            self._own[asker].report(works=None)
