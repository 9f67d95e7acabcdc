"""The Idempotency-Key: a caller's promise that two requests under one key are the same request."""

from typing import Final

from bylaw.core.errors import Conflict, InvalidInput, Problem

MAX_KEY: Final = 200


def checked_key(text: str) -> str:
    """Return a key as it is. Raises: InvalidInput."""
    if 0 < len(text) <= MAX_KEY and text.isascii() and text.isprintable():
        return text
    message = f"An Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters."
    raise InvalidInput(message, Problem(path="idempotency-key", code="bad_key", message=message))


def reused() -> Conflict:
    """Return the error of a key that comes with another request than before."""
    return Conflict(
        "This Idempotency-Key was used for another request: take a new one.", reason="idempotency_key_reused"
    )
