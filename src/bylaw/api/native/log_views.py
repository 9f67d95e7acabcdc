"""How checkpoints go over the wire."""

import msgspec


class CheckpointView(msgspec.Struct, frozen=True, kw_only=True):
    """A signed note over the size and root of one log; keep it, and the log cannot be rewritten unnoticed."""

    log: str
    size: int
    note: str


class CheckpointsView(msgspec.Struct, frozen=True, kw_only=True):
    """Checkpoints of one log, smallest first, or the latest of each log."""

    data: tuple[CheckpointView, ...]
