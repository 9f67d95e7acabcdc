"""How large a rule may be, and how much work one evaluation may do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on an expression.

    `depth` counts brackets, calls and other nesting while reading; `height` is the longest way from the
    root of the tree to a leaf (an operator chain of `&&` or `||` counts once); `comprehensions` is how
    deep macros that loop may stand inside each other. Units: `source` and `pattern` in characters,
    `steps` in units of about one evaluated node.
    """

    source: int = 4_096
    depth: int = 40
    height: int = 100
    nodes: int = 400
    comprehensions: int = 4
    pattern: int = 500
    steps: int = 100_000


RULE = Limits()
CEL = Limits(
    source=65_536, depth=60, height=120, nodes=8_000, comprehensions=12, pattern=1_000, steps=1_000_000
)
