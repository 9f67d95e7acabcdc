"""What evaluating a rule says, and the stable words for why it could not be decided.

A rule is `satisfied` only when its expression is exactly `true`, `violated` only when it is exactly `false`;
everything else is `indeterminate` with one of these codes:

missing            a field, map key or name that is not there; `path` names it (`vendor.risk.score`)
null_value         null where a value is needed: an operand, an argument, the whole rule, `null.field`
type_error         no such operator or function for these types (`'4' < 5`, `'abc' && true`, `5.field`)
not_boolean        the whole rule gave something that is neither a boolean nor null
range              a number beyond its type, or a list index beyond the list
divide_by_zero     `/` or `%` by an integer zero
invalid_argument   right type, unusable value (`timestamp('soon')`, `int('x')`, a repeated map key)
unknown_function   no function of that name and number of arguments (rules with one are refused)
budget             the bounded steps, memory or nesting ran out

Which one is reported when several could be: operands are evaluated left to right and the first failure
wins; `&&`, `||`, `all` and `exists` report their first failure only when no other operand or element decides;
`?:` evaluates its test, then one branch. A failure's place is the `offset` of the syntax node that failed
(see `ast`). A failure of two operands with null and a wrong type is `null_value`.

A message names paths and types, never a value: it is kept where the values are erased.

`missing` is turned into null in one case: the whole other side of `==` or `!=` is the literal `null` and this
side is a name, field or index path. `has(path)` and `exists(path)` turn to false what is `missing`
anywhere in the path, and an index beyond its list.
"""

from dataclasses import dataclass
from typing import Final, Literal

from bylaw.rules.place import Position

Status = Literal["satisfied", "violated", "indeterminate"]
Code = Literal[
    "missing",
    "null_value",
    "type_error",
    "not_boolean",
    "range",
    "divide_by_zero",
    "invalid_argument",
    "unknown_function",
    "budget",
]

START: Final = Position()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of one rule over one context.

    `code`, `path` and `message` are empty unless `status` is `indeterminate`; `path` names what is to blame
    (missing, null, of a wrong type, not usable, beyond its list) and is empty where that was calculated.
    `position` is that of the part that failed, else of the whole rule.
    """

    status: Status
    code: Code | Literal[""] = ""
    path: str = ""
    position: Position = START
    message: str = ""


class Failure(Exception):
    """An evaluation without a value: why (`code`, `message`), and where once it is known (`offset`)."""

    __slots__ = ("code", "message", "offset", "path")

    def __init__(self, code: Code, message: str, *, path: str = "", offset: int = -1) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.path = path
        self.offset = offset
