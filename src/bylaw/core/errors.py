"""Every error that Bylaw raises, as one tree.

BylawError
├── InvalidInput            the caller sent something unusable (names every field)
├── RuleSyntax              an expression does not compile (line, column, caret, hint)
├── Unauthenticated         nobody we know is calling
├── Forbidden               a known caller may not do this
├── NotFound                no such thing here, or not for this caller
├── Conflict                the state does not allow this
│   └── ChooseTenant        somebody who signs in has to say where (the organisations to choose from)
├── PreconditionFailed      somebody else changed it first
├── TooLarge                over a documented limit of size
├── RateLimited             over a documented limit of pace
├── DeadlineExceeded        the caller's deadline passed before the answer was durable
├── Unavailable             this server cannot do it now; nothing was done
└── Corrupt                 stored bytes are not what was written

Each has a stable `code`, one sentence for the person (what happened and what to do), and its data as
attributes. Nouns raise; each API family maps the tree to its own status and envelope in one table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with one field: where (`path`, JSON-pointer-like `rules[0].expr`), why, and the fix."""

    path: str
    code: str
    message: str


class BylawError(Exception):
    """The root: an error with a stable `code` and a sentence for the person."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(BylawError):
    """The caller sent something unusable; `problems` names every field."""

    code = "invalid_input"

    def __init__(self, message: str, *problems: Problem) -> None:
        super().__init__(message)
        self.problems = problems

    @classmethod
    def of(cls, path: str, code: str, message: str) -> Self:
        """Return the refusal of one field, which `message` tells in full."""
        return cls(message, Problem(path=path, code=code, message=message))


class RuleSyntax(BylawError):
    """An expression does not compile.

    Units: `line` and `column` count from 1, columns in characters. `caret` shows the line with a mark under
    the place; `hint` suggests the fix or is empty.
    """

    code = "rule_syntax"

    def __init__(self, message: str, *, line: int, column: int, caret: str, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.caret = caret
        self.hint = hint


class Unauthenticated(BylawError):
    """Nobody we know is calling: the key is missing, unknown, revoked or expired."""

    code = "unauthenticated"


class Forbidden(BylawError):
    """A known caller may not do this; `needs` names the scope, role or place that is missing."""

    code = "forbidden"

    def __init__(self, message: str, *, needs: str = "") -> None:
        super().__init__(message)
        self.needs = needs


class NotFound(BylawError):
    """No such thing here, or not for this caller: the two look the same on purpose."""

    code = "not_found"

    def __init__(self, noun: str, ident: str) -> None:
        super().__init__(f"No {noun} with id {ident!r} here.")
        self.noun = noun
        self.ident = ident

    @classmethod
    def told(cls, message: str) -> Self:
        """Return the refusal that another server put into words."""
        error = cls("", "")
        error.message, error.args = message, (message,)
        return error


class Conflict(BylawError):
    """The state does not allow this; `reason` is a stable word such as `illegal_transition`."""

    code = "conflict"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class ChooseTenant(Conflict):
    """Somebody signs in who is in several organisations; `tenants` are these, each an id and a name.

    `ticket` is what to send with the choice where no password is, and empty where one is.
    """

    code = "choose_tenant"

    def __init__(self, message: str, *, tenants: Sequence[tuple[str, str]], ticket: str = "") -> None:
        super().__init__(message, reason="choose_tenant")
        self.tenants = tenants
        self.ticket = ticket


class PreconditionFailed(BylawError):
    """Somebody else changed it first: read `current`, merge, and send its ETag."""

    code = "precondition_failed"

    def __init__(self, message: str, *, current: str) -> None:
        super().__init__(message)
        self.current = current


class TooLarge(BylawError):
    """Over a documented limit of size; `limit` is the limit in `unit`."""

    code = "too_large"

    def __init__(self, message: str, *, limit: int, unit: str) -> None:
        super().__init__(message)
        self.limit = limit
        self.unit = unit


class RateLimited(BylawError):
    """Over a documented limit of pace; try again after `retry_after_s` seconds."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(BylawError):
    """The caller's deadline passed before the answer was durable."""

    code = "deadline_exceeded"


class Unavailable(BylawError):
    """This server cannot do it now; nothing was done and the same call may be sent again."""

    code = "unavailable"


class Corrupt(BylawError):
    """Stored bytes are not what was written; `place` says where."""

    code = "corrupt"

    def __init__(self, message: str, *, place: str) -> None:
        super().__init__(message)
        self.place = place
