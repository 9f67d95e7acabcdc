"""The offline miner: rules that conversations show without anybody's judgement, the same for the same input.

1. Sayings: what people who took over and outcomes say of rules; what agents give as reasons, state, and ask
   for; what tools refuse. Habits: what calls have in common.
2. Sayings that say the same are put together (`clusters`); the middle one speaks for them.
3. What enough conversations show becomes a draft: one correction by a person is enough.
4. What is near and says the opposite, or another number, counts against it (`confidence`).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Final

import numpy as np

from bylaw.learning.mining import confidence
from bylaw.learning.mining.asked import asked_rules
from bylaw.learning.mining.clusters import clustered, middle, sense
from bylaw.learning.mining.done import Call, Habit, calls_in, habits, refused_rules
from bylaw.learning.mining.model import MOST_QUOTES, MOST_SHOWN, Case, Draft, Kind, Quote
from bylaw.learning.mining.said import Saying, said_rules
from bylaw.learning.mining.topics import Topics
from bylaw.learning.mining.transcript import Transcript
from bylaw.learning.mining.trying import cases, compiles, tried
from bylaw.search.embedder import Embedder
from bylaw.search.floats import Floats

# How near sayings must be to their middle to say the same. Only names of models that were measured are here.
_TOGETHER: Final[Mapping[str, float]] = MappingProxyType({"all-MiniLM-L6-v2": 0.74})
_TOGETHER_ELSE: Final = 0.60
FEWEST: Final[Mapping[Kind, int]] = MappingProxyType(
    {
        "correction": 1,
        "outcome": 1,
        "reason": 2,
        "statement": 2,
        "refusal": 2,
        "question": 3,
        "habit": 3,
        "limit": 3,
    }
)
_BY_PEOPLE: Final[frozenset[Kind]] = frozenset({"correction", "outcome"})
_MOST_CASES: Final = 2
_MOST_SAYINGS: Final = 5_000  # each is compared with all others
MOST_DRAFTS: Final = 200


def together(embedder: Embedder) -> float:
    """Return from which nearness on two texts say the same, as this embedder sees them."""
    return _TOGETHER.get(embedder.id.partition("@")[0], _TOGETHER_ELSE)


async def mine(
    transcripts: Sequence[Transcript], embedder: Embedder, *, topics: Sequence[str] = ()
) -> list[Draft]:
    """Return the rules that conversations show, the surest first. Raises: Unavailable for the embedder.

    What takes long is done in a thread, so that the worker goes on with what else it does.
    """
    heard = await asyncio.to_thread(_heard, transcripts, topics)
    drafts = [*heard.of_habits]
    for sayings in heard.sayings:
        texts = _texts(sayings)
        vectors = (
            await embedder.embed(texts) if texts else np.empty((0, embedder.dimensions), dtype=np.float32)
        )
        pool = await asyncio.to_thread(_pool, sayings, texts, vectors, together(embedder))
        drafts += await asyncio.to_thread(_of_sayings, pool, heard)
    return sorted(drafts, key=lambda each: (-each.confidence, -len(each.supports), each.text))[:MOST_DRAFTS]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What conversations hold before anything is compared; sayings of a kind that are compared together."""

    by_id: Mapping[str, Transcript]
    names: Topics
    sayings: tuple[list[Saying], ...]
    of_habits: list[Draft]


def _heard(transcripts: Sequence[Transcript], topics: Sequence[str]) -> _Heard:
    """Return what conversations hold."""
    calls = calls_in(transcripts)
    names = Topics(transcripts, topics)
    said = [*islice(said_rules(transcripts), _MOST_SAYINGS), *islice(refused_rules(calls), _MOST_SAYINGS)]
    return _Heard(
        by_id={each.id: each for each in transcripts},
        names=names,
        sayings=(
            [each for each in said if each.kind in _BY_PEOPLE],
            [each for each in said if each.kind not in _BY_PEOPLE],
            [*islice(asked_rules(transcripts), _MOST_SAYINGS)],
        ),
        of_habits=[
            _of_habit(each, calls, names)
            for each in habits(calls)
            if _conversations(each.kept) >= FEWEST[each.kind] and (not each.expr or compiles(each.expr))
        ],
    )


