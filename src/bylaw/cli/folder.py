"""A directory of packs, as commands read it."""

from collections.abc import Iterable
from pathlib import Path

import click

from bylaw.core.errors import Problem
from bylaw.policies.packs.load import load_folder
from bylaw.policies.packs.model import Folder


def read_folder(directory: Path) -> Folder:
    """Return what a directory of packs holds, after saying what is probably not meant.

    Raises: InvalidInput that names every fault.
    """
    folder = load_folder(directory)
    warn(folder.warnings)
    return folder


def warn(warnings: Iterable[Problem]) -> None:
    """Say what is probably not meant, each in a line of the standard error."""
    for warning in warnings:
        place = f"{warning.path}: " if warning.path else ""
        click.echo(f"{click.style('warning', fg='yellow')}  {place}{warning.message}", err=True)
