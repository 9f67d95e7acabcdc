r"""`bylaw test`: runs the cases that are kept beside policies."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click

from bylaw.backtest.cases import Run, run_cases
from bylaw.backtest.junit import junit
from bylaw.backtest.local import LocalPolicies
from bylaw.cli.folder import read_folder

FAILED = 1
NO_CASES = 2


EPILOG = """\b
Examples:
  bylaw test policies/
  bylaw test policies/ --coverage --junit report.xml
"""


@click.command("test", epilog=EPILOG)
@click.argument("directory", type=click.Path(path_type=Path, exists=True))
@click.option("--junit", "junit_path", type=click.Path(path_type=Path), help="Also write JUnit XML there.")
@click.option("--coverage", is_flag=True, help="Fail when some rule was not seen both to hold and not to.")
@click.option("--json", "as_json", is_flag=True, help="Write results and coverage as JSON.")
def test_policies(directory: Path, junit_path: Path | None, *, coverage: bool, as_json: bool) -> int:
    """Run the cases in DIRECTORY's `cases` folders against its packs, with no server.

    Exit codes: 0 all as expected · 1 some case or the coverage failed · 2 there are no cases, or the files
    are unusable.
    """
    folder = read_folder(directory)
    if not folder.cases:
        click.echo(f"No cases in {directory}: put them in {directory / 'cases'}/*.yaml.", err=True)
        return NO_CASES
    run = asyncio.run(run_cases(LocalPolicies(folder), folder.cases))
    if junit_path is not None:
        junit_path.write_text(junit(run), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(_data(run), indent=2, ensure_ascii=False))
    else:
        _show(run)
    return FAILED if run.failed or (coverage and _half_tried(run)) else 0


def _half_tried(run: Run) -> list[str]:
    return [f"{each.policy}/{each.rule}" for each in run.coverage if not each.is_tried]


def _data(run: Run) -> dict[str, object]:
    return {
        "passed": len(run.results) - run.failed,
        "failed": run.failed,
        "cases": [
            {"name": r.name, "file": r.file, "line": r.line, "misses": list(r.misses)} for r in run.results
        ],
        "coverage": [{**asdict(each), "is_tried": each.is_tried} for each in run.coverage],
    }


def _show(run: Run) -> None:
    for result in run.results:
        mark = click.style("FAILED", fg="red") if result.misses else click.style("passed", fg="green")
        click.echo(f"{mark}  {result.name}")
        for miss in result.misses:
            click.echo(f"        {result.file}:{result.line}  {miss}")
    half = _half_tried(run)
    tried = len(run.coverage) - len(half)
    click.echo(f"\n{len(run.results) - run.failed} passed, {run.failed} failed")
    click.echo(f"{tried} of {len(run.coverage)} rules were seen both to hold and not to")
    for name in half:
        click.echo(f"  half tried: {name}")
