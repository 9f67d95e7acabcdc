"""Telling the operator why a model gave no answer: where it was asked, what came of it, and what to do.

A sentence of the provider is not repeated: it may hold what was asked.
"""

from collections.abc import Mapping
from typing import Final

from bylaw.providers.model import Failed, Reason
from bylaw.providers.structured import StructuredModel

_TO_DO: Final[Mapping[Reason, str]] = {
    "unreachable": "See whether it runs, and whether BYLAW_JUDGE_URL leads to it.",
    "late": "Give it more time (BYLAW_JUDGE_MS), or take a faster model.",
    "malformed": "See whether BYLAW_JUDGE_API names its words, and whether it can write JSON.",
    "busy": "Let more calls be under way (BYLAW_PROVIDER_CALLS).",
    "truncated": "Take a model that says less before it answers.",
    "declined": "Take a model that judges such texts.",
}
_REFUSED: Final[Mapping[int, tuple[str, str]]] = {
    401: ("It refuses the key", "Check BYLAW_JUDGE_KEY_FILE."),
    403: ("It refuses the key", "Check BYLAW_JUDGE_KEY_FILE, and what the key may be used for."),
    404: ("It knows no such path or model", "Check BYLAW_JUDGE_URL and BYLAW_JUDGE_MODEL."),
    413: ("What is asked is too long for it", "Take a model that reads more."),
    429: ("It asks to slow down", "Raise its limit, or lower BYLAW_JUDGE_CALLS."),
}
_LEADS_ON: Final = ("It leads elsewhere, which is not followed", "Set BYLAW_JUDGE_URL to where it leads.")
_REFUSES: Final = ("It refuses what is asked", "See its own log: often the text is too long for the model.")
_FAILS: Final = ("It fails", "See its own log.")


def told(failed: Failed, model: StructuredModel) -> str:
    """Return why `model` gave no answer, and what to do, in words that hold no credentials and no facts."""
    reason, to_do = failed.message, _TO_DO.get(failed.reason, "")
    if failed.reason == "refused":
        other = _FAILS if failed.status >= 500 else _REFUSES if failed.status >= 400 else _LEADS_ON
        said, to_do = _REFUSED.get(failed.status, other)
        reason = f"{said} (status {failed.status})."
    where = model.endpoint.address or model.endpoint.provider
    return f"The model {model.model} at {where} did not judge: {reason} {to_do}".rstrip()
