"""The protocol of evaluators: rules in plain language and the facts go in, one answer a rule comes out.

An evaluator may answer anything; `verdicts` decides what counts. It is asked in one place only, `ask`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import msgspec

from bylaw.policies.model import Chosen, Effect, Risk
from bylaw.tenancy.model import EVERYWHERE, Place

AnswerStatus = Literal["satisfied", "violated", "not_applicable", "indeterminate"]
# Whose the rules of a request are, in the keys of questions: no id of a policy has a space in it.
THE_REQUEST: Final = "the request"

EvaluatorBasis = Literal["pattern", "structured", "similarity", "model", "human"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One rule to judge; `id` is its key in the batch, `digest` covers what it says.

    `evaluator` is the one that its policy chose, None for the usual order. `place` is where its policy
    stands: who may write there wrote it; None when it came with the request. `risk` is its policy's.
    """

    id: str
    text: str
    effect: Effect
    digest: str
    evaluator: Chosen | None = None
    place: Place | None = EVERYWHERE
    risk: Risk = "MEDIUM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rules to judge over the same facts, which are data and never instructions.

    `asker` is the tenant in whose name it is asked: what is kept for one is never given to another.
    Units: `timeout_ms`, in milliseconds from now, is when the answer is no longer wanted.
    """

    questions: tuple[Question, ...]
    facts: Mapping[str, object]
    timeout_ms: int
    asker: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluator says about one rule.

    `evidence` quotes the facts word for word. `confidence` is between 0 and 1, or None. `code` is a stable
    word for why the answer is indeterminate.
    """

    id: str
    status: AnswerStatus
    rationale: str = ""
    evidence: tuple[str, ...] = ()
    confidence: float | None = None
    basis: EvaluatorBasis = "model"
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answers to one batch, and what they cost.

    Shape: an answer is an `Answer` or plain data that reads as one; anything else counts for nothing.
    """

    answers: Sequence[object]
    model: str = ""
    prompt_digest: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


class Evaluator(Protocol):
    """Judges rules in plain language."""

    @property
    def id(self) -> str:
        """The name under which it is recorded."""

    @property
    def digest(self) -> str:
        """What identifies it with its settings: it changes whenever a batch may be judged otherwise."""

    async def evaluate(self, batch: Batch) -> Reply:
        """Return answers to `batch`. It may raise anything: that is an answer too, and never a pass."""
