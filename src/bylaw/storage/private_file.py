"""A small file of secrets that only its owner may read (mode 0600); one that others can read is refused.

It is replaced as a whole: a crash leaves the old one or the new one. Between reading and replacing it a
process holds its lock, so several may share it.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bylaw.core.errors import Conflict, Corrupt


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """The file at `path`; `holds` and `option` say what is in it and how it is named."""

    path: Path
    holds: str
    option: str

    def read(self) -> bytes:
        """Return what is in it.

        Raises: Conflict when it is no file, or others may read it; Corrupt when it is not there.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError as error:
            raise Corrupt(f"The {self.holds} are gone from {self.path}.", place=str(self.path)) from error
        if not stat.S_ISREG(found.st_mode):
            message = f"{self.path} is not a file: move it away, or name another with {self.option}."
            raise Conflict(message, reason="key_file_is_no_file")
        if found.st_mode & 0o077:
            raise Conflict(
                f"Others may read the {self.holds} in {self.path}: make it private with `chmod 600`, and"
                " rotate the key if somebody might have read it.",
                reason="key_file_is_public",
            )
        return self.path.read_bytes()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from replacing the file meanwhile; hold it only to read and replace."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.lock")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def replace(self, content: bytes) -> None:
        """Put another content in its place, durably; inside `locked`, unless nobody shares it."""
        beside = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
