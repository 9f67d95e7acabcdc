"""Where people of one tenant say that messages lead, in memory; the twin of `sql.corrections`."""

from collections.abc import Collection, Sequence

from typing_extensions import override

from bylaw.core.ids import PolicyId
from bylaw.core.paging import Page, Slice
from bylaw.search.store import Correction, CorrectionFilter, CorrectionId
from bylaw.storage.memory.kinds import Kind
from bylaw.storage.sql import tables
from bylaw.storage.vectors import FORGOTTEN, NOT_EMBEDDED


class MemoryCorrections(Kind[CorrectionId, Correction]):
    """The corrections of one tenant."""

    table = tables.corrections
    kind = Correction
    noun = "correction"

    @override
    async def add(self, item: Correction, /) -> None:
        """Store a new correction, and list its text to be embedded. Raises: Conflict (`exists`)."""
        await super().add(item)
        listed = {"tenant_id": self._tenant_id, "digest": item.digest, **NOT_EMBEDDED}
        held = self._heap.get(tables.vectors, self._tenant_id, item.digest)
        if held is None:
            self._heap.insert_new(tables.vectors, listed)
        elif held["embedder"] == FORGOTTEN:
            self._heap.replace(tables.vectors, {**held, "embedder": ""})

    async def list(self, where: CorrectionFilter, part: Slice) -> Page[Correction]:
        """Return a page of those that match, newest first."""

        def is_wanted(each: Correction) -> bool:
            return (
                (where.policy_ids is None or each.policy_id in where.policy_ids)
                and where.conversation_id in {None, each.conversation_id}
                and where.receipt_id in {None, each.receipt_id}
                and not (where.is_nobodys and each.policy_id is not None)
                and (where.digests is None or each.digest in where.digests)
                and (where.only is None or each.workspace_id in where.only)
            )

        return self._page(part, is_wanted)

    async def remove(self, idents: Collection[CorrectionId]) -> None:
        """Forget corrections, and what a text means that nobody says any more."""
        self._remove([each for each in self._all() if each.id in idents])

    async def remove_of(self, policy_ids: Collection[PolicyId]) -> None:
        """Forget what leads to these policies, which are deleted."""
        self._remove([each for each in self._all() if each.policy_id in policy_ids])

    def _remove(self, gone: Sequence[Correction]) -> None:
        for each in gone:
            self._heap.remove(self.table, self._written(each))
        left = {each.digest for each in self._all()}
        for digest in {each.digest for each in gone} - left:
            held = self._heap.get(tables.vectors, self._tenant_id, digest)
            blank = {"embedder": FORGOTTEN, "about": None, "procedure": None}
            self._heap.replace(tables.vectors, {**(held or {}), **blank})
