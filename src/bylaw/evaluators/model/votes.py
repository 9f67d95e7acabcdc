"""Votes: what counts when a model is asked several times over."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from bylaw.evaluators.model.reading import PASSES, undecided
from bylaw.evaluators.protocol import Answer

# One vote of these is enough to take every pass away: what one saw is there for all of them.
_VETOES: Final = ("manipulated", "too_long", "unread")


def agreed(votes: Sequence[Answer]) -> Answer:
    """Return what a strict majority of `votes` on one rule says, with the share that says it as confidence.

    A single vote stands as it is. Without a majority there is `disagreement`.
    """
    if len(votes) == 1:
        return votes[0]
    (status, count), *_ = Counter(each.status for each in votes).most_common(1)
    speaker = next(each for each in votes if each.status == status)
    if 2 * count <= len(votes):
        return undecided(speaker.id, "disagreement")
    veto = next((code for code in _VETOES if any(each.code == code for each in votes)), "")
    if veto and status in PASSES:
        return undecided(speaker.id, veto)
    if status == "indeterminate":
        return speaker
    return msgspec.structs.replace(speaker, confidence=count / len(votes))
