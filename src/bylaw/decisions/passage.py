"""A call of a model that was decided on: what was asked, what was answered, and each decision on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from bylaw.decisions.model import Decision
from bylaw.providers.model import Completion, Failed, Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What became of a call: an answer, or why there is none.

    `decisions` are in the order in which they were made; when one of them stopped the call, there is neither
    `completion` nor `failed`. `asked` are the messages as they were sent on.
    """

    decisions: tuple[Decision, ...]
    asked: Sequence[Object] = ()
    completion: Completion | None = None
    failed: Failed | None = None
