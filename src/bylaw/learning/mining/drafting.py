"""The model miner: a model drafts rules from diverse conversations of a kind, and checks them on the others.

What the offline miner finds in corrections and in calls of tools stays; what agents say is left to the model.
1. Conversations that begin alike are a kind; of each, some that differ the most are shown, others held out.
2. A draft whose quotes do not all stand where they should is void, and so is one that only customers support.
3. Drafts are tried on what was held out; one that agents mostly do not keep to is dropped.
Where the model fails, the offline miner's drafts are the answer, and the note says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, TypeVar

from bylaw.learning.mining import confidence
from bylaw.learning.mining.clusters import clustered, farthest_first
from bylaw.learning.mining.miner import Mined
from bylaw.learning.mining.model import MOST_QUOTES, MOST_SHOWN, Case, Draft, Kind, Tried
from bylaw.learning.mining.offline import MOST_DRAFTS, mine
from bylaw.learning.mining.prompt import (
    Checked,
    Drafted,
    checking,
    drafting,
    read_checks,
    read_drafts,
    shown,
)
from bylaw.learning.mining.transcript import Transcript
from bylaw.providers.model import Failed, Object
from bylaw.providers.structured import Form, Structured
from bylaw.search.embedder import Embedder

T = TypeVar("T")

_ALIKE: Final = 0.65  # how near the beginnings of conversations of one kind are
_BEGINNING: Final = 3  # turns of the customer
_SHOWN: Final = 10
_HELD_OUT: Final = 6
_MOST_KINDS: Final = 12
_FEWEST: Final = 2
_KEPT: Final = 0.6
_SAID_BY_AGENTS: Final[frozenset[Kind]] = frozenset({"reason", "statement", "question"})


class Asked(Protocol):
    """A model that answers with one JSON object."""

    async def ask(
        self, form: Form, read: Callable[[Object], T], *, timeout_s: float
    ) -> Structured[T] | Failed:
        """Return what it answers, as `read` reads it, or why there is nothing to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMiner:
    """Mines with a model; `marker` gives a word that nobody can guess. Units: `timeout_s` for each answer."""

    embedder: Embedder
    model: Asked
    marker: Callable[[], str]
    timeout_s: float = 60.0

    async def mine(self, transcripts: Sequence[Transcript], *, topics: Sequence[str]) -> Mined:
        """Return what conversations show. Raises: Unavailable for the embedder."""
        offline = await mine(transcripts, self.embedder, topics=topics)
        drafts: list[Draft] = []
        failures: list[str] = []
        answered = 0
        for some, others in await self._kinds(transcripts):
            found = await self._drafted(some, others)
            if isinstance(found, Failed):
                failures.append(found.message)
            else:
                answered += 1
                drafts += found
        if not answered:
            why = f"The model did not answer: {failures[0]}" if failures else ""
            return Mined(drafts=offline, by="offline", note=" ".join(filter(None, [why, self.embedder.note])))
        drafts += (each for each in offline if each.kind not in _SAID_BY_AGENTS)
        ordered = sorted(drafts, key=lambda each: (-each.confidence, -len(each.supports), each.text))
        note = f"Of {answered + len(failures)} questions {len(failures)} had no answer." if failures else ""
        return Mined(drafts=ordered[:MOST_DRAFTS], by="model", note=note)

    async def _kinds(
        self, transcripts: Sequence[Transcript]
    ) -> list[tuple[list[Transcript], list[Transcript]]]:
        """Return for each kind of conversation those that are shown, and those that are held out."""
        beginnings = [_beginning(each) for each in transcripts]
        if not beginnings:
            return []
        vectors = await self.embedder.embed(beginnings)
        groups = clustered([""] * len(beginnings), vectors, at_least=_ALIKE)
        single = [place for group in groups if len(group) == 1 for place in group]
        kinds = [group for group in groups if len(group) > 1][:_MOST_KINDS] + ([single] if single else [])
        found: list[tuple[list[Transcript], list[Transcript]]] = []
        for group in kinds:
            order = [group[place] for place in farthest_first(vectors[list(group)], _SHOWN + _HELD_OUT)]
            split = max(1, min(_SHOWN, len(order) - len(order) // 3))
            chosen = [transcripts[place] for place in order]
            found.append((chosen[:split], chosen[split:]))
        return found

    async def _drafted(
        self, some: Sequence[Transcript], others: Sequence[Transcript]
    ) -> list[Draft] | Failed:
        what = shown(some, self.marker())
        answer = await self.model.ask(
            drafting(what), partial(read_drafts, what=what), timeout_s=self.timeout_s
        )
        if isinstance(answer, Failed):
            return answer
        by_id = {each.id: each for each in some}
        drafts = [_draft(each, by_id) for each in answer.value if _stands(each)]
        if not drafts or not others:
            return drafts
        return await self._tried(drafts, others)

    async def _tried(self, drafts: Sequence[Draft], others: Sequence[Transcript]) -> list[Draft]:
        """Return the drafts that agents keep to in other conversations, as far as the model can tell."""
        what = shown(others, self.marker())
        rules = [each.text for each in drafts]
        answer = await self.model.ask(
            checking(what, rules), partial(read_checks, what=what, rules=len(rules)), timeout_s=self.timeout_s
        )
        if isinstance(answer, Failed):
            return list(drafts)
        found: list[Draft] = []
        for number, draft in enumerate(drafts):
            about = [check for check in answer.value if check.rule == number]
            kept, broken = _told(about, "kept"), _told(about, "broken")
            if len(kept) + len(broken) and len(kept) < _KEPT * (len(kept) + len(broken)):
                continue
            undecided = len(others) - len(kept) - len(broken)
            tried = Tried(
                satisfied=len(kept), violated=len(broken), undecided=undecided, samples=tuple(broken)
            )
            supports = (*draft.supports, *kept)
            sure = confidence.of("model", supports=len(supports), against=len(broken))
            found.append(replace(draft, supports=supports, against=len(broken), confidence=sure, tried=tried))
        return found


def _told(checks: Sequence[Checked], verdict: str) -> list[str]:
    return [each.conversation_id for each in checks if each.verdict == verdict]


def _beginning(each: Transcript) -> str:
    said = [turn.text for turn in each.turns if turn.speaker == "contact" and turn.text]
    return "\n".join(said[:_BEGINNING])


def _stands(drafted: Drafted) -> bool:
    """Return whether enough supports a draft: two conversations, or a person's word; never customers."""
    if drafted.is_void:
        return False
    told = [quote for quote in drafted.quotes if quote.speaker != "contact"]
    by_people = any(quote.speaker in {"human", "outcome"} for quote in told)
    return by_people or len({quote.conversation_id for quote in told}) >= _FEWEST


def _draft(drafted: Drafted, by_id: dict[str, Transcript]) -> Draft:
    quotes = [quote for quote in drafted.quotes if quote.speaker != "contact"]
    supports = tuple(dict.fromkeys(quote.conversation_id for quote in quotes))
    spoken = [quote for quote in quotes if quote.speaker == "agent"][:1]
    cases = []
    for quote in spoken:
        asked = by_id[quote.conversation_id].asked_before(quote.message)
        request = ({"user_intent": asked[:MOST_SHOWN]} if asked else {}) | {"agent_output": quote.text}
        case = Case(
            name="as the agent said it",
            expect="pass",
            request=request,
            conversation_id=quote.conversation_id,
        )
        cases.append(case)
    return Draft(
        kind="model",
        text=drafted.rule,
        topic=drafted.topic,
        quotes=tuple(quotes[:MOST_QUOTES]),
        supports=supports,
        confidence=confidence.of("model", supports=len(supports)),
        examples=tuple(cases),
    )
