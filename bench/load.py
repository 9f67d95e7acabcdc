"""A load generator of its own process: `python -m bench.load URL --connections N --seconds S`.

Each connection sends one request, waits for the whole answer, and sends the next (closed loop), over raw
sockets: the generator must cost much less than the server it measures. Prints one JSON line.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import uvloop


class Connection(asyncio.Protocol):
    """One keep-alive connection that repeats a request until told to stop."""

    def __init__(self, request: bytes, times: list[float], bad: list[bytes]) -> None:
        self.request = request
        self.times = times
        self.bad = bad
        self.buffer = b""
        self.sent = 0.0
        self.counting = False
        self.stopping = False
        self.count = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.send()

    def send(self):
        self.sent = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data):
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        start = head.lower().find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self.buffer = body[length:]
        self.count += 1
        if self.counting:
            self.times.append(time.perf_counter() - self.sent)
            if head[9:12] != b"200":
                self.bad.append(head[:200] + body[:300])
        if self.stopping:
            self.transport.close()
        else:
            self.send()

    def connection_lost(self, error):  # noqa: ARG002 - a protocol is called so
        if not self.done.done():
            self.done.set_result(None)


async def load(
    url: str, request: bytes, *, connections: int, warm_s: float, seconds: float
) -> dict[str, object]:
    parts = urlsplit(url)
    times: list[float] = []
    bad: list[bytes] = []
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda: Connection(request, times, bad), parts.hostname, parts.port))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(warm_s)
    for each in made:
        each.counting = True
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    count = len(times)
    for each in made:
        each.counting = False
        each.stopping = True
    await asyncio.wait_for(asyncio.gather(*(each.done for each in made)), 10)
    times = sorted(times[:count])
    return {
        "sent": sum(each.count for each in made),
        "per_s": round(count / took, 1),
        "p50_ms": round(times[count // 2] * 1000, 3) if times else None,
        "p99_ms": round(times[int(count * 0.99)] * 1000, 3) if times else None,
        "bad": len(bad),
        "first_bad": bad[0].decode("latin-1") if bad else "",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--request", type=Path, required=True, help="file with the raw HTTP request")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--warm", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    found = uvloop.run(
        load(
            options.url,
            options.request.read_bytes(),
            connections=options.connections,
            warm_s=options.warm,
            seconds=options.seconds,
        )
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
