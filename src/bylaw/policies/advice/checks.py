"""How the checks are written: a pattern with what it means, and a place in the text."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bylaw.policies.advice.model import Issue, IssueType, Severity
from bylaw.policies.advice.reading import Reading, Sentence

Check = Callable[[Reading], Iterator[Issue]]

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


def phrases(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern that finds one of the alternatives as whole words, in any case."""
    return re.compile(rf"\b(?:{'|'.join(alternatives)})\b", re.IGNORECASE)


def each(kind: Kind, pattern: re.Pattern[str]) -> Check:
    """Return the check that finds `pattern` anywhere."""

    def check(reading: Reading) -> Iterator[Issue]:
        for found in pattern.finditer(reading.text):
            yield kind.at(found.start(), found[0])

    return check
