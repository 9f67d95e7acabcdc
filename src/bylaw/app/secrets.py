"""Secrets that settings name by a file."""

from pathlib import Path
from typing import Final

from bylaw.core.errors import InvalidInput

# What of such a file is read: no secret is as long.
_MOST: Final = 8_192


def line_in(setting: str, file: str) -> str:
    """Return the only line of the file that a setting names, empty where it names none.

    Raises: InvalidInput that names the setting.
    """
    if not file:
        return ""
    variable = f"BYLAW_{setting.upper()}"
    try:
        with Path(file).expanduser().open(encoding="utf-8") as opened:
            line = opened.read(_MOST).strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InvalidInput.of(setting, "unreadable", f"{variable}: {file} cannot be read: {why}.") from None
    if not line or not line.isprintable() or " " in line:
        raise InvalidInput.of(setting, "bad_value", f"{variable}: {file} holds no key in one line.")
    return line
