"""A server that is killed while it writes policies: what it had committed is found by its words."""

import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count

from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.storage.control import open_control
from tests.contracts.test_words_in_memory import finder_of, said, scanned, told
from tests.contracts.values import A, current, policy, tenant, version
from tests.durability.killing import ROOT, environment

ROUNDS = 4


async def opened(url, stack):
    clock = SystemClock()
    store = await open_control(url, ids=Ids(clock), clock=clock)
    stack.push_async_callback(store.close)
    return store


async def write(url):
    """Write without an end, two policies at a time, and tell of each."""
    async with AsyncExitStack() as stack:
        store = await opened(url, stack)
        for number in count():
            made = [policy(id=f"p{number}-{each}") for each in "ab"]
            async with store.begin(A) as unit:
                await unit.policies.add_all([current(each, content=said("apples")) for each in made])
            async with store.begin(A) as unit:
                edited = replace(made[0], revision=2, latest=2, approved=2)
                await unit.policies.save_all([(edited, version(edited.id, 2, content=said("pears")))])
            print(number, flush=True)


async def test_what_a_killed_server_committed_is_found_by_its_words(tmp_path):
    url = f"sqlite:///{tmp_path / 'control.db'}"
    async with AsyncExitStack() as stack:
        store = await opened(url, stack)
        async with store.system() as system:
            await system.add_tenant(tenant(A))
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__, url),
            cwd=ROOT,
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        finder = finder_of()
        for _ in range(ROUNDS):
            assert await writer.stdout.readline()
            async with store.begin(A, writes=False) as unit:
                assert await told(unit, finder, "apples") == await scanned(unit, "apples")
        writer.kill()
        await writer.wait()
        async with store.begin(A, writes=False) as unit:
            for finds in (finder, finder_of()):
                for query in ("apples", "pears", "apples pears"):
                    assert await told(unit, finds, query) == await scanned(unit, query)
            assert (await told(unit, finder, "pears"))[1] >= ROUNDS


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1]))
