"""Data that commands look at: what is not there is said, and never made by looking."""

from typing import Final

from bylaw.core.errors import InvalidInput
from bylaw.settings import Storage

_FILES: Final = ("control.db", "receipts.db")


def require_data(storage: Storage) -> None:
    """Refuse a directory that holds no database; one that is elsewhere is asked when it is opened.

    Raises: InvalidInput.
    """
    if not storage.database and not any((storage.data / name).exists() for name in _FILES):
        raise InvalidInput(f"There is no data in {storage.data}: name its directory with --data.")
