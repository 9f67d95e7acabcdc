"""The tokens of an expression, read one by one; and what to say when one does not fit."""

from typing import Final

from bylaw.core.errors import RuleSyntax
from bylaw.rules.lexer import Token, tokens
from bylaw.rules.limits import Limits
from bylaw.rules.place import refusal

_WORDS: Final = {"and": "&&", "or": "||", "not": "!", "is": "==", "AND": "&&", "OR": "||", "NOT": "!"}


class Reader:
    """A place in a row of tokens, and a count of the nodes made from them."""

    def __init__(self, source: str, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._tokens = tokens(source)
        self._at = 0
        self._nodes = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _advance(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _is(self, *operators: str) -> bool:
        token = self._tokens[self._at]
        return token.kind == "operator" and token.value in operators

    @property
    def _behind(self) -> int:
        """Where the last token read ends: with the parentheses around an operand."""
        return self._tokens[self._at - 1].end

    def _accept(self, operator: str) -> Token | None:
        return self._advance() if self._is(operator) else None

    def _expect(self, operator: str) -> Token:
        return self._advance() if self._is(operator) else self._fail(f"expected {operator!r}")

    def _fail(self, message: str) -> Token:
        raise self._unexpected(message)

    def _refuse(self, offset: int, message: str, hint: str = "") -> RuleSyntax:
        return refusal(self._source, offset, message, hint=hint)

    def _unexpected(self, wanted: str = "") -> RuleSyntax:
        token = self._token
        if token.kind == "end":
            return self._refuse(token.start, f"the rule ends too early{': ' + wanted if wanted else ''}")
        text = self._source[token.start : token.end]
        before = self._source[self._tokens[self._at - 1].start : token.start].strip() if self._at else ""
        hint = next((f"write {_WORDS[word]}" for word in (text, before) if word in _WORDS), "")
        shown = text if len(text) <= 40 else text[:39] + "…"
        return self._refuse(
            token.start, wanted + f"{' but found' if wanted else 'unexpected'} {shown!r}", hint
        )

    def _count(self, offset: int) -> None:
        self._nodes += 1
        if self._nodes > self._limits.nodes:
            raise self._refuse(offset, f"the rule has more than {self._limits.nodes} parts", "split the rule")
