"""Spans, as far as the API needs them; `app` joins OpenTelemetry when it is there and configured."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol


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
