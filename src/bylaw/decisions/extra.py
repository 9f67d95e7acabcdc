"""Rules that come with a request: they hold for it alone, and only add.

A plain string is a deterministic rule when it is a complete one (its root compares, combines or asks), and a
rule in plain language otherwise. All of them together have the effect of one policy that blocks.
"""

from typing import Final

from msgspec import UNSET

from bylaw import rules
from bylaw.core.canonical_json import Json, digest
from bylaw.core.errors import InvalidInput, Problem, RuleSyntax
from bylaw.decisions.compiled import CompiledRules, compile_rules
from bylaw.decisions.model import ExtraExpression, ExtraRule, ExtraText, Request
from bylaw.policies.model import DeterministicRule, NaturalRule, Rule
from bylaw.policies.wording import proposed_effect
from bylaw.rules.ast import Binary, Call, Has, Logic, Macro, Node, Unary

NONE: Final = CompiledRules(checks=(), asks=(), calm=())

# Characters of all rules of one request together: compiling them keeps everybody else waiting.
MAX_EXTRA_TEXT: Final = 8_192

_COMPARES: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_ASKS: Final = frozenset({"contains", "startsWith", "endsWith", "matches"})


def compile_extra(request: Request) -> CompiledRules:
    """Return the request's own rules, compiled. Raises: InvalidInput naming the one that is not usable."""
    sent = request.policy_rules
    if not sent:
        return NONE
    size = sum(map(_size, sent))
    if size > MAX_EXTRA_TEXT:
        message = (
            f"The rules of a request have {MAX_EXTRA_TEXT} characters together, not {size}: use a policy."
        )
        raise InvalidInput.of("policy_rules", "too_long", message)
    written = tuple(_rule(rule, f"x{number}") for number, rule in enumerate(sent, 1))
    seen: set[str] = set()
    for position, rule in enumerate(written):
        if rule.id in seen:
            path = f"policy_rules[{position}].id"
            problem = Problem(path=path, code="repeated", message=f"Another rule has the id {rule.id!r}.")
            raise InvalidInput(f"{path}: {problem.message}", problem)
        seen.add(rule.id)
    return compile_rules(written, "policy_rules")


def extra_digest(compiled: CompiledRules) -> str:
    """Return the digest of the request's own rules, empty when there are none."""
    if not compiled.calm:
        return ""
    said: list[Json] = [
        {"effect": rule.effect, "id": rule.id, "kind": rule.kind, "text": rule.text} for rule in compiled.calm
    ]
    return digest(said)


def _rule(sent: ExtraRule, ident: str) -> Rule:
    if isinstance(sent, ExtraExpression):
        ident = ident if sent.id is UNSET else sent.id
        return DeterministicRule(id=ident, expr=sent.expr, message=sent.message)
    if isinstance(sent, ExtraText):
        ident = ident if sent.id is UNSET else sent.id
        effect = proposed_effect(sent.text) if sent.effect is UNSET else sent.effect
        return NaturalRule(id=ident, text=sent.text, effect=effect, message=sent.message)
    if _is_complete(sent):
        return DeterministicRule(id=ident, expr=sent)
    return NaturalRule(id=ident, text=sent, effect=proposed_effect(sent))


def _size(sent: ExtraRule) -> int:
    if isinstance(sent, str):
        return len(sent)
    return len(sent.message) + len(sent.expr if isinstance(sent, ExtraExpression) else sent.text)


def _is_complete(text: str) -> bool:
    """Return whether the text is a deterministic rule by itself, not a word that happens to parse."""
    try:
        root = rules.compile(text).node
    except RuleSyntax:
        return False
    return _is_boolean(root)


def _is_boolean(root: Node) -> bool:
    if isinstance(root, Binary):
        return root.operator in _COMPARES
    if isinstance(root, Unary):
        return root.operator == "!"
    if isinstance(root, Macro):
        return root.name in {"all", "exists", "existsOne"}
    return isinstance(root, (Logic, Has)) or (isinstance(root, Call) and root.function in _ASKS)
