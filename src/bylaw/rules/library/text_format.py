"""`text.format(list)`: `%s %d %f %e %b %o %x %X`, with a precision for `%f` and `%e`."""

import math
import re
from typing import Final

from bylaw.rules import times
from bylaw.rules.budget import Budget
from bylaw.rules.equality import NUMBERS
from bylaw.rules.values import TYPE_NAME, Duration, Timestamp, Type, from_key, type_name
from bylaw.rules.verdict import Code, Failure

_CLAUSE: Final = re.compile(r"%(?:(%)|(?:\.([0-9]{1,3}))?([a-zA-Z]))", re.ASCII)
_MAX_PRECISION: Final = 100
_WORDS: Final[dict[object, str]] = {None: "null", True: "true", False: "false"}


def plain_double(value: float) -> str:
    """Return the shortest text that reads back as `value`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    return text


def format_text(budget: Budget, template: str, values: list[object]) -> str:
    """Return `template` with its clauses replaced by `values` in order."""
    parts: list[str] = []
    at, used = 0, 0
    while (mark := template.find("%", at)) >= 0:
        budget.spend(2)
        clause = _CLAUSE.match(template, mark)
        if clause is None:
            raise Failure("invalid_argument", "format() has an unknown clause")
        parts.append(template[at:mark])
        at = clause.end()
        if clause[1]:
            parts.append("%")
            continue
        if used >= len(values):
            raise Failure("range", f"format() has no value for clause {used + 1}")
        parts.append(_formatted(budget, clause, values[used]))
        used += 1
    parts.append(template[at:])
    return "".join(parts)


def _formatted(budget: Budget, clause: re.Match[str], value: object) -> str:
    letter, precision = clause[3], clause[2]
    if precision is not None and (letter not in "fe" or int(precision) > _MAX_PRECISION):
        raise Failure("invalid_argument", "format() has a precision where none fits")
    match letter:
        case "s":
            return _text(budget, value)
        case "d":
            return _decimal(value)
        case "f" | "e":
            return _floating(value, letter, 6 if precision is None else int(precision))
        case "b" | "o" | "x" | "X":
            return _radix(budget, value, letter)
        case _:
            raise Failure("invalid_argument", "format() has an unknown clause")


def _wrong(letter: str, value: object) -> Failure:
    code: Code = "null_value" if value is None else "type_error"
    return Failure(code, f"%{letter} does not take {type_name(value)}")


def _decimal(value: object) -> str:
    if isinstance(value, int) and type(value) in NUMBERS and value.bit_length() <= 64:
        return str(int(value))
    if type(value) is float:
        return plain_double(value)
    raise _wrong("d", value)


def _floating(value: object, letter: str, precision: int) -> str:
    if not (isinstance(value, (int, float)) and type(value) in NUMBERS):
        raise _wrong(letter, value)
    if isinstance(value, int) and value.bit_length() > 64:
        raise Failure("range", "the number is beyond 64 bits")
    number = float(value)
    return f"{number:.{precision}{letter}}" if math.isfinite(number) else plain_double(number)


def _radix(budget: Budget, value: object, letter: str) -> str:
    whole = type(value) in NUMBERS or (letter == "b" and type(value) is bool)
    if whole and isinstance(value, int) and value.bit_length() <= 64:
        return f"{int(value):{letter}}"
    if letter in "xX" and (type(value) is str or type(value) is bytes):
        budget.read(len(value) * 2)
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        return data.hex().upper() if letter == "X" else data.hex()
    raise _wrong(letter, value)


def _text(budget: Budget, root: object) -> str:
    """Return `root` as text, walking lists and maps without Python's stack."""
    parts: list[str] = []
    todo: list[tuple[bool, object]] = [(False, root)]  # (already text, value)
    while todo:
        done, value = todo.pop()
        if done and type(value) is str:
            parts.append(value)
        elif type(value) is list:
            budget.spend(1 + 2 * len(value))
            todo.append((True, "]"))
            for position in range(len(value) - 1, -1, -1):
                todo.append((False, value[position]))
                todo.append((True, ", " if position else "["))
            if not value:
                todo.append((True, "["))
        elif type(value) is dict:
            budget.spend(1 + 4 * len(value))
            todo.append((True, "}"))
            entries = sorted(
                ((_leaf(budget, from_key(key)), item) for key, item in value.items()), key=_first
            )
            for position in range(len(entries) - 1, -1, -1):
                name, item = entries[position]
                todo += [(False, item), (True, f"{', ' if position else '{'}{name}: ")]
            if not value:
                todo.append((True, "{"))
        else:
            parts.append(_leaf(budget, value))
    return "".join(parts)


def _first(entry: tuple[str, object]) -> str:
    return entry[0]


def _leaf(budget: Budget, value: object) -> str:
    if type(value) not in TYPE_NAME:
        raise _wrong("s", value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, (str, bytes)):
        budget.read(len(value))
        return value if isinstance(value, str) else value.decode("utf-8", "replace")
    if isinstance(value, (int, float)):
        return _decimal(value)
    match value:
        case Timestamp():
            return times.format_timestamp(value)
        case Duration():
            return times.format_duration(value)
        case Type():
            return value.name
        case _:
            raise _wrong("s", value)
