"""What a server tells of itself: whether it is ready, how far it is behind, and how its log and judge do."""

from collections.abc import Sequence
from typing import Final

from bylaw.api.parts import Check
from bylaw.app.joined import Joined
from bylaw.app.judging import watch_judging

# A process is late when it has missed this many looks for changes, and some.
_LATE: Final = 10
_SLACK_MS: Final = 5_000


def checks(server: Joined) -> Sequence[Check]:
    """Return the conditions of readiness; what start-up does (schema, keys, policies) is done by now."""
    lag_ms, log = server.follower.lag_ms, server.stores.ledger.log
    late = lag_ms > _LATE * server.settings.storage.follow_ms + _SLACK_MS
    receipts = server.soundness.receipts if log.state.ready else "the log cannot be written"
    return (
        Check(name="changes", detail=f"not looked for since {lag_ms} ms" if late else ""),
        Check(name="control", detail=server.soundness.control),
        Check(name="receipts", detail=receipts),
    )


def watch(server: Joined) -> None:
    """Show among the metrics how far this process is behind, and how its log, its judge and its jobs do."""
    show, log = server.metrics.watch, server.stores.ledger.log
    follower, projector, refused = server.follower, server.projector, server.snapshots.refused
    show(
        "bylaw_changes_lag_seconds",
        "Since changes of others were looked for.",
        lambda: follower.lag_ms / 1000,
    )
    show("bylaw_effects_lag", "Effects of decisions that lists do not show yet.", lambda: projector.lag)
    show("bylaw_policies_refused", "Tenants served by an older snapshot.", lambda: len(refused))
    show("bylaw_log_queued", "Receipts that wait for their commit.", lambda: log.state.queued)
    show("bylaw_log_commits", "Commits of the log by this process.", lambda: log.state.commits)
    show("bylaw_log_receipts", "Receipts committed by this process.", lambda: log.state.written)
    watch_judging(server.metrics, server.panel.cache, server.judge)
    server.workload.watch(server.metrics)
