"""The learning loop over recorded conversations: what it proposes, and which written rules that recovers.

`airline`: tau-airline beside the project (`BYLAW_SHARED`, else `../shared`); the miner was tuned while it was
looked at. `retail`: the few-shot conversations of the retail domain in a clone of sierra-research/tau-bench
(`BYLAW_TAU_BENCH`), texts alone, without calls; nothing was tuned on it. What a proposal says was read by a
person: `learning_labels.toml` names, for the digest of each, the rules that it recovers, or none. A proposal
that nobody read is counted apart, so the figures cannot drift unseen.
"""

import asyncio
import json
import os
import re
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.report import Table
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, TenantId, WorkspaceId
from bylaw.learning.mining.miner import OfflineMiner
from bylaw.learning.recordings import import_recordings
from bylaw.learning.report import Finding, Report
from bylaw.learning.runs import carry_out, start_run
from bylaw.search.embedder import embedded
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.tenancy.model import Tenant, Workspace
from bylaw.tenancy.principal import Acting, system_principal

_HERE: Final = Path(__file__).parent
_LABELS: Final = _HERE / "learning_labels.toml"
_SPEAKER: Final = re.compile(r"^(user|assistant|tool): ", re.MULTILINE)
_IN_PART: Final = "?"
_TENANT: Final = TenantId("bench")
_WORKSPACE: Final = WorkspaceId("airline")


def run(*, quick: bool) -> list[Table]:
    """Return for each recording that is here what the loop proposes, and how much of the policy that is."""
    labels = tomllib.loads(_LABELS.read_text("utf-8"))
    tables: list[Table] = []
    for name, records in (("airline", _airline()), ("retail", _retail())):
        if not records:
            title = f"Learning, {name}: the recording is not here"
            tables.append(Table(title=title, columns=("set", "to"), rows=[("BYLAW_TAU_BENCH", "a clone")]))
            continue
        began = time.perf_counter()
        report = asyncio.run(_learnt(records[: 40 if quick else None]))
        seconds = time.perf_counter() - began
        tables.append(_findings(name, report, labels[name]["recovers"]))
        tables += _figures(name, report, labels[name], seconds=seconds)
    return tables


def _airline() -> list[object]:
    named = os.environ.get("BYLAW_SHARED")
    shared = Path(named) if named else _HERE.parent.parent / "shared"
    recording = shared / "data" / "tau-airline" / "conversations.jsonl"
    if not recording.exists():
        return []
    return [json.loads(line) for line in recording.read_text("utf-8").splitlines()]


def _retail() -> list[object]:
    recording = (
        Path(os.environ.get("BYLAW_TAU_BENCH", "")) / "few_shot_data" / "MockRetailDomainEnv-few_shot.jsonl"
    )
    if not recording.exists():
        return []
    return [_told(line, number) for number, line in enumerate(recording.read_text("utf-8").splitlines())]


def _told(line: str, number: int) -> object:
    """Return a conversation that is written as `user: …`, `assistant: …` and `tool: …`."""
    parts = _SPEAKER.split(json.loads(line)["messages_display"])
    said = zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True)
    messages = [{"role": role, "content": text} for role, text in said if role != "tool" and text != "None"]
    return {"id": f"retail-{number:02}", "messages": messages}


async def _learnt(records: Sequence[object]) -> Report:
    """Return the report of a run over recorded conversations in an empty workspace, as a server makes it."""
    clock = SystemClock()
    ids = Ids(clock)
    store = MemoryControlStore(ids=ids, clock=clock)
    async with store.system() as system:
        await system.add_tenant(Tenant(id=_TENANT, name="Bench", created_ms=0))
    async with store.begin(_TENANT) as unit:
        await unit.tenancy.workspaces.add(
            Workspace(id=_WORKSPACE, tenant_id=_TENANT, name="Airline", created_ms=0)
        )
        acting = Acting(unit=unit, principal=system_principal(_TENANT), clock=clock, ids=ids)
        await import_recordings(acting, _WORKSPACE, records, learn=False)
        begun = await start_run(acting, _WORKSPACE)
    miner = OfflineMiner(embedder=embedded())
    done = await carry_out(
        lambda *, writes=True: store.begin(_TENANT, writes=writes),
        _TENANT,
        begun.id,
        miners=lambda _: miner,
        clock=clock,
        ids=ids,
    )
    if done is None or done.report is None:
        raise RuntimeError("the run was not carried out")
    return done.report


def _findings(name: str, report: Report, recovers: dict[str, list[str]]) -> Table:
    rows: list[tuple[object, ...]] = [
        (
            _cut(each),
            each.draft.kind,
            each.draft.confidence,
            len(each.draft.supports),
            each.draft.against,
            each.held_back or "proposed",
            " ".join(recovers.get(each.draft.digest, ["unread"])) or "none",
            each.draft.digest.partition(":")[2][:12],
        )
        for each in report.findings
    ]
    return Table(
        title=f"Learning, {name}: {report.read} conversations ({report.embedder})",
        columns=("rule", "kind", "confidence", "shown by", "against", "outcome", "recovers", "digest"),
        rows=rows,
    )


def _cut(finding: Finding) -> str:
    text = finding.draft.expr or finding.draft.text
    return text if len(text) <= 110 else f"{text[:109]}…"


def _figures(
    name: str, report: Report, labels: dict[str, dict[str, object]], *, seconds: float
) -> list[Table]:
    recovers, rules = labels["recovers"], labels["rules"]
    proposed = [each for each in report.findings if each.held_back is None]
    read = [each for each in proposed if each.draft.digest in recovers]
    said = [(each, _named(recovers[each.draft.digest])) for each in read]
    whole = {rule for _, named in said for rule in named if not rule.endswith(_IN_PART)}
    some = whole | {rule.removesuffix(_IN_PART) for _, named in said for rule in named}
    held = {
        rule.removesuffix(_IN_PART)
        for each in report.findings
        for rule in _named(recovers.get(each.draft.digest, ()))
    }
    wholly = sum(any(not rule.endswith(_IN_PART) for rule in named) for _, named in said)
    partly = sum(bool(named) for _, named in said)
    figures: list[tuple[object, ...]] = [
        ("proposals", len(proposed)),
        ("of these read by a person", len(read)),
        ("precision: says a rule of the policy", wholly / len(read) if read else None),
        ("precision: says one at least in part", partly / len(read) if read else None),
        ("rules of the policy", len(rules)),
        ("recall: said by a proposal", len(whole) / len(rules)),
        ("recall: said at least in part", len(some) / len(rules)),
        ("the same, with what was held back", len(held) / len(rules)),
        ("seconds", round(seconds, 1)),
    ]
    counts = Counter(each.draft.kind for each in read)
    right = Counter(each.draft.kind for each, named in said if named)
    kinds: list[tuple[object, ...]] = [
        (kind, count, right[kind], right[kind] / count) for kind, count in counts.most_common()
    ]
    missed: list[tuple[object, ...]] = [(rule, str(says)) for rule, says in rules.items() if rule not in some]
    columns = ("kind", "proposals", "rules, at least in part", "precision")
    return [
        Table(
            title=f"Learning, {name}: what the proposals recover", columns=("figure", "value"), rows=figures
        ),
        Table(title=f"Learning, {name}: by kind", columns=columns, rows=kinds),
        Table(title=f"Learning, {name}: rules that no proposal says", columns=("rule", "says"), rows=missed),
    ]


def _named(rules: object) -> list[str]:
    return [str(each) for each in rules] if isinstance(rules, (list, tuple)) else []
