import importlib
import sys
import types
from contextlib import AsyncExitStack

import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bylaw import settings
from bylaw.app import join
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.stores import open_stores
from tests.api.conftest import World
from tests.api.test_edge import client

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def otel(monkeypatch):
    """The module with an exporter in place of the one that sends, which the test requirements leave out."""
    name = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    stand_in = types.ModuleType(name)
    stand_in.OTLPSpanExporter = InMemorySpanExporter
    monkeypatch.setitem(sys.modules, name, stand_in)
    monkeypatch.delitem(sys.modules, "bylaw.api.otel", raising=False)
    return importlib.import_module("bylaw.api.otel")


def recorded():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter, provider


async def test_a_request_is_a_span_below_the_one_it_came_with(otel):
    exporter, provider = recorded()
    sender = client()
    sender.edge._tracer = otel.OtelTracer(provider)
    await sender.send(headers=[(b"traceparent", PARENT)])
    await sender.send(headers=[(b"content-type", b"text/plain")])
    first, second = exporter.get_finished_spans()
    assert (first.name, first.attributes["url.path"]) == ("POST", "/hot")
    assert first.attributes["http.response.status_code"] == 200
    assert f"{first.context.trace_id:032x}".encode() in PARENT
    assert f"{first.parent.span_id:016x}".encode() in PARENT
    assert second.attributes["http.response.status_code"] == 415
    assert second.parent is None


async def test_a_decision_shows_what_its_time_went_to(otel, tmp_path):
    exporter, provider = recorded()
    clock = SystemClock()
    ids = Ids(clock)
    given = settings.build(data=tmp_path / "data")
    async with AsyncExitStack() as stack:
        stores = await open_stores(given, clock, ids, stack)
        tracer = otel.OtelTracer(provider)
        app = await stack.enter_async_context(join(given, stores, clock=clock, ids=ids, tracer=tracer))
        world = World(app=app, keys={"admin": app.admin_key})
        exporter.clear()
        rule = {"type": "nl", "text": "Never mention a competitor."}
        await world.make("/v1/decisions", {"user_intent": "hello", "policy_rules": [rule]})
    spans = {each.name: each for each in exporter.get_finished_spans()}
    parents = {"decide": "POST", "judge": "decide", "commit": "POST"}
    for name, parent in parents.items():
        assert spans[name].parent.span_id == spans[parent].context.span_id
    assert spans["decide"].attributes["bylaw.outcome"]
    assert spans["decide"].attributes["bylaw.policies"] == 0
    assert spans["judge"].attributes["bylaw.evaluator"] == "offline"
    assert spans["judge"].attributes["bylaw.questions"] == 1


def test_the_provider_sends_what_is_left_when_it_stops(otel):
    provider = otel.otlp_provider("1.2.3")
    with otel.OtelTracer(provider).step("decide"):
        pass
    assert provider.resource.attributes["service.version"] == "1.2.3"
    provider.shutdown()
