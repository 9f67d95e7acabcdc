"""JSON that a command is given: written out, in a file, or on standard input."""

import sys
from pathlib import Path

from bylaw.core import strict_json
from bylaw.core.errors import InvalidInput


def read_json(given: str, what: str) -> object:
    """Return the JSON that `given` is or names: `{…}`, the path of a file, with `@` before it or not, or `-`.

    It is read as the server reads a body. Raises: InvalidInput that says where the fault is, in what.
    """
    name, body = _read(given, what)
    try:
        return strict_json.parse(body)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error.message}", *error.problems) from None


def _read(given: str, what: str) -> tuple[str, bytes]:
    """Return what to call it, and its bytes."""
    if given == "-":
        return "standard input", sys.stdin.buffer.read()
    if given.lstrip()[:1] in {"{", "["}:
        return what, given.encode("utf-8", "surrogateescape")
    path = given.removeprefix("@")
    try:
        return path, Path(path).read_bytes()
    except FileNotFoundError:
        message = f"{what}: {given!r} is neither JSON nor a file: write {{…}}, the path of a file, or -."
        raise InvalidInput(message) from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
