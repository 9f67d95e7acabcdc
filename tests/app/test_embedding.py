"""Who embeds is what the settings name."""

import sys

import pytest

from bylaw.app.embedding import embedder_of
from bylaw.core.errors import InvalidInput
from bylaw.providers.calling import Providers
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.search import onnx
from bylaw.search.arithmetic import NUMPY
from bylaw.search.embedder import embedded
from bylaw.settings import load

PROVIDERS = Providers(HttpClient("off", HttpLimits()))
RUNTIMES = ["numpy", "onnxruntime", "onnxruntime-int8"]
MODEL = {"embed_model": "words-3", "embed_dimensions": 256}


def test_this_machine_embeds_unless_a_model_is_named():
    assert embedder_of(load({}, {}, signs=False), PROVIDERS)().id == embedded().id


@pytest.mark.parametrize(
    ("url", "host"),
    [({}, "openai"), ({"embed_url": "https://models.example.com/v1/"}, "models.example.com")],
    ids=["openai", "other"],
)
def test_a_named_model_embeds_where_it_is(url, host):
    settings = load({"outgoing": "any", **MODEL, **url}, {}, signs=False)
    embedder = embedder_of(settings, PROVIDERS)()
    assert embedder.id == f"words-3@{host}/256"
    assert embedder.dimensions == 256


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"embed_model": "words-3", "outgoing": "any"}, "needs BYLAW_EMBED_DIMENSIONS"),
        ({**MODEL, "outgoing": "any", "embed_url": "http://models.example.com"}, "BYLAW_EMBED_URL: .*https"),
        (MODEL, "may call nobody"),
        ({"embed_dimensions": 256}, "without a model"),
        ({"embed_key": "sk-1"}, "without a model"),
        ({**MODEL, "outgoing": "any", "embed_runtime": "numpy"}, "leave one of the two out"),
    ],
    ids=["no dimensions", "in clear", "no way out", "no model", "a key for nobody", "a runtime for nobody"],
)
def test_what_cannot_embed_is_refused(flags, said):
    with pytest.raises(InvalidInput, match=said):
        embedder_of(load(flags, {}, signs=False), PROVIDERS)


@pytest.mark.parametrize("runtime", [NUMPY, onnx.EXACT, onnx.SMALL], ids=RUNTIMES)
def test_the_runtime_that_is_named_runs_the_model_of_this_machine(runtime, request):
    settings = load({"embed_runtime": request.node.callspec.id}, {}, signs=False)
    make = embedder_of(settings, PROVIDERS)
    assert make.args == (runtime,)


@pytest.mark.parametrize("name", RUNTIMES[1:])
def test_a_start_without_the_runtime_that_is_named_says_what_to_install(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "bylaw.search.onnx", raising=False)
    settings = load({"embed_runtime": name}, {}, signs=False)
    with pytest.raises(InvalidInput, match=r"extra onnx: pip install '\.\[onnx\]'"):
        embedder_of(settings, PROVIDERS)
