"""Child process: run every hostile input while a second thread tries to wake every half millisecond.

`python -m bench.rules_stall ROUNDS` prints `{"rows": [[name, [ending, milliseconds, worst stall]], ...]}`.
"""

import json
import sys
import threading
import time
from typing import Self

from bylaw import rules
from bylaw.core.errors import RuleSyntax
from tests.rules.hostile import HOSTILE, Context

INTERVAL_S = 0.0005
PLAIN_S = 0.1


class Ticker:
    """A thread that notes how long it waited beyond its interval."""

    def __init__(self) -> None:
        self.worst_s = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        last = time.perf_counter()
        while not self._ended.is_set():
            time.sleep(INTERVAL_S)
            now = time.perf_counter()
            self.worst_s = max(self.worst_s, now - last - INTERVAL_S)
            last = now


def ending(rule: str, context: Context) -> str:
    """Return how a rule ends: `refused`, its status, or the code of its indeterminacy."""
    try:
        compiled = rules.compile(rule)
    except RuleSyntax:
        return "refused"
    verdict = compiled.evaluate(context)
    return verdict.code or verdict.status


def stall(rule: str, context: Context) -> tuple[str, float, float]:
    """Return the ending, the time it took and the worst wait of the other thread, in milliseconds."""
    with Ticker() as ticker:
        began = time.perf_counter()
        ended = ending(rule, context)
        spent = time.perf_counter() - began
    return ended, round(spent * 1e3, 2), round(ticker.worst_s * 1e3, 2)


def plain_loop() -> tuple[str, float, float]:
    """Return the worst wait beside a loop that evaluates nothing: what this machine does to any thread."""
    with Ticker() as ticker:
        began = time.perf_counter()
        while (spent := time.perf_counter() - began) < PLAIN_S:
            pass
    return "-", round(spent * 1e3, 2), round(ticker.worst_s * 1e3, 2)


def main() -> None:
    """Print the median of the rounds for every input, worst stall first."""
    rounds = int(sys.argv[1])
    rows = []
    for hostile in HOSTILE:
        context = hostile.context()
        runs = sorted((stall(hostile.rule, context) for _ in range(rounds)), key=lambda run: run[2])
        rows.append((hostile.name, runs[len(runs) // 2]))
    rows.sort(key=lambda row: -row[1][2])
    rows.insert(0, (f"(a plain Python loop of {PLAIN_S * 1e3:.0f} ms, for comparison)", plain_loop()))
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
