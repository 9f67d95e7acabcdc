"""What evaluators say about a request, without what its masks withhold.

A quote stays when it can still be read in what is shown. The free words of a model or a person may repeat
anything: they do not stay. The sentences of rules hold no value of a request to begin with.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from bylaw.decisions.model import Combined, PolicyResult, RuleResult
from bylaw.evaluators.verdicts import quotable

_PLAIN: Final = frozenset({"deterministic", "pattern", "structured"})


def has_quotes(combined: Combined) -> bool:
    """Return whether an evaluator quoted the request, or said something in its own words."""
    return any(_speaks(rule) for policy in combined.policies for rule in policy.rules) or any(
        map(_speaks, combined.extra_rules)
    )


def without_quotes(
    combined: Combined, sent: Mapping[str, object], shown: Mapping[str, object], withheld: str
) -> Combined:
    """Return `combined` with `withheld` for each quote of `sent` that `shown`, its parts as masked, lacks."""
    if not has_quotes(combined):
        return combined
    before = list(quotable({part: sent[part] for part in shown}))
    after = list(quotable({**sent, **shown}))

    def seen(quoted: str) -> str:
        gone = any(quoted in text for text in before) and not any(quoted in text for text in after)
        return withheld if gone else quoted

    def rule_of(rule: RuleResult) -> RuleResult:
        if not _speaks(rule):
            return rule
        said = rule.rationale if rule.basis in _PLAIN or not rule.rationale else withheld
        return msgspec.structs.replace(rule, evidence=tuple(map(seen, rule.evidence)), rationale=said)

    def policy_of(policy: PolicyResult) -> PolicyResult:
        if not any(map(_speaks, policy.rules)):
            return policy
        return msgspec.structs.replace(policy, rules=tuple(map(rule_of, policy.rules)))

    return msgspec.structs.replace(
        combined,
        policies=tuple(map(policy_of, combined.policies)),
        extra_rules=tuple(map(rule_of, combined.extra_rules)),
    )


def _speaks(rule: RuleResult) -> bool:
    return rule.kind == "nl" and bool(rule.evidence or rule.rationale)
