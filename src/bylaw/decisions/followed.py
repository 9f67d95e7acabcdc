"""What was decided when something was asked, as far as it holds for the answer."""

from collections.abc import Iterable
from dataclasses import dataclass

from bylaw.decisions.compiled import Ask, CompiledPolicy
from bylaw.evaluators.offline import asks_alone
from bylaw.receipts.model import AppliedPolicy

# A rule of one version of a policy: the policy's id, the version's number and digest, the rule's id.
RuleKey = tuple[str, int, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The decision on what was asked: its receipt, and the rules in words that it found `satisfied`."""

    receipt_id: str
    satisfied: frozenset[RuleKey]

    def settles(self, policy: CompiledPolicy, ask: Ask) -> bool:
        """Return whether a rule is decided for the answer as well.

        It is if it is wholly about what is asked, and was satisfied there as this version has it.
        """
        key = (policy.id, policy.version, policy.digest, ask.base.id)
        return key in self.satisfied and asks_alone(ask.question.text, ask.effect)


def followed_of(receipt_id: str, applied: Iterable[AppliedPolicy]) -> Followed:
    """Return what a receipt settles for the answer to what it is about."""
    satisfied = [
        (policy.id, policy.version, policy.digest, rule.id)
        for policy in applied
        for rule in policy.rules
        if rule.kind == "nl" and rule.status == "satisfied"
    ]
    return Followed(receipt_id=receipt_id, satisfied=frozenset(satisfied))
