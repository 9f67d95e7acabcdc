"""Database files that only the user of the server can read, wherever the data directory is."""

import os
from pathlib import Path

from bylaw.core.errors import Unavailable


def make_private(path: Path) -> None:
    """Make an empty file at `path` with mode 0600 if none is there.

    SQLite gives the files that it makes beside it the same mode. Raises: Unavailable.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise Unavailable(f"{path} cannot be opened: {error.strerror}.") from error
