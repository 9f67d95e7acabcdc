"""Reading settings from flags, variables and a file, and each value as its type."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args, get_origin

from bylaw.core.errors import InvalidInput, Problem
from bylaw.settings.faults import faults
from bylaw.settings.sections import Settings
from bylaw.settings.table import PREFIX, Known, build, known

# Variables with our prefix that other programs read: the client commands, and the test suite.
OTHERS = frozenset(
    {
        "BYLAW_CONFIG",
        "BYLAW_URL",
        "BYLAW_API_KEY",
        "BYLAW_SOURCE_KEY",
        "BYLAW_SHARED",
        "BYLAW_TEST_POSTGRES_URL",
        "BYLAW_BENCH",
        "BYLAW_BENCH_DATA",
    }
)


def load(flags: Mapping[str, object], environ: Mapping[str, str], *, signs: bool = True) -> Settings:
    """Return the settings that `flags` (by name; None is absent), `environ` and its file say.

    Who never `signs` needs no key file.
    Raises: InvalidInput that names every unknown, unusable or inert setting and suggests the fix.
    """
    problems: list[Problem] = []
    table = {each.name: each for each in known()}
    given: dict[str, tuple[str, object]] = {}
    if path := environ.get("BYLAW_CONFIG"):
        given |= _from_file(Path(path), table, problems)
    given |= _from_environ(environ, table, problems)
    given |= {name: (table[name].flag, value) for name, value in flags.items() if value is not None}
    values = {name: _parse(table[name], origin, raw, problems) for name, (origin, raw) in given.items()}
    problems += faults(given, values, signs=signs)
    if problems:
        raise InvalidInput(" ".join(problem.message for problem in problems), *problems)
    return build(**{name: value for name, value in values.items() if value is not None})


def _from_environ(
    environ: Mapping[str, str], table: Mapping[str, Known], problems: list[Problem]
) -> dict[str, tuple[str, object]]:
    by_variable = {each.variable: each for each in table.values()}
    given: dict[str, tuple[str, object]] = {}
    for variable in sorted(name for name in environ if name.startswith(PREFIX) and name not in OTHERS):
        if variable in by_variable:
            given[by_variable[variable].name] = (variable, environ[variable])
        else:
            problems.append(_unknown("variable", variable, [*by_variable, *OTHERS]))
    return given


def _from_file(
    path: Path, table: Mapping[str, Known], problems: list[Problem]
) -> dict[str, tuple[str, object]]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        message = f"BYLAW_CONFIG: the file {path} cannot be read: {why}."
        problems.append(Problem(path="BYLAW_CONFIG", code="unreadable", message=message))
        return {}
    by_key = {each.key: each for each in table.values()}
    given: dict[str, tuple[str, object]] = {}
    for section, content in data.items():
        items = content.items() if isinstance(content, dict) else [("", content)]
        for name, value in items:
            key = f"{section}.{name}".rstrip(".")
            if key in by_key:
                given[name] = (f"{path.name}: {key}", value)
            else:
                problems.append(_unknown("file key", key, list(by_key)))
    return given


def _unknown(what: str, name: str, names: list[str]) -> Problem:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else " `bylaw settings` lists those there are."
    return Problem(path=name, code="unknown_setting", message=f"There is no {what} {name}.{hint}")


def _parse(each: Known, origin: str, raw: object, problems: list[Problem]) -> object:
    """Return `raw` as the setting's type, or None after adding the problem."""
    try:
        return _typed(each, raw)
    except ValueError as error:
        problems.append(Problem(path=origin, code="bad_value", message=f"{origin} {error}."))
        return None


def _typed(each: Known, raw: object) -> object:
    if get_origin(each.type) is Literal:
        if raw not in get_args(each.type):
            raise ValueError(f"is one of {', '.join(get_args(each.type))}, not {raw!r}")
        return raw
    if each.type is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if str(raw).lower() not in words:
            raise ValueError(f"is true or false, not {raw!r}")
        return words[str(raw).lower()]
    if each.type is int:
        return _whole(each, raw)
    if not str(raw):
        raise ValueError("is empty; leave it out for the default")
    return Path(str(raw)).expanduser() if each.type is Path else str(raw)


def _whole(each: Known, raw: object) -> int:
    try:
        number = int(str(raw))
    except ValueError:
        raise ValueError(f"is a whole number, not {raw!r}") from None
    if each.low is not None and number < each.low:
        raise ValueError(f"is at least {each.low}, not {number}")
    if each.high is not None and number > each.high:
        raise ValueError(f"is at most {each.high}, not {number}")
    return number
