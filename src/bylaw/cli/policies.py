r"""`bylaw policies`: packs of files against a server: planned, applied, compared and written back."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol, TypeVar, cast

import click
import msgspec

from bylaw.api.native.pack_views import (
    AppliedPlanView,
    PackDocument,
    PacksToApply,
    PacksToPlan,
    PacksView,
    PlanStepView,
    PlanView,
)
from bylaw.api.native.search_views import ListedPolicyView, NearestView, PolicyList
from bylaw.cli.folder import read_folder
from bylaw.cli.lazy import LazyGroup, load
from bylaw.cli.options import SharingCommand
from bylaw.cli.remote import REACH, Remote, RemoteCommand, keyed
from bylaw.core.errors import Conflict, InvalidInput
from bylaw.policies.packs.documents import locate_all
from bylaw.policies.packs.export import HEADER, SCHEMA_FILE, yaml_text
from bylaw.policies.packs.model import Folder, pack_schema, schema_text
from bylaw.tenancy.principal import OPERATOR_TENANT

DIFFERENT: Final = 3
MANY: Final = 100  # changes from which on it is said that they take a moment
NAMED: Final = 10
MARKS: Final = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "archive": ("-", "red"),
    "unchanged": ("=", None),
}
DIRECTIONS: Final = {
    "widens": "allows more",
    "narrows": "allows less",
    "unclear": "may allow more",
    "same": "",
}

T = TypeVar("T")


class Target(Protocol):
    """Where packs are applied to."""

    def plan(self, sent: PacksToPlan) -> PlanView:
        """Return what applying would do."""

    def apply(self, sent: PacksToApply) -> AppliedPlanView:
        """Apply, and return what was done."""

    def export(self, *, pack: str | None, others: str) -> PacksView:
        """Return the approved policies as files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTarget:
    """A running server."""

    remote: Remote

    def plan(self, sent: PacksToPlan) -> PlanView:
        """Return what applying would do."""
        return self.remote.send("POST", "/v1/packs/plan", sent, PlanView)

    def apply(self, sent: PacksToApply) -> AppliedPlanView:
        """Apply, and return what was done."""
        return self.remote.send("POST", "/v1/packs/apply", sent, AppliedPlanView)

    def export(self, *, pack: str | None, others: str) -> PacksView:
        """Return the approved policies as files."""
        return self.remote.get("/v1/packs", PacksView, others=others, pack=pack)


WHERE: Final[Mapping[str, click.Option]] = MappingProxyType(
    {
        **REACH,
        "data": click.Option(
            ["--data"],
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            help="A data directory instead, while no server runs on it.",
        ),
        "tenant": click.Option(
            ["--tenant"], default=OPERATOR_TENANT, show_default=True, help="The tenant, with --data."
        ),
    }
)


def _policies(*, server: str, key: str | None, data: Path | None, tenant: str) -> Target:
    if data is not None:
        directory = cast("Callable[..., Target]", load("bylaw.cli.policies_data:DirectoryTarget"))
        return directory(data=data, tenant_id=tenant)
    return ServerTarget(remote=keyed(server, key, instead=", or --data DIR when no server runs"))


class TargetCommand(SharingCommand):
    """A command that also takes the options of `WHERE`, and passes on how to find their target."""

    shared = WHERE
    read = staticmethod(partial(partial, _policies))


@click.group(
    cls=LazyGroup,
    epilog="""\b
Examples:
  bylaw policies apply policies/ --dry-run         # against http://127.0.0.1:8181, key in BYLAW_API_KEY
  bylaw policies diff policies/
  bylaw policies export written/ --data bylaw-data # no server is running
""",
)
def policies() -> None:
    """Apply policies from files, compare them with what is stored, and write them back to files.

    Editors check a file that names its schema on its first line:
    `# yaml-language-server: $schema=./pack.schema.json`; `export` writes the schema beside the files.
    """


