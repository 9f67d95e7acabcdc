r"""`bylaw learning`: conversations brought to a server, what it learns from them, and how."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, assert_never
from urllib.parse import quote

import click
import msgspec

from bylaw.api.answers import Page
from bylaw.api.native.learning_views import (
    MOST_RECORDS,
    ConversationImportResult,
    ConversationImportView,
    ConversationsToImport,
    FindingView,
    LearningChoices,
    LearningSettingsView,
    NewRun,
    RunItem,
    RunView,
)
from bylaw.api.problems import FieldProblem
from bylaw.cli.pages import limit_option, say_rest
from bylaw.cli.remote import Remote, RemoteCommand
from bylaw.core import strict_json
from bylaw.core.errors import InvalidInput, Problem, TooLarge, Unavailable

_BATCH_BYTES: Final = 400_000
_WAIT_S: Final = 600
_LOOK_S: Final = 0.5
_LOOKS_TO_SAY: Final = 20  # so many looks apart, whoever waits is told for what
_JOBS: Final = "bylaw jobs list --kind learning.run"

EPILOG: Final = """\b
Examples:
  bylaw learning import conversations.jsonl --workspace support
  bylaw learning run --workspace support --dry-run
  bylaw learning settings --workspace support --minimum-confidence 0.6
  bylaw learning forget support:conv-8841
"""


@click.group(epilog=EPILOG)
def learning() -> None:
    """Bring conversations, and see which policies they show."""


@learning.command(
    "import",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw learning import conversations.jsonl --workspace support
  bylaw learning import conversations.jsonl --workspace support --no-run
""",
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--workspace", required=True, help="The workspace to which they belong.")
@click.option("--no-run", is_flag=True, help="Start no run over what is new.")
@click.pass_obj
def import_file(remote: Remote, file: Path, *, workspace: str, no_run: bool) -> int:
    """Import recorded conversations, one JSON object a line; a known id stays as it is.

    A line that cannot be read is named with its number, and the others are imported: exit code 1.
    """
    counts: dict[str, int] = {}
    is_learnt = False
    # The last batch causes the run, so that there is one for the whole file.
    for batch, is_last in _with_last(_batches(file, counts)):
        learn = is_last and not no_run
        for result in _sent(remote, batch, workspace=workspace, learn=learn):
            is_learnt |= learn and result.outcome == "imported"
            counts[result.outcome] = counts.get(result.outcome, 0) + 1
            for problem in result.problems:
                _say(batch[result.place][0], problem.path, problem.message)
        click.echo(f"{sum(counts.values())} read", err=True)
    told = ", ".join(f"{counts.get(each, 0)} {each}" for each in ("imported", "unchanged", "refused"))
    click.echo(told)
    if counts.get("imported"):  # where nothing in the last batch is new, it caused no run
        click.echo(
            f"What they show: bylaw learning run{'s' if is_learnt else ''} --workspace {workspace}", err=True
        )
    return 1 if counts.get("refused") else 0


Batch = list[tuple[int, dict[str, object]]]


def _sent(remote: Remote, batch: Batch, *, workspace: str, learn: bool) -> list[ConversationImportResult]:
    """Return what became of the lines of a batch; those among which one cannot be sent go one by one."""
    sent = ConversationsToImport(
        workspace_id=workspace, conversations=tuple(record for _, record in batch), learn=learn
    )
    try:
        answer = remote.send("POST", "/v1/conversations/import", sent, ConversationImportView)
    except (InvalidInput, TooLarge) as error:
        if len(batch) > 1:
            alone = [_sent(remote, [each], workspace=workspace, learn=learn) for each in batch]
            return [msgspec.structs.replace(each, place=place) for place, (each,) in enumerate(alone)]
        problems = tuple(
            FieldProblem(
                path=each.path.removeprefix("conversations[0]."), code=each.code, message=each.message
            )
            for each in _problems(error)
        )
        return [ConversationImportResult(place=0, id="", outcome="refused", problems=problems)]
    return list(answer.results)


