"""One server process owns the receipts of a data directory: an advisory lock that ends with the process."""

import fcntl
import os
from pathlib import Path

from bylaw.core.errors import Conflict


class Ownership:
    """The exclusive right to write the receipts in a folder, until `release` or the end of the process.

    Raises: Conflict (`in_use`) that names the process which has it.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / "receipts.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise Conflict(
                f"The receipts in {folder} are being written by process {owner}. Stop it, or use another "
                "data directory; several servers at once need PostgreSQL.",
                reason="in_use",
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process take over."""
        os.close(self._descriptor)
