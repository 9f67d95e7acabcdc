"""The offline evaluator and detectors: how much they decide, how often they are right, and how fast.

The cases of `tests/cases/offline` are the project's own. Public data is read from the folder that
`BYLAW_BENCH_DATA` names, one file each, and what is absent is said:

- `banking77_test.csv`, `banking77_train.csv`: PolyAI-LDN/task-specific-datasets, `banking_data/`
- `abcd_sample.json`: asappresearch/abcd, `data/`
- `tau_retail_users.json`: sierra-research/tau-bench, `tau_bench/envs/retail/data/users.json`
- `deepset.csv`: the deepset prompt-injections (columns `text`, `label`)
- `neuralchemy.csv`: the neuralchemy prompt-injection set (columns `text`, `label`)
- `bipia_text_attack_test.json`, `bipia_email_test.jsonl`: microsoft/BIPIA, `benchmark/`
"""

import asyncio
import csv
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml

from bench.report import Table
from bylaw.evaluators.injection.detect import injection
from bylaw.evaluators.offline import OfflineEvaluator, explain
from bylaw.evaluators.patterns import FINDERS
from bylaw.evaluators.protocol import Batch, Question
from bylaw.evaluators.sensitive import sensitive_data

CASES = Path(__file__).parent.parent / "tests" / "cases" / "offline"
FIELDS = {
    "out": "agent_output",
    "in": "user_intent",
    "call": "tool_call",
    "meta": "metadata",
    "messages": "messages",
}
PHASES = {"call": "tool_call", "out": "output", "in": "input"}
RULES = (
    "Never mention 'chargeback', 'lawsuit' or 'litigation'.",
    "The output must not contain email addresses, phone numbers or card numbers.",
    "The output must not contain links.",
    "Answer in at most 120 words.",
    "Never offer a discount of more than 20%.",
)
ASKED = (
    "The message must not contain email addresses.",
    "The message must not contain card numbers.",
    "The message must not contain phone numbers.",
    "The message must not contain IBANs.",
    "The message must not contain a social security number.",
    "The message must not contain links.",
    "The message must not contain passwords or API keys.",
)
# What a case is labelled: `untold` is what a careful reader cannot tell either.
TRUTHS = ("violated", "satisfied", "untold")
HELD_MS = 40


def run(*, quick: bool) -> list[Table]:
    """Return the quality on cases and on public data, and the speed."""
    folder = Path(os.environ.get("BYLAW_BENCH_DATA", ""))
    data = Data(folder if os.environ.get("BYLAW_BENCH_DATA") else None)
    return [
        cases(),
        clean(data),
        personal(data),
        injections(data),
        speed(data, 300 if quick else 3_000),
        holds(),
    ]


class Data:
    """Public texts in a folder; `absent` collects the names of files that are not there."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.absent: list[str] = []

    def read(self, name: str) -> str:
        """Return a file, empty when it is absent."""
        path = self.folder / name if self.folder else None
        if path is None or not path.is_file():
            self.absent.append(name)
            return ""
        return path.read_text("utf-8-sig")

    def rows(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a table."""
        csv.field_size_limit(sys.maxsize)
        return list(csv.DictReader(self.read(name).splitlines(keepends=True)))

    def notes(self, *notes: str) -> list[str]:
        """Return the notes of a table, with what was absent."""
        missing = [f"absent, so not measured: {', '.join(dict.fromkeys(self.absent))}"] if self.absent else []
        self.absent = []
        return [*notes, *missing]


def wilson(hits: int, of: int) -> str:
    """Return a share with its Wilson interval at 95 %."""
    if not of:
        return "-"
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * ((share * (1 - share) / of + z * z / (4 * of * of)) ** 0.5) / (1 + z * z / of)
    return f"{share:.3f} [{max(0, middle - half):.3f}, {min(1, middle + half):.3f}]"


def judge(rules: Iterable[tuple[str, str]], facts: dict[str, object]) -> list[str]:
    """Return the status of each rule over the facts."""
    questions = tuple(
        Question(id=str(at), text=text, effect="flag" if effect == "flag" else "reject", digest=str(at))
        for at, (text, effect) in enumerate(rules)
    )
    batch = Batch(questions=questions, facts=facts, timeout_ms=10_000)
    return [answer.status for answer in asyncio.run(OfflineEvaluator().evaluate(batch)).answers]


