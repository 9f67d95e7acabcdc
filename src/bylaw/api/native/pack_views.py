"""How packs, plans and what came of them go over the wire."""

from typing import Annotated

import msgspec

from bylaw.api.native.policy_views import DiffView
from bylaw.api.problems import FieldProblem
from bylaw.policies.model import Status
from bylaw.policies.packs.plan import Kind, Switch


class _Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a request; unknown fields are refused."""


class PackDocument(_Sent, frozen=True):
    """One file of a pack as plain data (see `pack.schema.json`); `file` names it in problems."""

    file: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    document: dict[str, object]


class PackText(_Sent, frozen=True):
    """One file of a pack as it is written, in YAML or JSON; `file` names it in problems."""

    file: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    text: str


class PacksToPlan(_Sent, frozen=True):
    """The files of one or more packs. With `prune`, what a pack made and no longer contains is archived."""

    documents: Annotated[tuple[PackDocument, ...], msgspec.Meta(min_length=1, max_length=1000)]
    prune: bool = False


class PacksToApply(PacksToPlan, frozen=True):
    """The files, and what was agreed to: with `plan`, the digest of a plan, only exactly that is done."""

    plan: str | None = None
    reason: str = ""


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer."""


class PlanStepView(_Shown, frozen=True):
    """What is to be done about one policy: `diff` for a new text, `switches` for the rest.

    `revision` is that of the stored policy on which the step builds. `warnings` are about its text.
    """

    kind: Kind
    slug: str
    policy_id: str | None
    revision: int | None
    diff: DiffView | None
    switches: tuple[Switch, ...]
    note: str
    warnings: tuple[FieldProblem, ...]


class PlanView(_Shown, frozen=True):
    """Everything to be done, in order; `digest` names exactly this plan on exactly this state."""

    digest: str
    is_empty: bool
    steps: tuple[PlanStepView, ...]


class ChangedPolicy(_Shown, frozen=True):
    """A policy as a plan left it."""

    slug: str
    id: str
    status: Status
    is_in_force: bool
    version: int
    pending: int | None


class AppliedPlanView(_Shown, frozen=True):
    """The plan that was carried out, and the policies that it changed."""

    plan: PlanView
    policies: tuple[ChangedPolicy, ...]


class PackCountView(_Shown, frozen=True):
    """How many approved policies a pack made; `pack` is null for those that no pack made."""

    pack: str | None
    policies: int


class PackCountsView(_Shown, frozen=True):
    """The packs of the approved policies, by name."""

    data: tuple[PackCountView, ...]


class PacksView(_Shown, frozen=True):
    """Files of packs, as plain data."""

    documents: tuple[PackDocument, ...]
