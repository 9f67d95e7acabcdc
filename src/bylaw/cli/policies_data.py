"""The policies of a data directory on which no server runs."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import Response
from msgspec.json import decode

from bylaw.api.native import packs
from bylaw.api.native.pack_views import AppliedPlanView, PacksToApply, PacksToPlan, PacksView, PlanView
from bylaw.api.native.packs import ExportQuery
from bylaw.api.ports import Unit
from bylaw.cli.local import carry_out
from bylaw.core.ids import TenantId
from bylaw.tenancy.principal import Acting


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryTarget:
    """A data directory on which no server runs."""

    data: Path
    tenant_id: TenantId

    def plan(self, sent: PacksToPlan) -> PlanView:
        """Return what applying would do."""
        return decode(self._run(lambda acting: packs.plan_packs(acting, sent)), type=PlanView)

    def apply(self, sent: PacksToApply) -> AppliedPlanView:
        """Apply, and return what was done."""
        return decode(self._run(lambda acting: packs.apply_packs(acting, sent)), type=AppliedPlanView)

    def export(self, *, pack: str | None, others: str) -> PacksView:
        """Return the approved policies as files."""
        query = ExportQuery(pack=pack, others=others)
        return decode(self._run(lambda acting: packs.export_packs(acting, query)), type=PacksView)

    def _run(self, action: Callable[[Acting[Unit]], Awaitable[Response]]) -> bytes:
        return asyncio.run(carry_out(self.data, self.tenant_id, action, environ=os.environ))
