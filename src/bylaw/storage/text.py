"""What text and numbers every store can hold, so that all of them refuse the same values."""

import hashlib
import json
from collections.abc import Iterable

from bylaw.core.errors import InvalidInput

# An index entry of PostgreSQL holds 2,704 bytes: a tenant, two ids and a time fit with these.
MAX_TENANT_BYTES = 255
MAX_ID_BYTES = 1024
_INT64 = 1 << 63


def storable(value: str, *, max_bytes: int | None = None) -> str:
    """Return `value` when every store can hold it.

    Raises: InvalidInput for NUL, for lone surrogates, and for more than `max_bytes` in UTF-8.
    """
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise _refusal("not_unicode", "Text may not hold half of a surrogate pair.") from None
    if "\0" in value:
        raise _refusal("nul", "Text may not hold the NUL character.")
    if max_bytes is not None and size > max_bytes:
        raise _refusal("too_long", f"This text has {size} bytes; at most {max_bytes} are held here.")
    return value


def storable_int(value: int) -> int:
    """Return `value` when it fits 64 bits. Raises: InvalidInput."""
    if not -_INT64 <= value < _INT64:
        raise _refusal("out_of_range", "Whole numbers are held in 64 bits.")
    return value


def search_key(value: str) -> str:
    """Return what stands for `value` in an index: itself, or its hash where no index can hold it."""
    raw = value.encode("utf-8", "surrogatepass")
    if (
        len(raw) <= MAX_TENANT_BYTES
        and b"\0" not in raw
        and not any("\ud800" <= mark <= "\udfff" for mark in value)
    ):
        return value
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def lines(values: Iterable[str]) -> str:
    """Return `values` as text in which `lines([value])` is found exactly when `value` is one of them."""
    return "".join(f"\n{json_text(value)}\n" for value in values)


def json_text(value: object) -> str:
    """Return `value` as JSON in ASCII. Raises: InvalidInput for NaN, foreign types and endless nesting."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError) as error:
        raise _refusal("not_json", "This cannot be written as JSON.") from error


def _refusal(code: str, message: str) -> InvalidInput:
    return InvalidInput.of("", code, message)
