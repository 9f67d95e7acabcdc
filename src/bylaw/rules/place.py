"""Places in a rule's source: line and column, and the error that shows them."""

from dataclasses import dataclass

from bylaw.core.errors import RuleSyntax

_WIDTH = 76


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in a rule's source: `offset` counts characters from 0, `line` and `column` count from 1."""

    offset: int = 0
    line: int = 1
    column: int = 1


def position(source: str, offset: int) -> Position:
    """Return the position of `offset`."""
    before = source[:offset]
    return Position(offset=offset, line=before.count("\n") + 1, column=offset - before.rfind("\n"))


def caret(source: str, offset: int) -> str:
    """Return the line of `offset` with a mark under the place; a long line is cut around it."""
    start = source.rfind("\n", 0, offset) + 1
    end = source.find("\n", offset)
    line = source[start : len(source) if end < 0 else end]
    column = offset - start
    left = max(0, column - _WIDTH // 2)
    shown = line[left : left + _WIDTH]
    prefix = "…" if left else ""
    suffix = "…" if left + _WIDTH < len(line) else ""
    printable = "".join(char if char.isprintable() else " " for char in shown)
    return f"{prefix}{printable}{suffix}\n{' ' * (len(prefix) + column - left)}^"


def refusal(source: str, offset: int, message: str, *, hint: str = "") -> RuleSyntax:
    """Return the error that says `message` about the place `offset` of `source`."""
    at = position(source, offset)
    return RuleSyntax(
        f"line {at.line}, column {at.column}: {message}",
        line=at.line,
        column=at.column,
        caret=caret(source, offset),
        hint=hint,
    )
