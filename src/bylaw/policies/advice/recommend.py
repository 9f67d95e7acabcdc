"""Policies that fit a need told in words, ranked by the words that they share with it.

Prompt and policies are compared as stems, and as concepts: groups of words that authors use for one thing
(`CONCEPTS`). A word counts for more the fewer policies have it, and in a name for more than in a rule (BM25
over fields). What shares too little is left out, so that a prompt about something else gets no answer.
Nothing is learned and nothing is random: the same prompt over the same packs gets the same answer.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from bylaw.policies.advice.concepts import CONCEPTS, GENERIC
from bylaw.policies.advice.words import WORD, content_stems
from bylaw.policies.model import Action, Content, NaturalRule, Risk
from bylaw.policies.packs.model import Pack, PackedPolicy

PlaceKind = Literal["tenant", "workspace", "repo"]

MOST_READ: Final = 4_000  # characters of a prompt
_ENOUGH: Final = 3.5  # least score of an answer
_NEAR: Final = 0.35  # least part of the best score
_SATURATION: Final = 1.2
_FITS: Final = 1.15  # for packs that are meant for the level asked
_LEVELS: Final[Mapping[str, PlaceKind]] = {
    **dict.fromkeys(("models", "spending", "data-residency", "personal-data", "secrets"), "tenant"),
    **dict.fromkeys(("refunds", "order-verification", "escalation", "brand-tone"), "workspace"),
    **dict.fromkeys(("code-agents", "destructive-tools"), "repo"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """A policy that fits: what it says in words, how it was meant to be used, and why it is here.

    `slug` is its `pack/key`. `why` names the words of the prompt that it answers, as they were written.
    """

    name: str
    slug: str
    pack: str
    content: str
    risk: Risk
    action: Action
    why: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A policy as weighted terms."""

    pack: str
    slug: str
    content: Content
    terms: Mapping[str, float]


class Shelf:
    """Packs to recommend from, read once."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self._entries = [_entry(pack.name, policy) for pack in packs for policy in pack.policies]
        self._spread = Counter(term for entry in self._entries for term in entry.terms)

    def recommend(self, prompt: str, *, level: PlaceKind, most: int = 5) -> tuple[Recommendation, ...]:
        """Return up to `most` policies that fit `prompt`, best first; none when none of them does."""
        wanted = _wanted(prompt[:MOST_READ])
        weights = {
            term: math.log(1 + len(self._entries) / self._spread[term])
            for term in wanted
            if term in self._spread
        }
        scored = [(_score(entry, weights) * _fit(entry, level), entry) for entry in self._entries]
        least = max(_ENOUGH, _NEAR * max((score for score, _ in scored), default=0.0))
        ranked = sorted(scored, key=lambda pair: (-pair[0], pair[1].slug))
        fitting = (pair for pair in ranked if pair[0] >= least)
        return tuple(_recommendation(entry, score, wanted) for score, entry in islice(fitting, most))


def _entry(pack: str, policy: PackedPolicy) -> _Entry:
    content = policy.content
    rules = [rule.text if isinstance(rule, NaturalRule) else rule.message for rule in content.rules]
    fields = (
        (3.0, f"{policy.slug} {content.name}"),
        (2.0, f"{content.description} {content.topic or ''}"),
        (0.5, " ".join(rules)),
    )
    terms: dict[str, float] = {}
    for weight, text in fields:
        for term in {term for term, _ in _terms(text)}:
            terms[term] = terms.get(term, 0.0) + weight
    return _Entry(pack=pack, slug=policy.slug, content=content, terms=terms)


def _terms(text: str) -> Iterator[tuple[str, str]]:
    """Yield each stem, and each concept that it belongs to, with the word as written."""
    for found in WORD.finditer(text):
        for stem in content_stems(found[0]):
            if stem not in GENERIC:
                yield stem, found[0]
                yield from ((concept, found[0]) for concept in CONCEPTS.get(stem, ()))


def _wanted(prompt: str) -> Mapping[str, str]:
    """Return the terms of a prompt, each with the first word that stood for it."""
    wanted: dict[str, str] = {}
    for term, word in _terms(prompt):
        wanted.setdefault(term, word)
    return wanted


def _score(entry: _Entry, weights: Mapping[str, float]) -> float:
    found = ((weights[term], entry.terms[term]) for term in weights if term in entry.terms)
    return sum(weight * (1 + _SATURATION) * count / (count + _SATURATION) for weight, count in found)


def _fit(entry: _Entry, level: PlaceKind) -> float:
    return _FITS if _LEVELS.get(entry.pack) == level else 1.0


def _recommendation(entry: _Entry, score: float, wanted: Mapping[str, str]) -> Recommendation:
    content = entry.content
    return Recommendation(
        name=content.name,
        slug=entry.slug,
        pack=entry.pack,
        content=content.description or content.name,
        risk=content.risk,
        action=content.action,
        why=tuple(dict.fromkeys(word for term, word in wanted.items() if term in entry.terms)),
        score=round(score, 3),
    )
