"""The rule engine beside every engine that a Python server can embed: one run, one set of rules and contexts.

One process per engine and round, the engines in turn: a slow moment of the machine touches them all alike.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench.report import Table

ROOT = Path(__file__).resolve().parent.parent
OURS = ("python lambdas", "bylaw")
OTHERS = (
    "cel-expr-python",
    "common-expression-language",
    "common-expression-language, lazy",
    "cedarpy",
    "regopy",
    "simpleeval",
)
# The engines that are compared live in a virtual environment of their own: `make bench-engines`.
ENGINES_PYTHON = ROOT / ".venv-bench" / "bin" / "python"


def run(*, quick: bool) -> list[Table]:
    """Return the comparison, what a rule costs to keep, and the worst stall under hostile input."""
    rounds = 2 if quick else 7
    measured: dict[str, list[dict]] = {name: [] for name in (*OURS, *OTHERS)}
    absent: dict[str, str] = {}
    for _ in range(rounds):
        for name, runs in measured.items():
            if name in absent:
                continue
            figures = child("bench.rules_engines", name, other=name in OTHERS)
            if reason := figures.get("absent") or figures.get("wrong"):
                absent[name] = str(reason)
            else:
                runs.append(figures)
    present = {name: rows for name, rows in measured.items() if rows}
    notes = [f"{name}: not measured, {reason}" for name, reason in absent.items()]
    return [_speed(present, notes, rounds), _keeping(present), _stall(quick=quick)]


def child(module: str, *arguments: str, other: bool = False) -> dict:
    """Return the JSON that `module` prints in a process of its own."""
    python = str(ENGINES_PYTHON) if other and ENGINES_PYTHON.exists() else sys.executable
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [python, "-m", module, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    if done.returncode:
        return {"absent": f"exit {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"}
    return json.loads(done.stdout.splitlines()[-1])


def median(rows: list[dict], figure: str) -> float | None:
    """Return the median of a figure over the rounds, or None where the engine has none."""
    values = [row[figure] for row in rows if figure in row]
    return statistics.median(values) if values else None


def _speed(present: dict[str, list[dict]], notes: list[str], rounds: int) -> Table:
    rows: list[tuple[object, ...]] = []
    ours = median(present.get("bylaw", []), "small_us")
    for name, runs in present.items():
        small, large = median(runs, "small_us"), median(runs, "large_us")
        floor = statistics.median(row["small_us"] / row["floor_us"] for row in runs)
        spread = 100 * (max(r["small_us"] for r in runs) - min(r["small_us"] for r in runs)) / small
        versus = small / ours if ours and name not in OURS else None
        rows.append(
            (
                name,
                runs[0]["rules"],
                small,
                large,
                large / small,
                median(runs, "no_regex_us"),
                floor,
                versus,
                round(spread),
            )
        )
    columns = (
        "engine", "rules", "2 KB µs", "33 KB µs", "33 KB / 2 KB", "no regex, 2 KB µs",
        "x floor", "x bylaw", "spread %",
    )  # fmt: skip
    return Table(
        title="One decision of 20 rules from a parsed JSON context",
        columns=columns,
        rows=rows,
        notes=[
            f"median of {rounds} interleaved rounds; spread is (max - min) / median of the 2 KB time",
            "x floor: against hand-written lambdas for the same rules, measured in the same process",
            "x bylaw: how many times longer the engine takes; with fewer rules it does less work",
            *notes,
        ],
    )


def _keeping(present: dict[str, list[dict]]) -> Table:
    rows = [
        (name, median(runs, "compile_us"), median(runs, "rule_kb"))
        for name, runs in present.items()
        if name != OURS[0]
    ]
    return Table(
        title="What one rule costs to compile and keep",
        columns=("engine", "compile µs", "KB kept"),
        rows=rows,
    )


def _stall(*, quick: bool) -> Table:
    found = child("bench.rules_stall", "1" if quick else "5")
    rows = [(name, *figures) for name, figures in found["rows"]]
    worst = max(row[3] for row in rows[1:])
    return Table(
        title="Hostile rules and contexts: how long another thread waits",
        columns=("input", "ends in", "evaluation ms", "worst stall ms"),
        rows=rows,
        notes=[
            f"worst stall {worst:.1f} ms; target 50 ms",
            "a second thread wakes every half millisecond; the stall is its longest wait meanwhile",
        ],
    )