def _of_sayings(pool: "_Pool", heard: _Heard) -> list[Draft]:
    drafts = (_drafted(pool, group, heard.by_id, heard.names) for group in pool.groups)
    return [each for each in drafts if len(each.supports) >= FEWEST[each.kind]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """Sayings by their text, with the vectors of the texts and what belongs together."""

    texts: Sequence[str]
    sayings: Sequence[Sequence[Saying]]
    vectors: Floats
    groups: Sequence[Sequence[int]]
    together: float

    def of(self, group: Sequence[int]) -> Iterator[Saying]:
        """Yield the sayings of a group."""
        for place in group:
            yield from self.sayings[place]


def _texts(sayings: Sequence[Saying]) -> list[str]:
    """Return what is said, most often first, so that it makes the middle of a group."""
    heard_in: dict[str, set[str]] = {}
    for each in sayings:
        heard_in.setdefault(each.text, set()).add(each.quote.conversation_id)
    return sorted(heard_in, key=lambda text: (-len(heard_in[text]), len(text), text))


def _pool(sayings: Sequence[Saying], texts: Sequence[str], vectors: Floats, near: float) -> _Pool:
    by_text: dict[str, list[Saying]] = {}
    for each in sayings:
        by_text.setdefault(each.text, []).append(each)
    return _Pool(
        texts=texts,
        sayings=[by_text[text] for text in texts],
        vectors=vectors,
        groups=clustered(texts, vectors, at_least=near),
        together=near,
    )


def _drafted(pool: _Pool, group: Sequence[int], by_id: Mapping[str, Transcript], names: Topics) -> Draft:
    """Return the draft of sayings that say the same."""
    speaks = middle(group, pool.vectors, pool.texts)
    text = pool.texts[speaks]
    order = sorted(group, key=lambda place: (-float(pool.vectors[place] @ pool.vectors[speaks]), place))
    sayings = list(pool.of(order))
    supports = tuple(dict.fromkeys(each.quote.conversation_id for each in sayings))
    against = _against(pool, speaks) - set(supports)
    kinds = [each.kind for each in sayings]
    kind: Kind = "refusal" if "refusal" in kinds else max(kinds, key=lambda each: (kinds.count(each), each))
    return Draft(
        kind=kind,
        text=text,
        topic=names.of(text),
        quotes=tuple(_quotes(sayings)),
        supports=supports,
        against=len(against),
        confidence=confidence.of(kind, supports=len(supports), against=len(against)),
        examples=tuple(_cases(sayings, by_id)),
    )


def _against(pool: _Pool, speaks: int) -> set[str]:
    """Return the conversations with sayings that are as near, and deny it."""
    own = sense(pool.texts[speaks])
    near = pool.vectors @ pool.vectors[speaks]
    others = (place for place, score in enumerate(near) if score >= pool.together)
    return {
        saying.quote.conversation_id
        for place in others
        if own.denies(sense(pool.texts[place]))
        for saying in pool.sayings[place]
    }


def _quotes(sayings: Sequence[Saying]) -> Iterator[Quote]:
    """Yield a quote of each of the first conversations; of a correction, what it corrects as well."""
    seen: set[str] = set()
    for each in sayings:
        if each.quote.conversation_id in seen or len(seen) == MOST_QUOTES:
            continue
        seen.add(each.quote.conversation_id)
        yield each.quote


def _cases(sayings: Sequence[Saying], by_id: Mapping[str, Transcript]) -> Iterator[Case]:
    """Yield what was said in keeping with a rule, and what a person corrected."""
    seen: set[str] = set()
    for each in sayings:
        quote = each.quote
        if quote.conversation_id in seen or len(seen) == _MOST_CASES or quote.message < 0:
            continue
        seen.add(quote.conversation_id)
        asked = by_id[quote.conversation_id].asked_before(quote.message)
        intent = {"user_intent": asked[:MOST_SHOWN]} if asked else {}
        if each.kind in _BY_PEOPLE:
            if each.before is not None:
                request = {**intent, "agent_output": each.before.text[:MOST_SHOWN]}
                yield Case(
                    name="what a person corrected",
                    expect="violate",
                    request=request,
                    conversation_id=quote.conversation_id,
                )
        elif quote.speaker == "agent":
            request = {**intent, "agent_output": quote.text}
            yield Case(
                name="as the agent said it",
                expect="pass",
                request=request,
                conversation_id=quote.conversation_id,
            )


def _of_habit(habit: Habit, calls: Sequence[Call], names: Topics) -> Draft:
    """Return the draft of what calls have in common; who once does otherwise is against it."""
    against = {each.transcript.id for each in habit.broken}
    supports = tuple(
        dict.fromkeys(each.transcript.id for each in habit.kept if each.transcript.id not in against)
    )
    return Draft(
        kind=habit.kind,
        text=habit.text,
        expr=habit.expr,
        topic=names.of(habit.text),
        quotes=tuple(_said_beside(habit.kept)),
        supports=supports,
        against=len(against),
        confidence=confidence.of(habit.kind, supports=len(supports), against=len(against)),
        examples=cases(habit.expr, habit.kept, habit.broken) if habit.expr else (),
        tried=tried(habit.expr, calls) if habit.expr else None,
    )


def _said_beside(kept: Sequence[Call]) -> Iterator[Quote]:
    """Yield what customers said right before calls that keep to a habit, one of each conversation."""
    seen: set[str] = set()
    for each in kept:
        turns = each.transcript.turns[: each.turn.index]
        said = next((turn for turn in reversed(turns) if turn.speaker == "contact" and turn.text), None)
        if said is None or each.transcript.id in seen or len(seen) == MOST_QUOTES:
            continue
        seen.add(each.transcript.id)
        yield Quote(
            conversation_id=each.transcript.id,
            message=said.index,
            speaker="contact",
            text=said.text[:MOST_SHOWN],
        )


def _conversations(calls: Sequence[Call]) -> int:
    return len({each.transcript.id for each in calls})