def facts_of(case: dict[str, object]) -> dict[str, object]:
    """Return the facts of a case."""
    facts = {FIELDS[name]: value for name, value in case.items() if name in FIELDS}
    return {**facts, "phase": next((PHASES[name] for name in PHASES if name in case), "decision")}


def cases() -> Table:
    """Return how many of the project's own cases are decided, and how many of these rightly."""
    rows: list[tuple[object, ...]] = []
    for path in sorted(CASES.glob("*.yaml")):
        found: Counter[tuple[str, str]] = Counter()
        rules = yaml.safe_load(path.read_text("utf-8"))
        for rule in rules:
            for case in rule["cases"]:
                (status,) = judge([(rule["rule"], rule.get("effect", "reject"))], facts_of(case))
                found[
                    "violated" if status == "violated" else "open" if status == "indeterminate" else "kept",
                    case["is"],
                ] += 1
        total = found.total()
        decided = total - sum(found["open", truth] for truth in TRUTHS)
        broken = sum(found["violated", truth] for truth in TRUTHS)
        rows.append(
            (
                path.stem,
                total,
                wilson(decided, total),
                wilson(found["violated", "violated"] + found["kept", "satisfied"], decided),
                wilson(found["violated", "violated"], broken),
                found["kept", "violated"],
                sum(explain(rule["rule"], "reject").needs_judge for rule in rules),
            )
        )
    return Table(
        title="own cases: rules in plain language",
        columns=(
            "set",
            "cases",
            "decided",
            "right of decided",
            "violated: precision",
            "violations passed",
            "rules that need a judge",
        ),
        rows=rows,
        notes=[
            "shares with Wilson intervals at 95 %; what is not decided is abstained on, and goes to a judge",
            "held out: written by the author before the first run, which decided 63 of 101, all rightly",
        ],
    )


def clean(data: Data) -> Table:
    """Return how often texts without personal data are said to have some, and how often nothing is said."""
    texts = [row["text"] for name in ("banking77_test.csv", "banking77_train.csv") for row in data.rows(name)]
    rows = []
    for rule in ASKED:
        found = Counter(
            status
            for text in texts
            for status in judge([(rule, "reject")], {"user_intent": text, "phase": "input"})
        )
        rows.append(
            (
                rule,
                len(texts),
                found["violated"],
                found["indeterminate"],
                wilson(found["violated"], len(texts)),
            )
        )
    return Table(
        title="false alarms: messages of bank customers (banking77)",
        columns=("rule", "texts", "violated", "abstained", "false alarms"),
        rows=rows if texts else [],
        notes=data.notes("none of the messages was looked at while building"),
    )


def personal(data: Data) -> Table:
    """Return how much of the personal data in public records is found."""
    rows: list[tuple[object, ...]] = []
    users = json.loads(data.read("tau_retail_users.json") or "{}")
    addresses = [user["email"] for user in users.values()]
    rows += _found("e-mail addresses of tau-bench customers", addresses, "email")
    ids = [
        part
        for user in users.values()
        for part in (*user["orders"], *user["payment_methods"], user["address"]["zip"])
    ]
    for kind in ("email", "card number", "phone number", "social security number"):
        rows += _found(f"order, payment and postal codes taken for: {kind}", ids, kind)
    people = [each["scenario"]["personal"] for each in json.loads(data.read("abcd_sample.json") or "[]")]
    rows += _found(
        "phone numbers of ABCD", [each["phone"] for each in people if "phone" in each], "phone number"
    )
    rows += _found("e-mail addresses of ABCD", [each["email"] for each in people if "email" in each], "email")
    return Table(
        title="personal data in public records",
        columns=("what", "values", "found", "share"),
        rows=[row for row in rows if row[1]],
        notes=data.notes(
            "each value stands in a sentence; ABCD is the sample of three dialogues in its repository"
        ),
    )


def _found(what: str, values: list[str], kind: str) -> list[tuple[object, ...]]:
    hits = sum(bool(FINDERS[kind].find(f"Our records show {value} for this.")) for value in values)
    return [(what, len(values), hits, wilson(hits, len(values)))]


