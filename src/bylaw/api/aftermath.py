"""What follows a decision without anybody waiting for it: counting, agents seen, lists brought up to date."""

from bylaw.api.metrics import Metrics
from bylaw.api.projection import Projector
from bylaw.api.sightings import Sightings
from bylaw.decisions.model import Decision, Request
from bylaw.tenancy.principal import Principal


class Aftermath:
    """Passes on that a decision was made."""

    def __init__(self, metrics: Metrics, sightings: Sightings, projector: Projector) -> None:
        self._metrics = metrics
        self._sightings = sightings
        self._projector = projector

    def decided(self, caller: Principal, request: Request, decision: Decision) -> None:
        """Count a decision and note the agent that it names."""
        self._metrics.decided(
            decision.outcome, decision.posture, dry_run=decision.dry_run, duration_us=decision.duration_us
        )
        if request.agent_id and not decision.dry_run:
            self._sightings.note(caller.tenant_id, request.agent_id)

    def wake(self) -> None:
        """Say that a decision left something for people."""
        self._projector.wake()
