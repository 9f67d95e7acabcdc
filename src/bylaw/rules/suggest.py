"""What was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from bylaw.rules.library import REGISTRY

MACROS: Final = [
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "map",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "optMap",
    "optFlatMap",
    "sortBy",
    "has",
]

_ELSEWHERE: Final = {
    "include": "contains",
    "includes": "contains",
    "has_key": "has",
    "any": "exists",
    "some": "exists",
    "every": "all",
    "one": "exists_one",
    "len": "size",
    "length": "size",
    "count": "size",
    "starts_with": "startsWith",
    "begins_with": "startsWith",
    "ends_with": "endsWith",
    "match": "matches",
    "regex": "matches",
    "search": "matches",
    "lower": "lowerAscii",
    "toLowerCase": "lowerAscii",
    "upper": "upperAscii",
    "toUpperCase": "upperAscii",
    "strip": "trim",
    "float": "double",
    "str": "string",
    "min": "math.least",
    "max": "math.greatest",
    "abs": "math.abs",
    "round": "math.round",
    "exists": "has",
}


def name_near(wrong: str, known: Iterable[str]) -> str:
    """Return `did you mean x?` for the nearest of `known`, or nothing."""
    near = get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def function_near(wrong: str, *, method: bool) -> str:
    """Return a hint for an unknown function, or nothing."""
    if wrong in {"now", "today"}:
        return "time comes from the context: compare with a field"
    if wrong in _ELSEWHERE:
        return f"did you mean {_ELSEWHERE[wrong]}?"
    names = {key.name for key in REGISTRY if key.method == method} | set(MACROS)
    return name_near(wrong, sorted(names)) or name_near(wrong, sorted({key.name for key in REGISTRY}))


def forms(name: str) -> str:
    """Return how a known function is called: `text.contains(1 argument)`."""
    found = sorted({(key.method, key.count - key.method) for key in REGISTRY if key.name == name})
    words = [
        f"{'x.' if method else ''}{name}() with {count} argument{'' if count == 1 else 's'}"
        for method, count in found
    ]
    return " or ".join(words[:4])
