"""Child process: what cel-expr-python, Google's runtime, says about pairs of expression and context.

Reads `[[source, context], ...]` as JSON from standard input, prints one JSON line per pair: `["bool", true]`,
`["error", message]`, … Its version 0.1.3 has bugs to step around: `.value()` of a null loses a reference to
`None`, so the type is always read first, and a process answers only a few hundred pairs; errors come back as
values.
"""

import json
import sys

from cel_expr_python import cel

NAMES = {
    "NULL": "null",
    "STRING": "string",
    "BYTES": "bytes",
    "BOOL": "bool",
    "INT": "int",
    "UINT": "uint",
    "DOUBLE": "double",
}


def tagged(value) -> list:
    """Return a value as `[kind, content]`."""
    kind = value.type().name().upper().split("<")[0].split("(")[0]
    if kind == "ERROR":
        return ["error", str(value.value())]
    if "NULL" in kind:
        return ["null"]
    content = value.value()
    if kind == "LIST":
        return ["list", [tagged(item) for item in content]]
    if kind == "MAP":
        return ["map", sorted(([key_tag(key), tagged(item)] for key, item in content.items()), key=repr)]
    if kind == "BYTES":
        return ["bytes", bytes(content).hex()]
    if kind in NAMES:
        return [NAMES[kind], repr(content) if kind == "DOUBLE" else content]
    return [kind.lower(), str(content)]


def key_tag(key) -> list:
    """Return a map's key as `[kind, content]`; a key arrives as a plain value."""
    kind = {bool: "bool", int: "int", str: "string"}.get(type(key))
    return [kind or type(key).__name__, key if kind else str(key)]


def main() -> None:
    """Answer all pairs."""
    for source, context in json.load(sys.stdin):
        try:
            environment = cel.NewEnv(variables=dict.fromkeys(NAMES_OF_CONTEXT, cel.Type.DYN))
            answer = tagged(environment.compile(source, disable_check=True).eval(data=context))
        except RuntimeError as error:
            answer = ["error", str(error)]
        print(json.dumps(answer), flush=True)


NAMES_OF_CONTEXT = ("n", "m", "d", "s", "t", "b", "f", "ints", "words", "o", "rows", "w", "z", "many", "gone")

if __name__ == "__main__":
    main()
