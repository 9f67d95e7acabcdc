"""Places in a rule's source: line and column, and the error that shows them."""

from bylaw.core.errors import RuleSyntax

_WIDTH = 76


def position(source: str, offset: int) -> tuple[int, int]:
    """Return the line and column, both from 1, of `offset`, a count of characters from 0."""
    before = source[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


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
    line, column = position(source, offset)
    return RuleSyntax(
        f"line {line}, column {column}: {message}",
        line=line,
        column=column,
        caret=caret(source, offset),
        hint=hint,
    )
