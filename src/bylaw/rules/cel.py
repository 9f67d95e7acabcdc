"""Plain CEL: any expression over any bindings, for the conformance cases and for whoever needs a value."""

from collections.abc import Mapping

from bylaw.core.errors import RuleSyntax
from bylaw.rules.budget import Budget
from bylaw.rules.interpret import Evaluation
from bylaw.rules.limits import CEL
from bylaw.rules.names import TYPE_NAMES
from bylaw.rules.parse import parse
from bylaw.rules.values import CIDR, IP, BoolKey, Duration, Optional, Timestamp, Type, UInt, from_key
from bylaw.rules.equality import map_key
from bylaw.rules.verdict import Failure

__all__ = ["CelError", "Duration", "Optional", "Timestamp", "Type", "UInt", "evaluate"]


class CelError(Exception):
    def __init__(self, message, code=""):
        super().__init__(message)
        self.code = code


def evaluate(source, bindings=None, *, container=""):
    bindings = {} if bindings is None else bindings
    names = frozenset(name for name in (*TYPE_NAMES, *bindings) if "." in name)
    try:
        node = parse(source, CEL, names=names)
        e = Evaluation(context={k: intern(v) for k, v in bindings.items()}, budget=Budget(CEL.steps), types=True)
        return extern(e.value(node))
    except RuleSyntax as error:
        raise CelError(error.message, "syntax") from None
    except Failure as failure:
        raise CelError(failure.message, failure.code) from None


def intern(v):
    if type(v) is list: return [intern(x) for x in v]
    if type(v) is dict: return {map_key(k): intern(x) for k, x in v.items()}
    return v

def extern(v):
    if type(v) is list: return [extern(x) for x in v]
    if type(v) is dict: return {from_key(k): extern(x) for k, x in v.items()}
    return v