def injections(data: Data) -> Table:
    """Return recall and false alarms of the detector of injections."""
    rows: list[tuple[object, ...]] = []
    for name in ("deepset", "neuralchemy"):
        table = data.rows(f"{name}.csv")
        rows += _detected(
            name,
            [row["text"] for row in table if row["label"] == "1"],
            [row["text"] for row in table if row["label"] == "0"],
        )
    attacks = json.loads(data.read("bipia_text_attack_test.json") or "{}")
    mails = [json.loads(line)["context"] for line in data.read("bipia_email_test.jsonl").splitlines()]
    rows += _detected("BIPIA", [text for each in attacks.values() for text in each], mails)
    quiet = [row["text"] for row in data.rows("banking77_test.csv")]
    rows += _detected("banking77", [], quiet)
    return Table(
        title="injections (Agent Cert: prompt_injection)",
        columns=("set", "attempts", "recall", "harmless", "false alarms", "precision"),
        rows=rows,
        notes=data.notes(
            "signs were added after a look at deepset (recall before: .137); the others were not looked at",
            "deepset counts role play as attempts; BIPIA's attempts are plain requests without any sign",
        ),
    )


def _detected(name: str, attempts: list[str], quiet: list[str]) -> list[tuple[object, ...]]:
    hits = sum(injection(text).is_attempt for text in attempts)
    false = sum(injection(text).is_attempt for text in quiet)
    if not attempts and not quiet:
        return []
    return [
        (
            name,
            len(attempts),
            wilson(hits, len(attempts)),
            len(quiet),
            wilson(false, len(quiet)),
            wilson(hits, hits + false),
        )
    ]


def speed(data: Data, rounds: int) -> Table:
    """Return how many short texts a second are judged or looked at, on one core."""
    texts = [row["text"] for row in data.rows("banking77_test.csv")] or [
        "My card was charged twice, please help me."
    ]
    texts = [texts[at % len(texts)] for at in range(rounds)]
    rules = [(rule, "reject") for rule in RULES]
    parts: tuple[tuple[str, Callable[[str], object]], ...] = (
        (
            f"evaluate, {len(RULES)} rules",
            lambda text: judge(rules, {"agent_output": text, "phase": "output"}),
        ),
        ("sensitive_data", sensitive_data),
        ("injection", injection),
    )
    rows = []
    for name, act in parts:
        act(texts[0])
        began = time.perf_counter()
        for text in texts:
            act(text)
        rows.append((name, len(texts), round(len(texts) / (time.perf_counter() - began))))
    return Table(title="throughput", columns=("what", "texts", "texts/s"), rows=rows, notes=data.notes())


HOSTILE = {
    "words": "lorem ipsum dolor " * 5_556,
    "letters of other alphabets": "\u0441\u043b\u043e\u0432\u043e " * 16_667,
    "digits": "4111 1111 1111 1112 " * 5_000,
    "letters apart": "l.a.w.s.u.i.t " * 7_143,
    "signs": "!|" * 50_000,
    "addresses": "a@b. " * 20_000,
    "words for digits": "four one one " * 7_700,
}


def holds() -> Table:
    """Return how long the loop is held at most while texts of 100,000 characters are judged."""
    rows = []
    for name, text in HOSTILE.items():
        worst, total = asyncio.run(_held([*RULES, *ASKED], text))
        rows.append((name, len(text), round(worst, 1), round(total)))
    return Table(
        title=f"how long others wait, {len(RULES) + len(ASKED)} rules",
        columns=("text", "characters", "longest ms", "all ms"),
        rows=rows,
        notes=[f"processor time, whatever else the machine does; wanted: at most {HELD_MS} ms at a time"],
    )


async def _held(rules: list[str], text: str) -> tuple[float, float]:
    worst = 0.0
    last = time.process_time()

    async def watch() -> None:
        nonlocal worst, last
        while True:
            await asyncio.sleep(0)
            now = time.process_time()
            worst, last = max(worst, now - last), now

    questions = tuple(
        Question(id=str(at), text=rule, effect="reject", digest=str(at)) for at, rule in enumerate(rules)
    )
    for rule in rules:
        explain(rule, "reject")
    facts = {"agent_output": text, "user_intent": text, "phase": "decision"}
    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    began = last = time.process_time()
    await OfflineEvaluator().evaluate(Batch(questions=questions, facts=facts, timeout_ms=60_000))
    total = time.process_time() - began
    watching.cancel()
    return worst * 1000, total * 1000
