"""The HTTP client: whom it may call, and what it keeps open."""

import asyncio
import threading

import pytest

from bylaw.providers.http import HttpAnswer, HttpCall, HttpClient, HttpLimits, is_public
from bylaw.providers.model import Failed
from bylaw.providers.resolving import Resolver
from tests.gateway.scripted import scripted


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "192.0.0.192",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "::",
            "::1",
        ),
        *("::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "fc00::1", "fe80::1%1", "fec0::1", "ff02::1"),
    ],
)
def test_an_address_within_is_not_public_however_it_is_written(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::"])
def test_an_address_of_the_public_network_is_public(address):
    assert is_public(address)


async def test_what_leads_to_where_nobody_calls_any_more_is_closed():
    now = [0.0]
    client = HttpClient("any", HttpLimits(), ticks=lambda: now[0])
    async with scripted() as first, scripted() as second:
        for provider in (first, second):
            now[0] += 60
            answer = await client.send(HttpCall(method="GET", url=provider.url, headers={}))
            assert isinstance(answer, HttpAnswer)
        await first.closed.wait()
        assert not second.closed.is_set()
        await client.aclose()


def call(provider, key="one"):
    return HttpCall(method="GET", url=provider.url, headers={"authorization": f"Bearer {key}"})


async def test_one_slow_provider_leaves_another_callable():
    client = HttpClient("any", HttpLimits(calls=8))
    async with scripted() as slow, scripted() as other:
        slow.stalls = True
        sent = [asyncio.create_task(client.send(call(slow))) for _ in range(3)]
        done, waiting = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        (refused,) = [each.result() for each in done]
        assert isinstance(refused, Failed)
        assert (refused.reason, len(waiting)) == ("busy", 2)
        assert isinstance(await client.send(call(other)), HttpAnswer)
        slow.stalls = False
        assert isinstance(await client.send(call(slow, key="two")), HttpAnswer)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
        assert isinstance(await client.send(call(slow)), HttpAnswer)
        await client.aclose()


async def test_all_shares_together_are_held_to_the_whole():
    client = HttpClient("any", HttpLimits(calls=2))
    async with scripted() as slow:
        slow.stalls = True
        sent = [asyncio.create_task(client.send(call(slow, key))) for key in ("one", "two", "three")]
        done, waiting = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        assert ([each.result().reason for each in done], len(waiting)) == (["busy"], 2)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)


def port_of(provider):
    return int(provider.url.split(":")[2].partition("/")[0])


def named(provider, name="models.example"):
    return HttpCall(method="GET", url=provider.url.replace("127.0.0.1", name), headers={})


async def test_a_name_is_looked_up_once_and_the_call_goes_to_what_was_found():
    """The name leads inside as soon as somebody looks again: nobody does, between the look and the call."""
    answers = iter([("127.0.0.1",), ("127.0.0.2",)])
    client = HttpClient("any", HttpLimits(), resolver=Resolver(lambda _: next(answers)))
    async with scripted() as here, scripted("127.0.0.2", port_of(here)) as there:
        assert isinstance(await client.send(named(here)), HttpAnswer)
        assert (len(here.asked), len(there.asked)) == (1, 0)
        assert here.asked[0].headers["host"].startswith("models.example:")
        await client.aclose()
        assert isinstance(await client.send(named(here)), HttpAnswer)
        assert (len(here.asked), len(there.asked)) == (1, 1)
        await client.aclose()


async def test_a_name_that_begins_to_lead_inside_is_called_no_more():
    answers = iter([("8.8.8.8", "127.0.0.1"), ("127.0.0.1",), ("::1",), ("::ffff:127.0.0.1",)])
    looks = []

    def look(host):
        looks.append(host)
        return next(answers)

    resolver = Resolver(look)
    client = HttpClient("public", HttpLimits(), resolver=resolver)
    async with scripted() as inside:
        assert "8.8.8.8" in await resolver.addresses("models.example")
        for _ in range(3):
            refused = await client.send(named(inside))
            assert isinstance(refused, Failed)
            assert refused.reason == "forbidden"
        assert (inside.connections, len(looks)) == (0, 4)


async def test_a_name_whose_server_stalls_holds_up_no_other():
    stalls, looked = threading.Event(), []

    def look(host):
        looked.append(host)
        if host.startswith("stalls"):
            stalls.wait()
            raise OSError(5, "nobody knows")
        return ("127.0.0.1",)

    resolver = Resolver(look, most=21)
    client = HttpClient("any", HttpLimits(timeout_ms=20), resolver=resolver)
    async with scripted() as provider:
        sent = [client.send(named(provider, f"stalls-{n % 20}.example")) for n in range(40)]
        late = await asyncio.gather(*sent)
        assert {each.reason for each in late} == {"late"}
        assert len(looked) == 20
        await asyncio.to_thread(looked.append, "the threads of others are free")
        answer = await client.send(HttpCall(method="GET", url=named(provider).url, headers={}, timeout_s=30))
        assert isinstance(answer, HttpAnswer)
        full = Resolver(look, most=0)
        with pytest.raises(OSError, match="too many names"):
            await full.addresses("one.example")
        waits = asyncio.create_task(resolver.addresses("stalls-0.example"))
        await asyncio.sleep(0)
        stalls.set()
        with pytest.raises(OSError, match="nobody knows"):
            await waits
        await client.aclose()


async def test_what_is_no_name_is_said_so():
    client = HttpClient("any", HttpLimits())
    refused = await client.send(HttpCall(method="GET", url=f"http://{'x' * 64}.example/", headers={}))
    assert isinstance(refused, Failed)
    assert refused.reason == "unreachable"
