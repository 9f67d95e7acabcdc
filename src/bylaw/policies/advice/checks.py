"""How the checks are written: phrases with what they mean, and a place in the text."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from bylaw.policies.advice.model import Issue, IssueType, Severity
from bylaw.policies.advice.reading import Reading, Sentence

Check = Callable[[Reading], Iterator[Issue]]

_TABLE: Final = Path(__file__).with_name("phrases.toml")
_PART: Final = re.compile(r"\{([a-z]+)\}")
_TOLD: Final = 60  # most characters of the text that a description repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One check: how its issues are classed, and what they say about the words found, `{}`."""

    type: IssueType
    code: str
    severity: Severity
    description: str
    suggestion: str

    def at(self, start: int, words: str, *, severity: Severity | None = None) -> Issue:
        """Return the issue with `words`, which start at `start`."""
        told = " ".join(words.split())
        told = told if len(told) <= _TOLD else told[: _TOLD - 1] + "…"
        return Issue(
            type=self.type,
            code=self.code,
            severity=self.severity if severity is None else severity,
            start=start,
            end=start + len(words),
            description=self.description.replace("{}", told),
            suggestion=self.suggestion.replace("{}", told),
        )

    def of(self, sentence: Sentence, *, severity: Severity | None = None) -> Issue:
        """Return the issue with a whole sentence."""
        return self.at(sentence.start, sentence.text, severity=severity)


@cache
def phrases(name: str) -> re.Pattern[str]:
    """Return the pattern that finds any of the phrases `name` as whole words, in any case."""
    listed: Sequence[str] = _table()["phrases"][name]
    filled = (_PART.sub(lambda found: part(found[1]), phrase) for phrase in listed)
    return re.compile(rf"\b(?:{'|'.join(filled)})\b", re.IGNORECASE)


def part(name: str) -> str:
    """Return the alternatives of the part `name` of phrases, to stand in a pattern."""
    listed: Sequence[str] = _table()["parts"][name]
    return "|".join(listed)


@cache
def _table() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))


def each(kind: Kind) -> Check:
    """Return the check that finds the phrases listed under the code of `kind`, anywhere."""

    def check(reading: Reading) -> Iterator[Issue]:
        for found in phrases(kind.code).finditer(reading.text):
            yield kind.at(found.start(), found[0])

    return check
