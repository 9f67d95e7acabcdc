"""What a caller is told of a decision: of policies elsewhere, no more than that they applied.

An agent takes the policies of its home along, and they count wherever it asks. Whoever may not ask or read
there is told their id, version, digest and outcome, and no word of theirs. What is stored keeps everything.
"""

from typing import Final

import msgspec

from bylaw.decisions.combine import spoken, summed_up
from bylaw.decisions.model import Decision, ForeignPolicy, Obligation, PolicyResult
from bylaw.decisions.select import ASKING_SCOPE
from bylaw.decisions.snapshot import Snapshot
from bylaw.tenancy.model import EVERYWHERE
from bylaw.tenancy.principal import Principal

# Each of them lets a caller see the policies of a place: by asking there, by reading them or their receipts.
_SCOPES: Final = (ASKING_SCOPE, "policy:read", "receipts:read")


def sees_everything(caller: Principal) -> bool:
    """Return whether no policy of the tenant is foreign to the caller."""
    return any(caller.may(scope, EVERYWHERE) for scope in _SCOPES)


def is_foreign(ident: str, caller: Principal, snapshot: Snapshot) -> bool:
    """Return whether a policy is of a place that the caller does not see, or of none that is known now."""
    if sees_everything(caller):
        return False
    place = snapshot.place_of(ident)
    return place is None or not any(caller.sees(scope, place) for scope in _SCOPES)


def disclosed(decision: Decision, caller: Principal, snapshot: Snapshot) -> Decision:
    """Return what the caller is told of `decision`: the same when nothing in it is foreign to them."""
    if sees_everything(caller):
        return decision
    foreign = {each.id: each for each in decision.policies if is_foreign(each.id, caller, snapshot)}
    if not foreign:
        return decision
    own = tuple(each for each in decision.policies if each.id not in foreign)
    withheld = {said for policy in foreign.values() for said in spoken(policy)}
    withheld -= {said for policy in own for said in spoken(policy)}
    kept = [said for said in decision.reasons if said not in withheld]
    elsewhere = tuple(map(_foreign, foreign.values()))
    told = [each.message for each in elsewhere if each.outcome != "allow"]
    return msgspec.structs.replace(
        decision,
        policies=own,
        elsewhere=elsewhere,
        reasons=summed_up([*kept, *told]),
        obligations=tuple(
            _neutral(each) if each.policy_id in foreign else each for each in decision.obligations
        ),
    )


def _foreign(policy: PolicyResult) -> ForeignPolicy:
    return ForeignPolicy(
        id=policy.id,
        version=policy.version,
        digest=policy.digest,
        outcome=policy.outcome,
        message=f"A policy of another place, from where the agent comes, says {policy.outcome}.",
    )


def _neutral(obligation: Obligation) -> Obligation:
    return msgspec.structs.replace(obligation, reason="A policy of another place asks for a person.")
