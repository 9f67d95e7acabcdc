"""Names looked up by threads of their own, so that a name whose server does not answer holds up no other."""

import asyncio
import errno
import ipaddress
import socket
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Final

Look = Callable[[str], Sequence[str]]

_MOST: Final = 128  # names at once: a stalled one keeps its thread for as long as the system waits


def look_up(host: str) -> Sequence[str]:
    """Return the addresses of a name, as this machine finds them. Raises: OSError, UnicodeError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class Resolver:
    """Looks names up by `look`, each once at a time; whoever waits for it may stop waiting at any moment."""

    def __init__(self, look: Look = look_up, *, most: int = _MOST) -> None:
        self._look = look
        self._most = most
        self._under_way: dict[str, Future[Sequence[str] | Exception]] = {}

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the addresses of a name; an address is its own. Raises: OSError, UnicodeError."""
        with suppress(ValueError):
            return (str(ipaddress.ip_address(host)),)
        looked = self._under_way.get(host)
        if looked is None:
            looked = self._begin(host)
        found = await asyncio.shield(looked)
        if isinstance(found, Exception):
            raise found
        return found

    def _begin(self, host: str) -> "Future[Sequence[str] | Exception]":
        if len(self._under_way) >= self._most:
            raise OSError(errno.EAGAIN, "too many names are being looked up")
        loop = asyncio.get_running_loop()
        looked = self._under_way[host] = loop.create_future()
        looked.add_done_callback(lambda _: self._under_way.pop(host))
        Thread(target=self._tell, args=(host, looked, loop), daemon=True).start()
        return looked

    def _tell(self, host: str, looked: "Future[Sequence[str] | Exception]", loop: AbstractEventLoop) -> None:
        try:
            found: Sequence[str] | Exception = self._look(host)
        except (OSError, ValueError) as error:
            found = error
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(looked.set_result, found)
