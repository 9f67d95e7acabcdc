"""Tokens to a syntax tree: recursive descent by precedence, with every size bounded.

Expr        = Or ["?" Expr ":" Expr]
Or          = And {"||" And}
And         = Relation {"&&" Relation}
Relation    = Sum {("==" | "!=" | "<" | "<=" | ">" | ">=" | "in") Sum}
Sum         = Product {("+" | "-") Product}
Product     = Unary {("*" | "/" | "%") Unary}
Unary       = "!" {"!"} Member | "-" {"-"} Member | Member
Member      = Primary {"." ["?"] Field ["(" Args ")"] | "[" ["?"] Expr "]"}
Primary     = ["."] Name ["(" Args ")"] | "(" Expr ")" | List | Map | Message | Constant

Chains are read in loops, so only brackets and calls use Python's stack.
"""

from typing import Final

from bylaw.rules import macros
from bylaw.rules.ast import (
    ONCE,
    Binary,
    BinaryOperator,
    Call,
    Conditional,
    Entry,
    Index,
    Item,
    ListOf,
    Literal,
    Logic,
    Macro,
    MapOf,
    Message,
    Name,
    Node,
    Select,
    Sign,
    Unary,
    children,
)
from bylaw.rules.lexer import Token
from bylaw.rules.limits import RULE, Limits
from bylaw.rules.names import KEYWORDS, QUALIFIED, RESERVED
from bylaw.rules.place import refusal
from bylaw.rules.reader import Reader
from bylaw.rules.values import INT_MAX, UInt

_LEVELS: Final[dict[BinaryOperator, int]] = {
    "==": 1,
    "!=": 1,
    "<": 1,
    "<=": 1,
    ">": 1,
    ">=": 1,
    "in": 1,
    "+": 2,
    "-": 2,
    "*": 3,
    "/": 3,
    "%": 3,
}
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_WORDS = {"and": "&&", "or": "||", "not": "!", "is": "==", "AND": "&&", "OR": "||", "NOT": "!"}


def parse(source: str, limits: Limits = RULE, *, names: frozenset[str] = frozenset()) -> Node:
    """Return the syntax tree of `source`.

    `names` are dotted names: a path that spells one is one `Name`, the longest first.
    Raises: RuleSyntax, also when the text exceeds `limits`.
    """
    if len(source) > limits.source:
        raise refusal(source, limits.source, f"the rule is longer than {limits.source} characters")
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise refusal(source, error.start, "the rule holds half of a surrogate pair") from None
    node = _Parser(source, limits, names).whole()
    _bound(node, source, limits)
    return node


def _bound(root: Node, source: str, limits: Limits) -> None:
    """Refuse a tree that is too high, or whose loops stand too deep inside each other."""
    open_nodes = [(root, 1, 0)]
    while open_nodes:
        node, height, loops = open_nodes.pop()
        inside = loops + (isinstance(node, Macro) and node.name not in ONCE)
        if height > limits.height:
            raise refusal(source, node.offset, f"nested deeper than {limits.height}", hint="split the rule")
        if inside > limits.comprehensions:
            message = f"more than {limits.comprehensions} loops stand inside each other"
            raise refusal(source, node.offset, message)
        target = node.target if isinstance(node, Macro) else None
        open_nodes.extend(
            (child, height + 1, loops if child is target else inside) for child in children(node)
        )


