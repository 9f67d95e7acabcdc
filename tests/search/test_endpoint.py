"""Vectors from an endpoint: over real HTTP on this machine, whatever it answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from bylaw.core.errors import Unavailable
from bylaw.providers.calling import Endpoint, Providers
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.search.endpoint import HttpEmbedder
from bylaw.tenancy.connections import Credentials

KEY = "sk-embed-0001"
Script = Callable[[list[str]], object]


class Asked(list[list[str]]):
    """The texts of each call, and the heads that came with them."""

    def __init__(self) -> None:
        super().__init__()
        self.heads: list[str] = []


@asynccontextmanager
async def served(script: Script, *, dimensions: int = 3, status: int = 200) -> AsyncIterator[tuple]:
    asked = Asked()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(each[15:]) for each in head.lower().split("\r\n") if each.startswith("content-length")
        )
        body = json.loads(await reader.readexactly(length))
        asked.append(body["input"])
        asked.heads.append(head)
        told = json.dumps(script(body["input"])).encode()
        writer.write(
            b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (status, len(told))
        )
        writer.write(told)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    providers = Providers(HttpClient("any", HttpLimits(timeout_ms=10_000)))
    endpoint = Endpoint(provider="other", address=address, credentials=Credentials(key=KEY))
    try:
        yield HttpEmbedder(providers, endpoint, model="words-3", dimensions=dimensions), asked
    finally:
        await providers.aclose()
        server.close()
        await server.wait_closed()


def vectors(texts: list[str]) -> object:
    rows = [{"index": place, "embedding": [3.0, len(text), 0.5]} for place, text in enumerate(texts)]
    return {"data": rows[::-1], "model": "words-3"}


async def test_rows_have_length_one_in_the_order_of_the_texts():
    async with served(vectors) as (embedder, asked):
        rows = await embedder.embed(["abcd", "a"])
        wants = np.array([[3, 4, 0.5], [3, 1, 0.5]])
        assert np.allclose(rows, wants / np.linalg.norm(wants, axis=1, keepdims=True), atol=1e-6)
        assert rows.dtype == np.float32
        assert asked == [["abcd", "a"]]
        assert asked.heads[0].startswith("POST /v1/embeddings ")
        assert f"authorization: Bearer {KEY}".lower() in asked.heads[0].lower()


async def test_many_and_long_texts_go_in_several_calls_cut_to_what_models_take():
    async with served(vectors) as (embedder, asked):
        rows = await embedder.embed(["x"] * 70 + ["y" * 20_000] * 5)
        assert rows.shape == (75, 3)
        assert [len(each) for each in asked] == [32, 32, 10, 1]
        assert {len(text) for call in asked for text in call} == {1, 8_000}


async def test_half_a_character_does_not_keep_others_from_being_sent():
    async with served(vectors) as (embedder, asked):
        assert (await embedder.embed(["a\ud83d", "b"])).all()
        assert asked == [["a?", "b"]]


async def test_texts_that_say_nothing_are_not_sent():
    async with served(vectors) as (embedder, asked):
        rows = await embedder.embed(["", "a", " \n"])
        assert asked == [["a"]]
        assert [bool(each.any()) for each in rows] == [False, True, False]
        assert (await embedder.embed([])).shape == (0, 3)


def row(*numbers: float, index: int = 0) -> dict:
    return {"index": index, "embedding": [*numbers]}


UNUSABLE = {
    "other dimensions": ([row(1, 2)], "vectors of 2 numbers; 3 are set"),
    "too few": ([], "0 vectors for 1 texts"),
    "too many": ([row(1, 2, 3), row(1, 2, 3, index=1)], "2 vectors for 1 texts"),
    "numbered wrong": ([row(1, 2, 3, index=4)], "not numbered"),
    "no direction": ([row(0, 0, 0)], "without a direction"),
    "too large": ([row(1e308, 1e308, 1)], "without a direction"),
    "no numbers": ([{"index": 0, "embedding": "AAAA"}], "not of the shape"),
}


@pytest.mark.parametrize("case", UNUSABLE)
async def test_what_cannot_be_used_is_unavailable(case):
    data, said = UNUSABLE[case]
    async with served(lambda _: {"data": data}) as (embedder, _):
        with pytest.raises(Unavailable, match=said):
            await embedder.embed(["a"])


async def test_a_refusal_is_unavailable_and_does_not_show_the_key():
    async with served(lambda _: {"error": {"message": f"bad key {KEY}"}}, status=429) as (embedder, _):
        with pytest.raises(Unavailable, match="gives no vectors") as refused:
            await embedder.embed(["a"])
        assert KEY not in refused.value.message


async def test_nobody_there_is_unavailable():
    async with served(vectors) as (embedder, _):
        pass
    with pytest.raises(Unavailable, match="does not answer"):
        await embedder.embed(["a"])


async def test_it_is_named_for_model_place_and_dimensions():
    async with served(vectors) as (embedder, _):
        assert embedder.id.startswith("words-3@127.0.0.1:")
        assert embedder.id.endswith("/3")
        assert embedder.note == ""


@pytest.mark.parametrize("provider", ["anthropic", "aws"])
async def test_those_who_speak_otherwise_cannot_embed(provider):
    providers = Providers(HttpClient("any", HttpLimits()))
    endpoint = Endpoint(provider=provider, address="http://127.0.0.1:9", credentials=Credentials(key=KEY))
    with pytest.raises(Unavailable, match="Only providers that speak"):
        await HttpEmbedder(providers, endpoint, model="m", dimensions=3).embed(["a"])
    await providers.aclose()
