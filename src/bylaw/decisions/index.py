"""Finding the policies that may apply, at a cost that does not grow with those that do not.

Policies of one place are grouped by topic; inside a group, one that applies only when a fact is among certain
values stands under those values. What an index returns is a superset: conditions still decide.
"""

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bylaw.decisions.compiled import CompiledPolicy
from bylaw.rules.conditions import AnyOf
from bylaw.rules.spelling import Path

_Found = tuple[CompiledPolicy, ...]
_Hinted = tuple[CompiledPolicy, AnyOf]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keyed:
    """Policies that want the fact at `path` to be one of certain values."""

    path: Path
    by_value: Mapping[object, _Found]
    every: _Found

    def find(self, facts: Mapping[str, object]) -> Iterable[CompiledPolicy]:
        """Return those that the fact does not rule out: all when there is no fact to compare with."""
        fact = self.path.find(facts)
        if isinstance(fact, (str, int, float)):
            return self.by_value.get(fact, ())
        if isinstance(fact, list):
            scalars = [item for item in fact if item is None or isinstance(item, (str, int, float))]
            found = {policy.id: policy for item in scalars for policy in self.by_value.get(item, ())}
            return found.values()
        return self.every


class _Group:
    """Policies that share place and topic."""

    __slots__ = ("_always", "_keyed", "certain")

    def __init__(self, policies: Iterable[CompiledPolicy]) -> None:
        always: list[CompiledPolicy] = []
        keyed: dict[str, list[_Hinted]] = {}
        for policy in policies:
            hint = policy.conditions.any_of
            if hint is None:
                always.append(policy)
            else:
                keyed.setdefault(hint.path.text, []).append((policy, hint))
        self._always = tuple(always)
        self._keyed = tuple(map(_keyed, keyed.values()))
        self.certain = not keyed and not any(policy.conditions.any_at_all for policy in always)

    def find(self, facts: Mapping[str, object]) -> Iterable[CompiledPolicy]:
        """Return those that the facts do not rule out."""
        if not self._keyed:
            return self._always
        return itertools.chain(self._always, *[keyed.find(facts) for keyed in self._keyed])


class Table:
    """The policies of one place."""

    __slots__ = ("_all", "_by_topic", "_without_topic")

    def __init__(self, policies: Iterable[CompiledPolicy]) -> None:
        by_topic: dict[str | None, list[CompiledPolicy]] = {}
        everything = list(policies)
        for policy in everything:
            by_topic.setdefault(policy.topic_key, []).append(policy)
        self._all = _Group(everything)
        self._without_topic = _Group(by_topic.pop(None, []))
        self._by_topic = {topic: _Group(found) for topic, found in by_topic.items()}

    @property
    def certain(self) -> bool:
        """Whether all of its policies apply to a request without topics, whatever the facts."""
        return self._all.certain

    def find(self, facts: Mapping[str, object], topics: Iterable[str] | None) -> Iterable[CompiledPolicy]:
        """Return those that the facts do not rule out; if given, of `topics` (by `topic_key`) or of none."""
        if topics is None:
            return self._all.find(facts)
        groups = [self._by_topic[topic] for topic in topics if topic in self._by_topic]
        return itertools.chain.from_iterable(group.find(facts) for group in (self._without_topic, *groups))

    def find_alike(self, facts: Mapping[str, object], topics: Collection[str]) -> Iterable[CompiledPolicy]:
        """Return those that the facts do not rule out: of `topics` that likeness found, of none, and firm."""
        found = self._all.find(facts)
        return (each for each in found if each.firm or each.topic_key is None or each.topic_key in topics)


def _keyed(hinted: list[_Hinted]) -> _Keyed:
    by_value: dict[object, list[CompiledPolicy]] = {}
    for policy, hint in hinted:
        for value in dict.fromkeys(hint.values):
            by_value.setdefault(value, []).append(policy)
    return _Keyed(
        path=hinted[0][1].path,
        by_value={value: tuple(found) for value, found in by_value.items()},
        every=tuple(policy for policy, _ in hinted),
    )
