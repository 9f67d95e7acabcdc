"""The pieces of which recognised wordings are made: acts, duties, subjects, numbers and tails.

A wording is matched in full: what no piece stands for keeps the whole rule from being read.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

LONGEST_RULE: Final = 2_000


def listed(words: str) -> list[str]:
    """Return the words of a text; those of several parts are written with underscores."""
    return [word.replace("_", " ") for word in words.split()]


def any_of(*words: str) -> str:
    """Return a pattern of any of the words, each a pattern."""
    return "(?:" + "|".join(words) + ")"


_SOON: Final = "(?:(?:please|always|immediately|promptly|you must|you should|must|then) )*"
_ANSWERING: Final = "(?:approve|allow|send|accept|permit|release|answer|respond to)"
# What stops something, and what asks that a person see it.
STOP: Final = _SOON + any_of(
    *listed("reject block deny refuse decline stop disallow forbid prohibit fail"),
    rf"do not {_ANSWERING}",
    rf"don't {_ANSWERING}",
)
RAISE: Final = (
    _SOON
    + any_of(
        *listed("flag warn alert escalate mark transfer route notify raise refer review report warn_about"),
        "hand (?:it |this |them )?(?:over|off)",
    )
    + r"(?: (?:it|this|them))?(?: as [\w-]+(?: risk)?)?(?: (?:to|for) (?:a |an |the |our )?[\w -]{2,30}?)?"
)
NOT: Final = any_of(
    r"(?:must|may|should|shall|can|could|will|do|does|is|are) (?:not|never)"
    r"(?: ever| be allowed to| be permitted to| allowed to| permitted to| supposed to)?",
    "(?:must|should|can|do|does)n't",
    "cannot",
    "(?:is|are) (?:forbidden|prohibited) from",
    "never",
    "(?:is|are) never to",
    "(?:is|are) not to",
)
NEVER: Final = "(?:please )?" + any_of(
    "never(?: ever)?",
    "do not(?: ever)?",
    "don't(?: ever)?",
    "you (?:must|may|should|shall|can) (?:not|never)",
    "you (?:must|should)n't",
    "you cannot",
    "you are not (?:allowed|permitted) to",
    "you are (?:forbidden|prohibited) from",
    "avoid",
    "refrain from",
    "(?:must|may|should|shall|can|will) (?:not|never)(?: ever)?",
    "(?:must|should)n't",
    "cannot",
)
MUST: Final = r"(?:must|should|shall|has to|have to|needs to|need to|is to|are to|will)(?: always)?"
ALWAYS: Final = r"(?:please )?(?:always|you (?:must|should|shall|have to|need to)(?: always)?)"


def _forms(verb: str) -> str:
    return rf"{verb}(?:s|es)?|{verb.removesuffix('e')}ing"


# Verbs that put words somewhere, in all their forms: `contain`, `contains`, `containing`.
_SAYING: Final = listed(
    "mention contain include say use state reference write name print display show output utter type quote"
)
SAYS: Final = (
    "(?P<verb>say(?:s|ing)? anything about|"
    + "|".join(map(_forms, _SAYING))
    + r"|ha(?:s|ve)|having|with|refers? to|referring to|talks? about|talking about|brings? up|bringing up)"
)
# Verbs that give data away.
_GIVING: Final = listed(
    "share reveal disclose leak expose give provide send return post publish repeat echo transmit log commit"
    " paste upload submit store save hardcode embed"
)
GIVES: Final = "(?P<gives>(?:" + "|".join(map(_forms, _GIVING)) + ")(?: out| away)?)"

# What a call needs from a person.
APPROVAL: Final = (
    r"(?:(?:requires?|needs?|must have|must get) (?:(?:a|an|the|human|explicit|prior|written|user|senior"
    r"|(?:manager|supervisor)(?:'s)?) )*"
    r"(?:approval|review|sign-off|authori[sz]ation)"
    r"(?: (?:from|by|of) (?:a |an |the )?[\w-]{2,30}(?: [\w-]{2,30})?)?)"
)

# No subject ends with an article: in "any output containing" the output is no verb.
SUBJECT: Final = (
    r"(?P<subject>[\w'.\-]{1,30}(?: [\w'.\-]{1,30}){0,5}?)"
    r"(?<!\bany)(?<!\bthe)(?<!\ban)(?<!\ba)(?<!\ball)(?<!\bevery)(?<!\beach)(?<!\bthis)(?<!\byour)"
)
_PLACES: Final = (
    "(?:ai_)?interactions? prompts? inputs? code logs? commits? files? tickets? comments?"
    " customers? users? clients? callers? visitors? outputs? answers? repl(?:y|ies) responses? messages?"
    " texts? chats? conversations? anyone anybody people third_parties the_public"
)
_AT_ALL: Final = (
    "ever at_all at_any_(?:time|point) under_any_circumstances? under_no_circumstances anywhere whatsoever"
    " in_any_(?:way|form|case) for_any_reason no_matter_what even_if_(?:asked|the_(?:customer|user)_asks)"
)
TAIL: Final = (
    r"(?: (?:in|within|inside|to|with|for) (?P<place>"
    r"(?:(?:any|the|your|its|our|an?|all|every|their|end|external|agent's|final|public) )*"
    rf"{any_of(*listed(_PLACES))}))?(?:,? {any_of(*listed(_AT_ALL))})*"
)

_NUMBERS: Final = dict(
    zip(
        listed(
            "zero one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty fifty"
        ),
        (*range(13), 15, 20, 30, 50),
        strict=True,
    )
) | {"hundred": 100}
# 1.200 is a bit more than one in some countries, and more than a thousand in others.
NUMBER: Final = (
    r"(?!-?[1-9]\d{0,2}\.\d{3}(?!\d))(?P<number>-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?|(?:one )?(?:"
    + "|".join(_NUMBERS)
    + "))"
)
OVER: Final = "(?:above|over|more than|greater than|higher than|larger than|in excess of|exceeding|beyond|>)"
UNDER: Final = r"(?:below|under|shorter than|less than|fewer than|lower than|smaller than|<)"
AT_MOST: Final = (
    r"(?:at most|less than or equal to|"
    r"no more than|not more than|a maximum of|max(?:imum)?|up to|no longer than|within|<=)"
)
AT_LEAST: Final = (
    r"(?:at least|(?:greater|more) than or equal to|"
    r"no less than|not less than|no fewer than|a minimum of|min(?:imum)?|>=)"
)

_QUOTED: Final = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\xab\xbb"), '"') | dict.fromkeys(
    map(ord, "\u2018\u2019\u201a\u201b"), "'"
)
_BULLET: Final = re.compile(
    r"^(?:[-*•]|\(?\d{1,2}[.)]|(?:rule|policy|guideline|note)(?: \d{1,2})?:) +", re.IGNORECASE
)
_END: Final = re.compile(r"[.!;]+(?= [A-Z\"'])")
_QUOTATION: Final = re.compile(r"\"[^\"]*\"|(?<!\w)'(?:[^']|'(?=\w))*'(?!\w)")


def tidy(text: str) -> str:
    """Return a rule in one line, with straight quotes, without a bullet before or a stop behind."""
    line = _BULLET.sub("", " ".join(text.translate(_QUOTED).split()))
    return line.rstrip(".!; ")


def sentences(wording: str) -> list[str]:
    """Return the sentences of a tidy rule; a stop inside of quotes ends none."""
    quoted = [found.span() for found in _QUOTATION.finditer(wording)]
    parts, begin = [], 0
    for found in _END.finditer(wording):
        if not any(start < found.start() < end for start, end in quoted):
            parts.append(wording[begin : found.start()])
            begin = found.end() + 1
    return [*parts, wording[begin:]]


class Wording:
    """A pattern of whole wordings, compiled when a rule is first read: there are many, and it takes time."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern."""
        return re.compile(self._pattern, re.IGNORECASE)


def wordings(*patterns: str) -> tuple[Wording, ...]:
    """Return patterns of whole wordings."""
    return tuple(map(Wording, patterns))


def matches(patterns: tuple[Wording, ...], wording: str) -> Iterator[re.Match[str]]:
    """Yield how each of the patterns reads the whole of a wording."""
    for pattern in patterns:
        found = pattern.compiled.fullmatch(wording)
        if found is not None:
            yield found


def number(written: str) -> float:
    """Return the number that digits or a word stand for."""
    word = written.lower().removeprefix("one ")
    return float(_NUMBERS[word]) if word in _NUMBERS else float(written.replace(",", ""))


def group(found: re.Match[str], name: str) -> str:
    """Return what a group of a wording holds; nothing when the wording has none of that name."""
    return found.groupdict().get(name) or ""
