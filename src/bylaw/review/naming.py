"""Naming: what the ids of an occasion are called when it is first listed; names may change later."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from bylaw.core.errors import InvalidInput
from bylaw.core.ids import KeyId, RepoId, UserId
from bylaw.decisions.effects import Occasion
from bylaw.review.model import Names
from bylaw.tenancy.store import Directory


class Naming:
    """Looks up what ids are called, each once."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._known: dict[tuple[str, str], str] = {}

    async def of(self, occasion: Occasion) -> Names:
        """Return what the repo, user and key of an occasion are called."""
        return Names(
            repo=await self._name("repo", occasion.repo_id, self._repo),
            user=await self._name("user", occasion.user_id, self._user),
            key=await self._name("key", occasion.key_id, self._key),
        )

    async def _name(self, noun: str, ident: str, look: Callable[[str], Awaitable[str]]) -> str:
        if (noun, ident) not in self._known:
            self._known[noun, ident] = ""
            with suppress(InvalidInput):  # an id that no store could hold
                self._known[noun, ident] = await look(ident) if ident else ""
        return self._known[noun, ident]

    async def _repo(self, ident: str) -> str:
        repo = await self._directory.repos.get(RepoId(ident))
        return "" if repo is None else repo.name

    async def _user(self, ident: str) -> str:
        user = await self._directory.users.get(UserId(ident))
        return "" if user is None else user.full_name

    async def _key(self, ident: str) -> str:
        key = await self._directory.keys.get(KeyId(ident))
        return "" if key is None else key.name
