"""The circuit breaker: a model that fails again and again is left alone for a while, then tried once."""

from collections.abc import Callable
from typing import Final, Literal

BreakerState = Literal["closed", "open", "half_open"]

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

    def report(self, works: bool | None) -> None:  # noqa: FBT001 - the one thing that there is to say
        """Note what became of a call: None when it shows nothing, as one that was given up."""
        self._is_tried = False
        if works:
            self._failures, self._opened = 0, None
        elif works is not None:
            self._failures += 1
            if self._failures >= FAILURES:
                self._opened = self._ticks()
