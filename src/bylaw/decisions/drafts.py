"""A draft of a policy, decided by alone: as if it were in force where it is meant to hold, and nothing else.

Nothing is stored or published. So it can be seen what a draft says before anybody is held to it.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import msgspec

from bylaw.decisions.compiled import compile_policy
from bylaw.decisions.engine import Engine
from bylaw.decisions.index import Table
from bylaw.decisions.model import Object, PolicyResult, Request
from bylaw.decisions.request import read
from bylaw.decisions.snapshot import Entry, Snapshots
from bylaw.policies.model import Current, Example
from bylaw.tenancy.principal import Principal

CameTo = Literal["pass", "violate", "undecided", "does_not_apply"]

_CAME_TO: Final[dict[str, CameTo]] = {
    "satisfied": "pass",
    "not_judged": "pass",
    "violated": "violate",
    "flagged": "violate",
    "indeterminate": "undecided",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What an example came to; `policy` is what the draft said of it, None where it did not apply."""

    came_to: CameTo
    policy: PolicyResult | None

    def is_as_expected(self, example: Example) -> bool:
        """Return whether it came to what was expected; what does not apply is passed."""
        came_to = "pass" if self.came_to == "does_not_apply" else self.came_to
        return came_to == example.expect


def engine_of(engine: Engine, draft: Current, *, asks_model: bool) -> Engine:
    """Return an engine that knows `draft` alone, at the places that `engine` knows.

    Without `asks_model` the model is not asked: what it would judge is undecided. Raises: Unavailable.
    """
    policy, compiled = draft.policy, compile_policy(draft)
    known = engine.snapshots.of(policy.tenant_id)
    snapshots = Snapshots()
    snapshots.publish(
        replace(
            known,
            entries={policy.id: Entry(place=policy.place, reach=policy.reach, policy=compiled)},
            tables={policy.place: Table([compiled])} if policy.reach == "place" else {},
            dormant={},
            agents={},
            requiring=frozenset(),
            routing=frozenset(),
            standings={},
        )
    )
    panel = engine.panel if asks_model else replace(engine.panel, model=None)
    return replace(engine, snapshots=snapshots, panel=panel, router=None)


def request_of(draft: Current, said: Object) -> Request:
    """Return what is asked of `draft`, where it holds unless `said` names a place. Raises: InvalidInput."""
    request = read({**said, "dry_run": True})
    names_place = bool(request.workspace_id or request.repo_id)
    place = draft.policy.place
    return msgspec.structs.replace(
        request,
        policy_id=draft.policy.id,
        workspace_id=request.workspace_id if names_place else place.workspace_id,
        repo_id=request.repo_id if names_place else place.repo_id,
    )


async def tried(engine: Engine, draft: Current, example: Example, caller: Principal) -> Tried:
    """Return what `example` comes to by `draft` alone, which `engine` knows. Raises: as `Engine.decide`."""
    decision = await engine.decide(request_of(draft, dict(example.request)), caller)
    policy = next(iter(decision.policies), None)
    return Tried(came_to="does_not_apply" if policy is None else _CAME_TO[policy.status], policy=policy)
