"""The signing keys of a data directory on which no server runs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bylaw.api.native.signing_key_views import SigningKeyView
from bylaw.api.native.signing_keys import view
from bylaw.app import App, build
from bylaw.cli.local import existing
from bylaw.core.clock import from_rfc3339

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryTarget:
    """A data directory on which no server runs."""

    data: Path

    def listed(self) -> Sequence[SigningKeyView]:
        """Return every key, oldest first."""

        async def every(app: App) -> Sequence[SigningKeyView]:
            found = (await app.signing.published()).keys
            return [await view(key, app.signing, app.stores.ledger) for key in found]

        return self._run(every)

    def rotate(self) -> SigningKeyView:
        """Take a new key into use, and return it."""

        async def rotate(app: App) -> SigningKeyView:
            return await view(await app.signing.rotate(), app.signing, app.stores.ledger)

        return self._run(rotate)

    def revoke(self, kid: str, revoked_at: str | None) -> SigningKeyView:
        """Revoke a key from a moment on (now), and return it."""
        at_ms = None if revoked_at is None else from_rfc3339(revoked_at)

        async def revoke(app: App) -> SigningKeyView:
            return await view(await app.signing.revoke(kid, at_ms), app.signing, app.stores.ledger)

        return self._run(revoke)

    def _run(self, action: Callable[[App], Awaitable[T]]) -> T:
        async def carry_out() -> T:
            async with build(existing({"data": self.data})) as app:
                return await action(app)

        return asyncio.run(carry_out())
