"""Ids: those we make, and the types that keep one kind from being passed for another."""

import os
import threading
import uuid
from collections.abc import Callable
from typing import NewType

from bylaw.core.clock import Clock, SystemClock

TenantId = NewType("TenantId", str)
WorkspaceId = NewType("WorkspaceId", str)
RepoId = NewType("RepoId", str)
UserId = NewType("UserId", str)
KeyId = NewType("KeyId", str)
AgentId = NewType("AgentId", str)
PolicyId = NewType("PolicyId", str)
ReceiptId = NewType("ReceiptId", str)
ConnectionId = NewType("ConnectionId", str)

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_MARKER = 16
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Ids:
    """Makes ids that sort by the time they were made; strictly rising within one process."""

    def __init__(self, clock: Clock | None = None, random: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = SystemClock() if clock is None else clock
        self._random = random
        self._lock = threading.Lock()
        self._last = 0

    def uuid7(self) -> str:
        """Return a UUIDv7 (RFC 9562 §5.7) as text."""
        value = self._next128()
        value = (value & ~(0xF << 76)) | (0x7 << 76)
        value = (value & ~(0x3 << 62)) | (0x2 << 62)
        return str(uuid.UUID(int=value))

    def ulid(self, prefix: str) -> str:
        """Return `prefix` followed by a ULID: 26 characters of Crockford base 32, such as `rcpt_01J…`."""
        value = self._next128()
        return prefix + "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])

    def secret(self, length: int) -> str:
        """Return `length` random letters and digits, each as likely as any other."""
        text = ""
        while len(text) < length:  # 248 is the largest multiple of 62 in a byte: the rest would be biased
            text += "".join(_BASE62[byte % 62] for byte in self._random(length) if byte < 248)
        return text[:length]

    def marker(self) -> str:
        """Return a word that nobody can guess, to set apart what others wrote."""
        return self.secret(_MARKER)

    def _next128(self) -> int:
        """Return 48 bits of milliseconds, then 80 of randomness; bumped when the millisecond repeats.

        The bump is taken above the bits that UUIDv7 overwrites, so both forms keep rising.
        """
        value = (self._clock.now_ms() << 80) | int.from_bytes(self._random(10), "big")
        with self._lock:
            if value >> 80 <= self._last >> 80:
                value = self._last + (1 << 24) + (value & 0xFFFFFF)
            self._last = value
        return value
