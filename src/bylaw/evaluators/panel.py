"""The panel: who judges rules in words, in which order, and what it costs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bylaw.evaluators.ask import Asked
from bylaw.evaluators.cache import Cache
from bylaw.evaluators.protocol import Evaluator, Question
from bylaw.policies.model import Chosen

TIMEOUT_MS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a million tokens cost, in and out; 0 when nobody said.

    Units: hundredths of the currency in which they are paid.
    """

    tokens_in: int = 0
    tokens_out: int = 0

    def cost_micros(self, asked: Asked) -> int:
        """Return what `asked` cost, rounded up, in millionths of the currency."""
        hundredths = asked.tokens_in * self.tokens_in + asked.tokens_out * self.tokens_out
        return -(-hundredths // 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A place at the panel and who sits there; nobody where none is configured."""

    name: Chosen
    evaluator: Evaluator | None

    def takes(self, question: Question) -> bool:
        """Return whether who sits here may judge `question`: a policy may choose one for its rules."""
        return question.evaluator is None or question.evaluator == self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The offline evaluator first; then the model, where there is one, on what that left open.

    Verdicts of both are kept in `cache`.
    Units: `timeout_ms`, in milliseconds, is for all rules of one decision.
    """

    offline: Evaluator
    model: Evaluator | None = None
    cache: Cache = field(default_factory=Cache)
    prices: Prices = Prices()
    timeout_ms: int = TIMEOUT_MS

    def seats(self) -> Iterator[Seat]:
        """Yield the seats in the order in which they are asked."""
        yield Seat(name="offline", evaluator=self.offline)
        yield Seat(name="model", evaluator=self.model)
