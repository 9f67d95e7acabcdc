"""Spans through OpenTelemetry, sent as the standard `OTEL_*` variables say. Needs the extra `bylaw[otel]`."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind

_PASSED_ON = ("traceparent", "tracestate")


def otlp_provider(version: str) -> TracerProvider:
    """Return a provider that sends spans in batches; `shutdown` sends what is left."""
    provider = TracerProvider(resource=Resource.create({"service.name": "bylaw", "service.version": version}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class OtelTracer:
    """Makes spans with a provider of our own, so that nobody else's spans are sent or ours lost."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("bylaw")

    def request(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> AbstractContextManager[Span]:
        """Return the span of a request, a child of the one that its `traceparent` names."""
        carrier = {
            name: headers[name.encode()].decode("latin-1") for name in _PASSED_ON if name.encode() in headers
        }
        return self._tracer.start_as_current_span(
            method,
            context=extract(carrier),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.path": path},
        )

    def step(self, name: str) -> AbstractContextManager[Span]:
        """Return a span inside the current one."""
        return self._tracer.start_as_current_span(name)
