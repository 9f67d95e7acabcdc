"""Passwords: which may be chosen, and their hashes, made apart from everything else that a server does."""

import asyncio
import threading
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from bylaw.core.errors import Corrupt, InvalidInput, RateLimited

MIN_LENGTH, MAX_LENGTH = 12, 256
# The parameters that OWASP names first for argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB, _PASSES, _LANES = 19_456, 2, 1
# The hash of nobody's password, which takes as long to compare with as that of somebody's.
_NOBODYS: Final = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}${'A' * 22}${'A' * 43}"
_AT_ONCE, _MOST_WAITING, _WAIT_S = 2, 16, 2
_LEAST_OWN: Final = 5  # different characters beside the words that everybody tries
_SHORTEST_WORD: Final = 4
_COMMON: Final = (
    "password", "passwort", "passw0rd", "p@ssw0rd", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1q2w3e4r",
    "qwertzuiop", "qwerty", "qwertz", "azerty", "abcdefghijkl", "abcdef", "abc123", "letmein", "welcome",
    "iloveyou", "administrator", "admin", "changeme", "secret", "trustno1", "sunshine", "princess",
    "football", "baseball", "dragon", "monkey", "master", "superman", "login", "bylaw", "test", "1234567890",
    "0123456789", "123456789", "12345678", "1234567", "123456", "12345", "1234",
)  # fmt: skip

T = TypeVar("T")


class Passwords:
    """Makes and compares hashes in two threads of its own; few may wait, so that nothing else has to."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")
        self._room = threading.BoundedSemaphore(_AT_ONCE + _MOST_WAITING)

    async def hash(self, password: str) -> str:
        """Return a new hash of a password. Raises: RateLimited when too many wait."""
        return await self._run(lambda: self._hasher.hash(plain(password)))

    async def fits(self, password: str, known: str | None) -> bool:
        """Return whether a password is that of the hash `known`; without one it takes as long to say no.

        Raises: RateLimited when too many wait; Corrupt for a hash that is none.
        """
        return await self._run(lambda: self._verify(_NOBODYS if known is None else known, plain(password)))

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            message = f"Too many people sign in at this moment: try again in {_WAIT_S} s."
            raise RateLimited(message, retry_after_s=_WAIT_S)
        future = self._threads.submit(work)
        future.add_done_callback(lambda _: self._room.release())  # also when nobody waits for it any more
        return await asyncio.wrap_future(future)

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError) as error:
            raise Corrupt("A stored hash of a password cannot be read.", place="credentials") from error


def checked_password(text: str, *, about: Iterable[str], path: str = "password") -> str:
    """Return a password that somebody may choose, whom the words of `about` name. Raises: InvalidInput."""
    password = plain(text)
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        message = f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters; this has {len(password)}."
        raise InvalidInput.of(path, "bad_length", message)
    rest = password.casefold()
    words = {*_COMMON, *(plain(word).strip().casefold() for word in about)}
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "") if len(word) >= _SHORTEST_WORD else rest
    if len(set(rest)) < _LEAST_OWN:
        message = (
            "This is among the first that anybody would try: add words that have nothing to do with you."
        )
        raise InvalidInput.of(path, "easily_guessed", message)
    return password


def plain(text: str) -> str:
    """Return a text as every keyboard writes it (NFKC)."""
    return unicodedata.normalize("NFKC", text)