@policies.command(
    "apply",
    cls=TargetCommand,
    epilog="""\b
Examples:
  bylaw policies apply policies/ --dry-run         # against http://127.0.0.1:8181, key in BYLAW_API_KEY
  bylaw policies apply policies/ --server https://bylaw.example.com --yes --reason "agreed with finance"
  bylaw policies apply policies/ --data bylaw-data --yes      # no server is running
""",
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--prune", is_flag=True, help="Archive policies of these packs that no file contains any more.")
@click.option("--reason", default="", help="Why; it is kept with every new version.")
@click.pass_obj
def apply_command(
    find: Callable[[], Target], directory: Path, *, dry_run: bool, yes: bool, prune: bool, reason: str
) -> None:
    """Make the stored policies say what the packs in DIRECTORY say, after showing what that changes.

    Everything is done in one transaction, and exactly what was shown: if anything changed meanwhile, nothing
    is done, and the policies that changed are named. Doing it again does nothing more.
    """
    folder, target = read_folder(directory), find()
    documents = as_sent(folder)
    plan = _located(folder, lambda: target.plan(PacksToPlan(documents=documents, prune=prune)))
    _show(plan)
    if plan.is_empty or dry_run:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Nobody is there to ask: add --yes to carry it out.")
        click.confirm("Carry this out?", abort=True)
    sent = PacksToApply(documents=documents, prune=prune, plan=plan.digest, reason=reason)
    changes = sum(step.kind != "unchanged" for step in plan.steps)
    if changes >= MANY:
        click.echo(f"Carrying out {changes} changes together: all of them, or none.", err=True)
    try:
        done = _located(folder, lambda: target.apply(sent))
    except Conflict as error:
        if error.reason != "plan_changed":
            raise
        raise _changed_meanwhile(plan, target.plan(PacksToPlan(documents=documents, prune=prune))) from None
    for policy in done.policies:
        state = "in force" if policy.is_in_force else policy.status.replace("_", " ")
        waits = "" if policy.pending is None else f", version {policy.pending} waits for approval"
        click.echo(f"{policy.slug}: version {policy.version}, {state}{waits}")


@policies.command(
    "diff",
    cls=TargetCommand,
    epilog="\b\nExample:\n  bylaw policies diff policies/ --server https://bylaw.example.com",
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--prune", is_flag=True, help="Count policies of these packs that no file contains any more.")
@click.pass_obj
def diff_command(find: Callable[[], Target], directory: Path, *, prune: bool) -> int:
    """Show how what is stored differs from the packs in DIRECTORY. Exit code: 0 same, 3 different."""
    folder, target = read_folder(directory), find()
    plan = _located(folder, lambda: target.plan(PacksToPlan(documents=as_sent(folder), prune=prune)))
    _show(plan)
    for step in plan.steps:
        if step.diff is not None:
            click.echo(f"\n{step.slug}")
            click.echo("\n".join(_coloured(line) for line in step.diff.text.splitlines()))
    return 0 if plan.is_empty else DIFFERENT


@policies.command(
    "export",
    cls=TargetCommand,
    epilog="\b\nExample:\n  bylaw policies export written/ --server https://bylaw.example.com",
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--pack", help="Only this pack.")
@click.option("--others", default="exported", show_default=True, help="Pack for policies that no pack made.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.pass_obj
def export_command(
    find: Callable[[], Target], directory: Path, *, pack: str | None, others: str, force: bool
) -> None:
    """Write the approved policies as packs into DIRECTORY; applied again they change nothing."""
    found = find().export(pack=pack, others=others)
    files = {each.file: HEADER + yaml_text(msgspec.to_builtins(each.document)) for each in found.documents}
    files[SCHEMA_FILE] = schema_text(pack_schema())
    there = [name for name in files if (directory / name).exists() and name != SCHEMA_FILE]
    if there and not force:
        raise click.UsageError(f"{', '.join(there)} is there already: add --force to overwrite.")
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
        click.echo(f"wrote {directory / name}")


def as_sent(folder: Folder) -> tuple[PackDocument, ...]:
    """Return the files of a folder as they are sent."""
    return tuple(
        PackDocument(file=each.file, document=msgspec.convert(each.value, dict[str, object]))
        for each in folder.documents
    )


def _located(folder: Folder, asked: Callable[[], T]) -> T:
    """Return what is asked for, or raise its problems with the lines of the files."""
    try:
        return asked()
    except InvalidInput as error:
        raise locate_all(error, folder.documents) from None


def _show(plan: PlanView) -> None:
    for step in plan.steps:
        if step.kind != "unchanged" or step.note:
            click.echo(_line(step))
    counts = [(kind, sum(step.kind == kind for step in plan.steps)) for kind in MARKS]
    counts = [(kind, count) for kind, count in counts if count or kind == "unchanged"]
    click.echo(
        ", ".join(
            f"{count} to {kind}" if kind != "unchanged" else f"{count} unchanged" for kind, count in counts
        )
    )


def _changed_meanwhile(seen: PlanView, now: PlanView) -> Conflict:
    """Return the refusal that names the policies about which there is something else to be done by now."""
    before = {step.slug: step for step in seen.steps}
    after = {step.slug: step for step in now.steps}
    changed = sorted(slug for slug in {*before, *after} if before.get(slug) != after.get(slug))
    named = ", ".join(changed[:NAMED]) + (f" and {len(changed) - NAMED} more" if changed[NAMED:] else "")
    message = (
        f"Nothing was done: since the plan was shown, somebody changed {named or 'a policy'}. Plan again."
    )
    return Conflict(message, reason="plan_changed")


def _line(step: PlanStepView) -> str:
    mark, colour = MARKS[step.kind]
    said = [step.kind, *(switch.replace("_", " ") for switch in step.switches)]
    direction = "" if step.diff is None else DIRECTIONS[step.diff.direction]
    said += [word for word in (direction, step.note) if word]
    return click.style(f"{mark} {step.slug}", fg=colour) + f"  {', '.join(said)}"


def _coloured(line: str) -> str:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    return click.style(line, fg=colours.get(line[:1]))


@policies.command(
    "search",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw policies search "money back for damaged goods"
  bylaw policies search refund --topic returns --limit 3
""",
)
@click.argument("query")
@click.option("--topic", help="Only those of this topic.")
@click.option("--workspace", "workspace_id", help="Only those of this workspace.")
@click.option("--limit", type=click.IntRange(1, 500), default=10, show_default=True, help="Most to show.")
@click.pass_obj
def search_command(
    remote: Remote, query: str, *, topic: str | None, workspace_id: str | None, limit: int
) -> None:
    """Find policies on a server by the words of QUERY and by what it means, and say why each was found."""
    asked = {"q": query, "limit": limit, "topic": topic, "workspace_id": workspace_id}
    answer = remote.get("/v1/policies", PolicyList, **asked)
    for policy in answer.data:
        click.echo(_named(policy))
        if policy.match is not None:
            alike, words = policy.match.similarity, ", ".join(policy.match.words)
            near = "not compared yet" if alike is None else f"similarity {alike:.2f}"
            click.echo(f"    {near}" + (f"; has {words}" if words else ""))
    if answer.found is not None:
        for each in answer.found.nearest:
            click.echo(_named(each))
            click.echo(f"    comes nearest, but is not near: similarity {each.similarity:.2f}")
        click.echo(f"{len(answer.data)} of {answer.found.total} found.", err=True)
        if answer.found.waiting:
            click.echo(f"{answer.found.waiting} texts wait to be embedded.", err=True)
        if answer.found.note:
            click.echo(answer.found.note, err=True)


def _named(policy: ListedPolicyView | NearestView) -> str:
    """Return the line of a policy in what was found."""
    return f"{policy.id}  {policy.name}" + (f"  [{policy.topic}]" if policy.topic else "")