def _problems(error: InvalidInput | TooLarge) -> tuple[Problem, ...]:
    told = error.problems if isinstance(error, InvalidInput) else ()
    return told or (Problem(path="", code=error.code, message=error.message),)


def _say(number: int, path: str, message: str) -> None:
    """Write what is wrong with a line, and where in it."""
    place = f"{path}: " if path else ""
    click.echo(f"line {number}: {place}{message.replace('line 1 column', 'column')}", err=True)


def _batches(file: Path, counts: dict[str, int]) -> Iterator[Batch]:
    """Yield the lines of a file with their numbers, in parts that a server takes."""
    batch: Batch = []
    size = 0
    with click.open_file(str(file), "rb") as opened:
        for number, line in enumerate(opened, 1):
            if not line.strip():
                continue
            record = _record(line, number, counts)
            if record is None:
                continue
            if batch and (len(batch) == MOST_RECORDS or size + len(line) > _BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append((number, record))
            size += len(line)
    if batch:
        yield batch


def _record(line: bytes, number: int, counts: dict[str, int]) -> dict[str, object] | None:
    try:
        record = strict_json.parse(line)
    except InvalidInput as error:
        for problem in _problems(error):
            _say(number, problem.path, problem.message)
    else:
        if isinstance(record, dict):
            return record
        _say(number, "", "A conversation is a JSON object with an id and messages.")
    counts["refused"] = counts.get("refused", 0) + 1
    return None


def _with_last(batches: Iterator[Batch]) -> Iterator[tuple[Batch, bool]]:
    """Yield each batch with whether it is the last."""
    held: Batch | None = None
    for batch in batches:
        if held is not None:
            yield held, False
        held = batch
    if held is not None:
        yield held, True


@learning.command(
    "run",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw learning run --workspace support --dry-run      # what would be proposed
  bylaw learning run --workspace support                # proposals wait for review
""",
)
@click.option("--workspace", required=True, help="The workspace to learn in.")
@click.option("--dry-run", is_flag=True, help="Propose nothing, say what would be proposed.")
@click.option("--no-wait", is_flag=True, help="Give the id of the run, and do not wait for its end.")
@click.pass_obj
def run_now(remote: Remote, *, workspace: str, dry_run: bool, no_wait: bool) -> None:
    """Run the loop over the resolved conversations of a workspace, and show what it found."""
    sent = NewRun(workspace_id=workspace, dry_run=dry_run)
    run = remote.send("POST", "/v1/learning/runs", sent, RunItem)
    if no_wait:
        click.echo(run.id)
        return
    for look in range(1, int(_WAIT_S / _LOOK_S)):
        found = _read_run(remote, run.id)
        match found.status:
            case "finished":
                _show(found)
                return
            case "failed":
                raise Unavailable(f"The run {run.id} was given up: see `{_JOBS}`.")
            case "waiting" | "running":
                if look % _LOOKS_TO_SAY == 0:
                    click.echo(f"{run.id} is {found.status}: see `{_JOBS}`.", err=True)
            case _:
                assert_never(found.status)
        time.sleep(_LOOK_S)
    raise Unavailable(f"The run {run.id} is not over yet: see `bylaw learning show {run.id}`, `{_JOBS}`.")


@learning.command(
    "runs",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw learning runs --workspace support
""",
)
@click.option("--workspace", help="Only those of this workspace.")
@limit_option
@click.pass_obj
def list_runs(remote: Remote, *, workspace: str | None, limit: int) -> None:
    """List runs, newest first."""
    runs = remote.get("/v1/learning/runs", Page[RunItem], limit=limit, workspace_id=workspace)
    for run in runs.data:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in run.counts.items())
        dry = " (dry)" if run.dry_run else ""
        click.echo(
            f"{run.id}  {run.created_at}  {run.workspace_id}  {run.cause}{dry}  {run.status}  {counts}"
        )
    none = "There are none. Start one: bylaw learning run --workspace WORKSPACE."
    say_rest(runs, limit, options="--limit or --workspace", none=none)


