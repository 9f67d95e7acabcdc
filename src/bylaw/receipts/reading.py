"""What every reader of outside bytes shares: base64 in its one spelling, and how a file is refused."""

import base64
import json
import re

import msgspec

from bylaw.core.errors import InvalidInput


def to_base64(data: bytes) -> str:
    """Return `data` as standard, padded base64."""
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """Return what the standard, padded base64 `text` stands for; each value has one accepted spelling.

    Raises: ValueError otherwise.
    """
    data = base64.b64decode(text, validate=True)
    if to_base64(data) != text:
        raise ValueError("base64 with stray bits")
    return data


def to_base64url(data: bytes) -> str:
    """Return `data` as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Return what the unpadded base64url `text` stands for; each value has one accepted spelling.

    Raises: ValueError otherwise.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_base64url(data) != text:
        raise ValueError("base64url with stray bits")
    return data


def malformed(what: str, why: object) -> InvalidInput:
    """Return the refusal of something that is not a well-formed `what`."""
    return InvalidInput.of(what, "malformed", f"Not a {what}: {why}.")


def unknown_format(what: str, known: str, found: str) -> InvalidInput:
    """Return the refusal of a `what` in a format that this version does not know."""
    return InvalidInput.of(what, "unknown_format", f"This reads {known}, not {found!r}: use a newer Bylaw.")


class _Formatted(msgspec.Struct):
    """Anything that says its format."""

    format: str


def require_format(what: str, known: str, data: bytes) -> None:
    """Return nothing if the JSON object `data`, a `what`, is of the format `known`.

    Raises: InvalidInput as `unknown_format` returns it; msgspec.MsgspecError when no format can be read.
    """
    found = msgspec.json.decode(data, type=_Formatted).format
    if found != known:
        raise unknown_format(what, known, found)


def require_unique_names(data: bytes) -> None:
    """Return nothing if no object of the JSON text `data` names a member twice.

    Two readers could take such an object for different ones, and one of them was not verified.
    Raises: ValueError, RecursionError.
    """
    json.loads(data, object_pairs_hook=_unique)


def _unique(members: list[tuple[str, object]]) -> None:
    names = [name for name, _ in members]
    if len(set(names)) != len(names):
        raise ValueError("an object names a member twice")


def is_unknown_format(error: InvalidInput) -> bool:
    """Return whether `error` refuses a format that this version does not know."""
    return any(problem.code == "unknown_format" for problem in error.problems)
