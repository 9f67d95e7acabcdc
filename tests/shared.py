"""Where the shared evidence lies: real traffic and conformance data that the project does not carry."""

import os
from pathlib import Path

_candidate = Path(os.environ.get("BYLAW_SHARED", Path(__file__).resolve().parents[2] / "shared"))
SHARED = _candidate if _candidate.is_dir() else None
REASON = "needs the shared evidence folder beside the checkout (or BYLAW_SHARED)"
