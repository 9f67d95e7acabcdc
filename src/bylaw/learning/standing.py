"""How drafts stand beside the policies that are there: as a duplicate, as rejected before, or against one.

Policies are found by the words they share with a draft and compared by vectors. Only what a workspace can
see counts: its own policies and those around it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bylaw.core.clock import DAY_MS
from bylaw.core.paging import Slice
from bylaw.learning.mining.clusters import sense
from bylaw.learning.mining.model import Draft, fold
from bylaw.learning.mining.said import forbids
from bylaw.learning.proposing import is_withdrawn
from bylaw.learning.report import Choices, Finding, Why
from bylaw.policies.model import Current, DeterministicRule, NaturalRule
from bylaw.policies.searching import words_of
from bylaw.policies.store import PolicyFilter, PolicyUnit
from bylaw.search.embedder import Embedder
from bylaw.search.floats import Floats
from bylaw.tenancy.model import Place

_MOST_NEAR: Final = 25
# What one run proposes: people read it, and others wait to write while it is stored. The next run goes on.
MOST_PROPOSED: Final = 40
# How much less near than the same a rule may be to be told to the reviewer.
_NEAR: Final = 0.15
_PERMITS: Final = frozenset({"may", "can", "allowed", "eligible", "entitled", "free", "waive", "waived"})


class Remembering:
    """An embedder that embeds no text twice, as long as it has room for what it embedded."""

    def __init__(self, embedder: Embedder, *, room: int = 10_000) -> None:
        self._embedder = embedder
        self._room = room
        self._known: dict[str, Floats] = {}

    @property
    def id(self) -> str:
        """Return the name of model and weights."""
        return self._embedder.id

    @property
    def dimensions(self) -> int:
        """Return how many numbers a vector has."""
        return self._embedder.dimensions

    @property
    def note(self) -> str:
        """Return what people should know about how texts are compared, or nothing."""
        return self._embedder.note

    async def embed(self, texts: Sequence[str]) -> Floats:
        """Return a row for each text. Raises: Unavailable."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        rows = await self._embedder.embed(new) if new else ()
        known = {**self._known, **dict(zip(new, rows, strict=True))}
        for text in list(known)[: max(0, len(known) - self._room)]:
            self._known.pop(text, None)
        self._known.update((text, known[text]) for text in new[-self._room :])
        return np.stack([known[text] for text in texts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A rule of a policy that is there, and how near it is to a draft."""

    current: Current
    text: str
    near: float
    denies: bool

    @property
    def says(self) -> str:
        """The policy with its rule, as a person reads it."""
        return f"{self.current.policy.id} ({self.text[:200]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How drafts are compared: where, by which choices, and whether only `bearer` may bear proposals."""

    embedder: Embedder
    place: Place
    choices: Choices
    now_ms: int
    bearer: str | None = None


async def standing(unit: PolicyUnit, drafts: Sequence[Draft], by: Comparison) -> list[Finding]:
    """Return each draft with why it is held back, or what a reviewer should know.

    What is proposed names first the conversation that bears it: `bearer`, or one with room for another.
    Raises: Unavailable.
    """
    choices, embedder = by.choices, by.embedder
    findings: list[Finding] = []
    accepted: list[Draft] = []
    borne: dict[str, int] = {}
    for draft in drafts:
        rivals = await _rivals(unit, draft, embedder, by.place)
        found = _held_back(draft, rivals, choices, by.now_ms) or await _repeated(
            draft, accepted, embedder, choices
        )
        if found is None:
            bearers = draft.supports if by.bearer is None else (by.bearer,)
            first = next(
                (each for each in bearers if borne.get(each, 0) < choices.most_per_conversation), None
            )
            if first is None or len(accepted) == MOST_PROPOSED:
                found = Finding(draft=draft, held_back="too_many")
            else:
                borne[first] = borne.get(first, 0) + 1
                accepted.append(draft)
                found = Finding(draft=_borne(draft, first), notes=tuple(_notes(draft, rivals, choices)))
        findings.append(found)
    return findings


def _borne(draft: Draft, first: str) -> Draft:
    """Return a draft with the conversation that bears it first, and its quotes."""
    others = (each for each in draft.supports if each != first)
    quotes = sorted(draft.quotes, key=lambda each: each.conversation_id != first)
    return replace(draft, supports=(first, *others), quotes=tuple(quotes))


async def _rivals(unit: PolicyUnit, draft: Draft, embedder: Embedder, place: Place) -> list[Rival]:
    """Return the rules that are nearest to a draft, the nearest first."""
    words = words_of(draft.text)
    if not words:
        return []
    where = PolicyFilter(place=place, match="near")
    hits = (await unit.policies.search(words, where, Slice(limit=_MOST_NEAR))).items
    found = await unit.policies.currents([hit.id for hit in hits])
    told = [(current, text) for current in found for text in _texts(current)]
    vectors = await embedder.embed([draft.text, *(text for _, text in told)])
    own = sense(draft.text)
    rivals = [
        Rival(
            current=current,
            text=text,
            near=1.0 if _same(draft, text) else float(vector @ vectors[0]),
            denies=own.denies(sense(text)),
        )
        for (current, text), vector in zip(told, vectors[1:], strict=True)
    ]
    return sorted(rivals, key=lambda each: (-each.near, each.current.policy.id))


def _texts(current: Current) -> list[str]:
    """Return what the rules of a policy say: an expression by its message, and as it is."""
    texts: list[str] = []
    for rule in current.version.content.rules:
        match rule:
            case NaturalRule():
                texts.append(rule.text)
            case DeterministicRule():
                texts += [text for text in (rule.message, rule.expr) if text]
    return texts


def _same(draft: Draft, text: str) -> bool:
    return fold(text) == fold(draft.text) or (bool(draft.expr) and text == draft.expr)


def _held_back(draft: Draft, rivals: Sequence[Rival], choices: Choices, now_ms: int) -> Finding | None:
    """Return why a draft is not proposed: too little confidence, a policy that says it, or a rejection."""
    if draft.confidence < choices.minimum_confidence:
        return Finding(draft=draft, held_back="weak")
    since_ms = now_ms - choices.suppress_days * DAY_MS
    for rival in rivals:
        if rival.near < choices.similarity or rival.denies:
            continue
        policy = rival.current.policy
        why: Why = "duplicate"
        notes = (f"It says what {rival.says} says, which is {policy.status}.",)
        if policy.status == "rejected":
            if policy.updated_ms < since_ms or is_withdrawn(policy):
                continue
            why = "rejected_before"
            reason = (policy.decided_reason or "no reason was given").rstrip(".")
            notes = (f"{rival.says} was rejected: {reason}.",)
        return Finding(draft=draft, held_back=why, because_of=policy.id, notes=notes)
    return None


async def _repeated(
    draft: Draft, accepted: Sequence[Draft], embedder: Embedder, choices: Choices
) -> Finding | None:
    """Return that a surer draft of the same run says the same, if one does."""
    if not accepted:
        return None
    vectors = await embedder.embed([draft.text, *(each.text for each in accepted)])
    own = sense(draft.text)
    for other, vector in zip(accepted, vectors[1:], strict=True):
        if float(vector @ vectors[0]) >= choices.similarity and not own.denies(sense(other.text)):
            return Finding(draft=draft, held_back="duplicate", notes=(f"This run proposes: {other.text}",))
    return None


def _notes(draft: Draft, rivals: Sequence[Rival], choices: Choices) -> list[str]:
    """Return what a reviewer should know of policies in force: which says otherwise, and which is near."""
    notes: list[str] = []
    forbidding = forbids(draft.text)
    in_force = [each for each in rivals if each.current.policy.is_in_force]
    for rival in in_force:
        if rival.denies and rival.near >= choices.similarity - _NEAR:
            notes.append(f"In force and says otherwise: {rival.says}.")
            if not forbidding and forbids(rival.text):
                notes.append("It would widen what is allowed.")
        elif not rival.denies and rival.near >= choices.similarity - _NEAR:
            notes.append(f"In force and near: {rival.says}. An edit of that policy may say it better.")
    if not forbidding and _PERMITS.intersection(draft.text.casefold().split()):
        notes.append(
            "It permits something: approving it allows nothing by itself, since policies only restrict."
        )
    return list(dict.fromkeys(notes))


def held(findings: Sequence[Finding]) -> Mapping[str, int]:
    """Return how many findings there are of each outcome: `proposed`, or why they are held back."""
    counted: dict[str, int] = {}
    for each in findings:
        outcome = "proposed" if each.held_back is None else each.held_back
        counted[outcome] = counted.get(outcome, 0) + 1
    return counted
