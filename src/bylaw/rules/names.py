"""Words with a fixed meaning: reserved words, type names and the library's qualified function names."""

KEYWORDS = frozenset({"true", "false", "null", "in"})
RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)

# Names that denote a type. In a rule they do so only when the expression calls `type(...)`: elsewhere a
# field of the context may well be called `type` or `list`, and a missing one must stay missing.
TYPE_NAMES = frozenset(
    [
        "bool",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "optional_type",
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
        "net.IP",
        "net.CIDR",
    ]
)
DOTTED_TYPES = frozenset(name for name in TYPE_NAMES if "." in name)

# Global functions whose own name holds a dot; in `math.least(a)` the `math` is then never a field.
QUALIFIED = frozenset(
    [
        "math.greatest",
        "math.least",
        "math.ceil",
        "math.floor",
        "math.round",
        "math.trunc",
        "math.abs",
        "math.sign",
        "math.isNaN",
        "math.isInf",
        "math.isFinite",
        "math.bitAnd",
        "math.bitOr",
        "math.bitXor",
        "math.bitNot",
        "math.bitShiftLeft",
        "math.bitShiftRight",
        "math.sqrt",
        "strings.quote",
        "base64.encode",
        "base64.decode",
        "optional.of",
        "optional.ofNonZeroValue",
        "optional.none",
        "ip.isCanonical",
        "sets.contains",
        "sets.equivalent",
        "sets.intersects",
        "lists.range",
        "regex.extract",
        "regex.extractAll",
        "regex.replace",
    ]
)