@learning.command(
    "show",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw learning show 01a1fee4-3087-7b11-a849-9a0726395d13
""",
)
@click.argument("run_id")
@click.option("--json", "as_json", is_flag=True, help="Write it as JSON.")
@click.pass_obj
def show_run(remote: Remote, run_id: str, *, as_json: bool) -> None:
    """Show a run: what it proposes, and what it holds back and why."""
    found = _read_run(remote, run_id)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False))
    else:
        _show(found)


@learning.command(
    "settings",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw learning settings --workspace support
  bylaw learning settings --workspace support --minimum-confidence 0.6
""",
)
@click.option("--workspace", required=True, help="The workspace.")
@click.option("--enabled/--disabled", default=None, help="Whether it learns from what is resolved.")
@click.option("--minimum-confidence", type=click.FloatRange(0, 1), help="What is less sure stays out.")
@click.option("--most-per-conversation", type=click.IntRange(1, 50), help="Proposals of one conversation.")
@click.option("--suppress-days", type=click.IntRange(0, 3_650), help="How long a rejection holds.")
@click.option("--similarity", type=click.FloatRange(0, 1), help="From which on two rules say the same.")
@click.option(
    "--keep-days", type=click.IntRange(0, 36_500), help="How long conversations are kept; 0: always."
)
@click.option("--miner", type=click.Choice(["offline", "model"]), help="Who mines.")
@click.pass_obj
def settings(remote: Remote, /, *, workspace: str, **chosen: object) -> None:
    """Show how a workspace learns, or change what is named."""
    path = f"/v1/workspaces/{quote(workspace, safe='')}/learning"
    current = remote.get(path, LearningSettingsView)
    wanted = {name: value for name, value in chosen.items() if value is not None}
    if wanted:
        held = msgspec.to_builtins(current)
        held.pop("workspace_id")
        sent = msgspec.convert({**held, **wanted}, LearningChoices)
        current = remote.send("PUT", path, sent, LearningSettingsView)
    for name, value in msgspec.to_builtins(current).items():
        click.echo(f"{name}: {str(value).lower() if isinstance(value, bool) else value}")


@learning.command(
    "forget",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw learning forget support:conv-8841
  bylaw learning settings --workspace support --keep-days 90      # the others, when they are over
""",
)
@click.argument("conversation_ids", nargs=-1, required=True)
@click.pass_obj
def forget(remote: Remote, *, conversation_ids: tuple[str, ...]) -> None:
    """Forget conversations for good, with what was learnt from them; approved policies stay."""
    for ident in conversation_ids:
        remote.request("DELETE", f"/v1/learning/conversations/{quote(ident, safe='')}")
        click.echo(f"{ident} is forgotten", err=True)


def _read_run(remote: Remote, run_id: str) -> RunView:
    return remote.get(f"/v1/learning/runs/{quote(run_id, safe='')}", RunView)


def _show(run: RunView) -> None:
    dry = ", a dry run" if run.dry_run else ""
    click.echo(f"{run.id}: {run.status}{dry}; {run.read} conversations read; mined {run.miner or 'not yet'}")
    if run.note:
        click.echo(run.note)
    for finding in run.findings:
        _show_finding(finding)
    if run.status == "finished" and not run.read:
        click.echo("No conversation here is resolved. Bring some: bylaw learning import FILE.", err=True)
    elif run.status == "finished" and not run.findings:
        click.echo("Nothing was found.", err=True)


def _show_finding(finding: FindingView) -> None:
    colour = "green" if finding.outcome == "proposed" else None
    outcome = click.style(finding.outcome, fg=colour)
    click.echo(f"\n{outcome}  {finding.confidence:.2f}  {finding.text}")
    count = len(finding.supports)
    shown = f"  {finding.kind}, {count} conversation{'' if count == 1 else 's'}"
    click.echo(f"{shown}, {finding.against} against" if finding.against else shown)
    if finding.expr:
        click.echo(f"  {finding.expr}")
    for evidence in finding.evidence[:2]:
        click.echo(f"  {evidence.conversation_id}, {evidence.speaker}: {evidence.text[:160]}")
    for note in finding.notes:
        click.echo(f"  {note}")
    if finding.policy_id:
        click.echo(f"  waits for review as {finding.policy_id}")
