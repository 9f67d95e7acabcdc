"""`bylaw jobs`: the work of a server apart from requests: seen, tried again, stopped."""

from typing import Final, get_args
from urllib.parse import quote

import click
import msgspec

from bylaw.api.answers import Page
from bylaw.api.native.jobs import JobDetail, JobView
from bylaw.cli.pages import limit_option, say_rest
from bylaw.cli.remote import Remote, RemoteCommand
from bylaw.jobs.model import JobStatus

COLOURS: Final = {"running": "cyan", "done": "green", "dead": "red", "cancelled": "yellow"}
EPILOG = """\b
Examples:
  bylaw jobs list --status dead
  bylaw jobs show 01a1fee4-3087-7b11-a849-9a0726395d12
  bylaw jobs retry 01a1fee4-3087-7b11-a849-9a0726395d12
"""


@click.group(epilog=EPILOG)
def jobs() -> None:
    """See what is done apart from requests; have a job tried again, or stopped."""


@jobs.command(
    "list",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw jobs list
  bylaw jobs list --status dead --kind learning.run
""",
)
@click.option("--kind", help="Only those of this kind.")
@click.option("--status", type=click.Choice(get_args(JobStatus)), help="Only those with this status.")
@limit_option
@click.pass_obj
def list_jobs(remote: Remote, *, kind: str | None, status: str | None, limit: int) -> None:
    """List jobs, newest first."""
    found = remote.get("/v1/jobs", Page[JobView], limit=limit, kind=kind, status=status)
    for job in found.data:
        click.echo(_line(job))
    say_rest(found, limit, options="--limit, --kind or --status")


@jobs.command(
    "show",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw jobs show 01a1fee4-3087-7b11-a849-9a0726395d12
""",
)
@click.argument("job_id")
@click.pass_obj
def show_job(remote: Remote, job_id: str) -> None:
    """Show one job: what is to be done, what of it is done, and what came of it."""
    job = remote.get(_path(job_id), JobDetail)
    click.echo(_line(job))
    click.echo(f"  created   {job.created_at}")
    click.echo(f"  due       {job.due_at}")
    for name, moment in (("started", job.started_at), ("ended", job.ended_at)):
        if moment is not None:
            click.echo(f"  {name:<9} {moment}")
    click.echo(f"  payload   {_json(job.payload)}")
    for step in job.steps:
        click.echo(f"  step      {step.name}  {step.done_at}  {_json(step.result)}")
    if job.result is not None:
        click.echo(f"  result    {_json(job.result)}")


@jobs.command(
    "retry",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw jobs retry 01a1fee4-3087-7b11-a849-9a0726395d12
""",
)
@click.argument("job_id")
@click.pass_obj
def retry_job(remote: Remote, job_id: str) -> None:
    """Have a job start as soon as possible; what of it is done stays done."""
    click.echo(_line(remote.send("POST", f"{_path(job_id)}/retry", None, JobView)))


@jobs.command(
    "cancel",
    cls=RemoteCommand,
    epilog="""\b
Examples:
  bylaw jobs cancel 01a1fee4-3087-7b11-a849-9a0726395d12
""",
)
@click.argument("job_id")
@click.pass_obj
def cancel_job(remote: Remote, job_id: str) -> None:
    """Have a job not be done; one that runs is stopped."""
    click.echo(_line(remote.send("POST", f"{_path(job_id)}/cancel", None, JobView)))


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _line(job: JobView) -> str:
    status = click.style(f"{job.status:<9}", fg=COLOURS.get(job.status))
    parts = [job.id, status, job.kind, f"attempt {job.attempt}"]
    if job.progress_total:
        parts.append(f"{job.progress_done} of {job.progress_total}")
    if job.error:
        parts.append(job.error)
    return "  ".join(parts)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
