"""RFC 8785 canonical JSON: the same value gives the same bytes everywhere.

`canonical` is the whole standard and is used for digests of policies and requests. `check_profile` enforces
the restricted profile of signed bodies (ASCII keys, integers below 2^53, no floats), inside which a sorted
fast encoder gives the same bytes (ADR-0004).
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence

_TYPES = "canonical JSON holds null, booleans, numbers, strings, lists and objects with string keys"
MAX_SAFE_INTEGER = 2**53 - 1

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def canonical(value: Json, *, long_integers: bool = False) -> bytes:
    """Return the RFC 8785 bytes of `value`; with `long_integers`, those beyond 2^53 - 1 in all their digits.

    Raises: ValueError for NaN, infinities, other long integers, lone surrogates or foreign types.
    Source: RFC 8785 §3.2.
    """
    parts: list[str] = []
    _write(value, parts, long_integers)
    return "".join(parts).encode("utf-8")


def digest(value: Json, *, long_integers: bool = False) -> str:
    """Return `sha256:` and the hexadecimal SHA-256 of the canonical bytes of `value`."""
    return "sha256:" + hashlib.sha256(canonical(value, long_integers=long_integers)).hexdigest()


def check_profile(value: object, path: str = "$") -> None:
    """Return nothing if `value` fits the restricted profile of signed bodies.

    Raises: ValueError that names the place of the first key or number that does not fit.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise ValueError(f"{path}: key {key!r} is not ASCII text")
            check_profile(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            check_profile(item, f"{path}[{index}]")
    elif isinstance(value, float):
        raise ValueError(f"{path}: {value!r} is a float; write decimals as strings")
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_SAFE_INTEGER:
        raise ValueError(f"{path}: {value} is beyond 2^53 - 1; write it as a string")


def _write(value: Json, parts: list[str], long_integers: bool) -> None:  # noqa: FBT001 - handed down
    if value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        parts.append(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, int):
        if abs(value) > MAX_SAFE_INTEGER and not long_integers:
            raise ValueError(f"{value} is beyond 2^53 - 1 and would lose digits in other readers")
        parts.append(str(value))
    elif isinstance(value, float):
        parts.append(_number(value))
    elif isinstance(value, Mapping):
        _write_object(value, parts, long_integers)
    elif isinstance(value, (list, tuple)):
        _write_list(value, parts, long_integers)
    else:
        raise ValueError(f"{type(value).__name__}: {_TYPES}")


def _write_object(value: Mapping[str, Json], parts: list[str], long_integers: bool) -> None:  # noqa: FBT001
    """Write members sorted by the UTF-16 code units of their names (RFC 8785 §3.2.3)."""
    if not all(isinstance(key, str) for key in value):
        raise ValueError(_TYPES)
    parts.append("{")
    for position, key in enumerate(sorted(value, key=lambda name: name.encode("utf-16-be"))):
        parts.append("," if position else "")
        parts.append(json.dumps(key, ensure_ascii=False))
        parts.append(":")
        _write(value[key], parts, long_integers)
    parts.append("}")


def _write_list(value: Sequence[Json], parts: list[str], long_integers: bool) -> None:  # noqa: FBT001
    parts.append("[")
    for position, item in enumerate(value):
        parts.append("," if position else "")
        _write(item, parts, long_integers)
    parts.append("]")


def _number(value: float) -> str:
    """Return `value` as ECMAScript's Number::toString writes it (RFC 8785 §3.2.2.3)."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent_text = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent_text or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    exponent = f"{point - 1:+d}"
    return sign + digits[0] + ("." + digits[1:] if count > 1 else "") + "e" + exponent
