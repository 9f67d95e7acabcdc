"""Spans, as far as the API needs them; `app` joins OpenTelemetry when it is there and configured.

request ─┬─ decide ─── judge      when rules in plain language are asked about
         └─ commit                until the receipt is durable
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from bylaw.evaluators.protocol import Batch, Evaluator, Reply


class Span(Protocol):
    """One span under way."""

    def set_attribute(self, key: str, value: str | int) -> None:
        """Record one fact about it."""


class Tracer(Protocol):
    """Makes spans."""

    def request(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> AbstractContextManager[Span]:
        """Return the span of a request, a child of the one that its `traceparent` names."""

    def step(self, name: str) -> AbstractContextManager[Span]:
        """Return a span inside the current one."""


class _NoSpan:
    def set_attribute(self, key: str, value: str | int) -> None:
        """Record nothing."""


class Untraced:
    """Makes no spans."""

    def __init__(self) -> None:
        self._nothing = nullcontext(_NoSpan())

    def request(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> AbstractContextManager[Span]:
        """Return nothing to enter."""
        del method, path, headers
        return self._nothing

    def step(self, name: str) -> AbstractContextManager[Span]:
        """Return nothing to enter."""
        del name
        return self._nothing


class TracedEvaluator:
    """Asks another evaluator inside a span."""

    def __init__(self, evaluator: Evaluator, tracer: Tracer) -> None:
        self._evaluator = evaluator
        self._tracer = tracer

    @property
    def id(self) -> str:
        """The name of the evaluator inside."""
        return self._evaluator.id

    @property
    def digest(self) -> str:
        """The digest of the evaluator inside."""
        return self._evaluator.digest

    async def evaluate(self, batch: Batch) -> Reply:
        """Return the reply of the evaluator inside."""
        with self._tracer.step("judge") as span:
            span.set_attribute("bylaw.evaluator", self.id)
            span.set_attribute("bylaw.questions", len(batch.questions))
            return await self._evaluator.evaluate(batch)
