"""Whether a sign is only spoken of: denied, quoted as an example, or told of somebody else.

What addresses "you" is never told of somebody else, and a value of data (`"text": "…"`) is no quotation.
"""

import re
from typing import Final

_AROUND: Final = 90  # characters that are looked at on each side

_DENIED: Final = re.compile(
    r"(?:\b(?:never|not|cannot|can't|won't|don't|doesn't|didn't|shouldn't|mustn't|refuses? to|unable to"
    r"|without|nor|avoid|no longer)(?: ever| be able to| blindly| simply)?)\W{1,3}$"
)
# "tells the model to …", "tries to make it …", "instructions that get agents to …"
_MADE: Final = re.compile(
    r"\b(?:tell|ask|instruct|trick|get|caus|mak|convinc|coax|lead|forc|persuad|try|tri|attempt|want|request"
    r"|command|order|urg|allow|us|design|mean|say|direct|encourag|manipulat|lur|push|train|program|prompt"
    r"|nudg|told|got|made|led|enabl|intend|know)(?:e|s|es|ed|ing|ting|ied|ies|n)?"
    r"(?:\s+\S+){0,4}?\s+(?:to|into|how to|not to)\s+(?:\w+\s+)?$"
)
# "attackers could …", "models that …", "the assistant shall not …"
_DONE: Final = re.compile(
    r"\b(?:attackers?|adversar(?:y|ies)|hackers?|malicious (?:users?|actors?|pages?)|users?|people|someone"
    r"|somebody|they|he|she|it|which|who|that|models?|agents?|bots?|assistants?|payloads?|prompts?|pages?"
    r"|documents?)\s+(?:(?:can|could|may|might|will|would|often|then|simply|just|sometimes|should|must|shall"
    r"|did|does|do|to|not|never)\s+)+$"
)
_YOU: Final = re.compile(r"\b(?:you|u|yourself)\b")
_SPOKEN: Final = re.compile(
    r"\b(?:attack\w*|inject\w*|jailbreak\w*|phrases?|strings?|patterns?|examples?|e\.g|such as|like|payloads?"
    r"|classic|detect\w*|filter\w*|classif\w*|block\w*|flag\w*|reject\w*|mention\w*|contain\w*|keywords?"
    r"|says?|said|wrote|writes?|typed|test\w*|called|known as|refus\w*|defen[cs]e\w*|defend\w*|adversar\w*"
    r"|malicious|red.team\w*|attempts?|tried|quot\w*|paper|literal\w*|sentences?)\b"
)
_SPOKEN_AFTER: Final = re.compile(
    r"^[\s\"'`)\],:-]{0,3}(?:\w+ )?(?:attacks?|injections?|phrases?|patterns?|strings?|payloads?|attempts?"
    r"|tricks?|jailbreaks?|(?:is|are) (?:a |an |the )?(?:blocked|detected|classic|common|typical|known|red)"
    r"|(?:should|will) be (?:blocked|flagged))"
)
_QUOTES: Final = "\"'`"
_DATA: Final = re.compile(r"(?<!example)(?<!examples)(?<!phrase)(?<!string)(?<!payload):$|[=\[{,(>]$")


def is_mention(text: str, start: int, end: int) -> bool:
    """Return whether `text` only speaks of what stands between `start` and `end`."""
    before = text[max(0, start - _AROUND) : start]
    line = before.rpartition("\n")[2]
    after = text[end : end + _AROUND].partition("\n")[0]
    told = _MADE.search(line) or _DONE.search(line)
    if _DENIED.search(line) or _SPOKEN_AFTER.search(after) or (told and not _YOU.search(told[0])):
        return True
    return _is_quoted(line, after) and bool(_SPOKEN.search(before) or _SPOKEN.search(after))


def _is_quoted(before: str, after: str) -> bool:
    """Return whether a quotation opens before and closes after, and is no value of data."""
    return any(
        before.count(mark) % 2 == 1
        and mark in after
        and not _DATA.search(before[: before.rfind(mark)].rstrip())
        for mark in _QUOTES
    )