class _Parser(Reader):
    def __init__(self, source: str, limits: Limits, names: frozenset[str]) -> None:
        super().__init__(source, limits)
        self._names = names
        self._depth = -1  # what stands outside of all brackets is not nested

    def whole(self) -> Node:
        if len(self._tokens) == 1:
            raise self._refuse(0, "the rule is empty")
        node = self._expression()
        if self._token.kind != "end":
            raise self._unexpected()
        return node

    # --- operators

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > self._limits.depth:
            raise self._refuse(
                self._token.start, f"nested deeper than {self._limits.depth}", "split the rule"
            )
        tests: list[tuple[int, Node, Token, Node]] = []
        start = self._token.start
        node = self._logic("||")
        while (mark := self._accept("?")) is not None:
            then = self._expression()
            self._expect(":")
            tests.append((start, node, mark, then))
            start = self._token.start
            node = self._logic("||")
        for start, test, mark, then in reversed(tests):
            self._count(mark.start)
            node = Conditional(
                offset=mark.start, start=start, end=self._behind, test=test, then=then, otherwise=node
            )
        self._depth -= 1
        return node

    def _logic(self, operator: str) -> Node:
        """Return a chain of `||` over chains of `&&`, or what stands alone."""
        start = self._token.start
        first = self._logic("&&") if operator == "||" else self._binary(1)
        if not self._is(operator):
            return first
        mark = self._token.start
        operands = [first]
        while self._accept(operator) is not None:
            operands.append(self._logic("&&") if operator == "||" else self._binary(1))
        self._count(mark)
        return Logic(
            offset=mark,
            start=start,
            end=self._behind,
            operator="||" if operator == "||" else "&&",
            operands=tuple(operands),
        )

    def _binary(self, level: int) -> Node:
        """Return a chain of binary operators of `level` and tighter ones, nested to the left."""
        start = self._token.start
        left = self._unary()
        while (found := _binary_operator(self._token)) is not None and found[1] >= level:
            operator, tightness = found
            mark = self._advance().start
            right = self._binary(tightness + 1) if tightness < 3 else self._unary()
            self._count(mark)
            left = Binary(
                offset=mark, start=start, end=self._behind, operator=operator, left=left, right=right
            )
        return left

    def _unary(self) -> Node:
        marks: list[Token] = []
        if self._is("!", "-"):
            operator = self._token.value
            while self._is(str(operator)):
                marks.append(self._advance())
                self._count(marks[-1].start)
            if operator == "-" and self._token.kind in {"int", "double"}:
                return self._negate(marks[:-1], self._member(self._number(marks[-1]), marks[-1].start))
        start = self._token.start
        return self._negate(marks, self._member(self._primary(), start))

    def _negate(self, marks: list[Token], node: Node) -> Node:
        end = self._behind
        for mark in reversed(marks):
            at = mark.start
            sign: Sign = "!" if mark.value == "!" else "-"
            node = Unary(offset=at, start=at, end=end, operator=sign, operand=node)
        return node

    # --- members

    def _member(self, node: Node, start: int) -> Node:
        """Return `node` with what follows it after dots and brackets; its text begins at `start`."""
        while True:
            if self._accept(".") is not None:
                node = self._field(node, start)
            elif self._is("["):
                opening = self._advance().start
                optional = self._accept("?") is not None
                key = self._expression()
                closing = self._expect("]")
                self._count(opening)
                node = Index(
                    offset=opening,
                    start=start,
                    end=closing.end,
                    operand=node,
                    key=key,
                    optional=optional,
                )
            elif self._is("{") and (name := _dotted(node)) is not None:
                node = self._message(node, name)
            else:
                return node

    def _field(self, operand: Node, start: int) -> Node:
        optional = self._accept("?") is not None
        token = self._token
        if token.kind not in {"name", "quoted"} or (token.kind == "name" and token.value in KEYWORDS):
            raise self._unexpected("expected a field name")
        self._advance()
        self._count(token.start)
        field = str(token.value)
        if token.kind == "name" and not optional and self._is("("):
            return self._call(token, operand, start)
        if not optional and self._names and (dotted := f"{_dotted(operand)}.{field}") in self._names:
            absolute = isinstance(operand, Name) and operand.absolute
            return Name(offset=start, start=start, end=token.end, name=dotted, absolute=absolute)
        return Select(
            offset=token.start,
            start=start,
            end=token.end,
            operand=operand,
            field=field,
            optional=optional,
        )

    def _call(self, name: Token, target: Node | None, start: int) -> Node:
        function = str(name.value)
        self._expect("(")
        args = self._args()
        end = self._expect(")").end
        qualified = None if target is None else _dotted(target)
        if qualified is not None and f"{qualified}.{function}" in QUALIFIED:
            function, target = f"{qualified}.{function}", None
        call = Call(offset=name.start, start=start, end=end, function=function, target=target, args=args)
        return macros.expand(call, self._refuse)

    def _args(self) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._is(")"):
            found.append(self._expression())
            if self._accept(",") is None:
                break
            if self._is(")"):
                raise self._unexpected("expected another argument")
        return tuple(found)

    # --- primaries

    def _primary(self) -> Node:
        token = self._token
        if token.kind in {"int", "uint", "double", "string", "bytes"}:
            return self._number(None) if token.kind in {"int", "uint", "double"} else self._constant()
        if token.kind == "name":
            return self._constant() if token.value in _CONSTANTS else self._name(token, token.start)
        if self._accept(".") is not None:
            if self._token.kind != "name" or self._token.value in KEYWORDS:
                raise self._unexpected("expected a name")
            return self._name(self._token, token.start)
        if self._accept("(") is not None:
            node = self._expression()
            self._expect(")")
            return node
        if self._is("["):
            return self._list()
        if self._is("{"):
            return self._map()
        raise self._unexpected("expected a value" if token.kind != "end" else "")

    def _constant(self) -> Literal:
        token = self._advance()
        self._count(token.start)
        value = _CONSTANTS[str(token.value)] if token.kind == "name" else token.value
        return Literal(offset=token.start, start=token.start, end=token.end, value=value)

    def _number(self, minus: Token | None) -> Literal:
        token = self._advance()
        self._count(token.start)
        number: int | float = token.value if isinstance(token.value, (int, float)) else 0
        value = number if minus is None else -number
        if token.kind == "int" and value > INT_MAX:
            raise self._refuse(token.start, "this number is beyond 64 bits")
        start = token.start if minus is None else minus.start
        constant = UInt(value) if token.kind == "uint" else value
        return Literal(offset=start, start=start, end=token.end, value=constant)

    def _name(self, token: Token, start: int) -> Node:
        name = str(token.value)
        if name in RESERVED or name in KEYWORDS:
            raise self._refuse(
                token.start, f"{name!r} is a reserved word", "reach it as a field of its parent"
            )
        self._advance()
        self._count(token.start)
        if self._is("("):
            return self._call(token, None, start)
        return Name(offset=start, start=start, end=token.end, name=name, absolute=start != token.start)

    def _list(self) -> ListOf:
        opening = self._advance().start
        self._count(opening)
        items: list[Item] = []
        while not self._is("]"):
            optional = self._accept("?") is not None
            items.append(Item(value=self._expression(), optional=optional))
            if self._accept(",") is None:
                break
        return ListOf(offset=opening, start=opening, end=self._expect("]").end, items=tuple(items))

    def _map(self) -> MapOf:
        opening = self._advance().start
        self._count(opening)
        entries: list[Entry] = []
        while not self._is("}"):
            optional = self._accept("?") is not None
            key = self._expression()
            self._expect(":")
            entries.append(Entry(key=key, value=self._expression(), optional=optional))
            if self._accept(",") is None:
                break
        return MapOf(offset=opening, start=opening, end=self._expect("}").end, entries=tuple(entries))

    def _message(self, node: Node, name: str) -> Message:
        self._advance()
        while not self._is("}"):
            self._accept("?")
            if self._token.kind not in {"name", "quoted"}:
                raise self._unexpected("expected a field name")
            self._advance()
            self._expect(":")
            self._expression()
            if self._accept(",") is None:
                break
        end = self._expect("}").end
        return Message(offset=node.offset, start=node.start, end=end, type_name=name)


def _binary_operator(token: Token) -> tuple[BinaryOperator, int] | None:
    """Return the binary operator that `token` is, and its level."""
    if token.kind not in {"operator", "name"} or not isinstance(token.value, str):
        return None
    for operator, level in _LEVELS.items():
        if operator == token.value:
            return operator, level
    return None


def _dotted(node: Node) -> str | None:
    """Return `a.b.c` when `node` is that chain of plain names."""
    parts: list[str] = []
    while isinstance(node, Select) and not node.optional:
        parts.append(node.field)
        node = node.operand
    if not isinstance(node, Name):
        return None
    parts.append(node.name)
    return ".".join(reversed(parts))
