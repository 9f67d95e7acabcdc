"""Whether a sign is only spoken of: denied, quoted as an example, or told of somebody else."""

import re
from typing import Final

_BEFORE: Final = 90  # characters that are looked at on each side
_AFTER: Final = 90

_DENIED: Final = re.compile(
    r"(?:\b(?:never|not|cannot|can't|won't|don't|doesn't|didn't|shouldn't|mustn't|refuses? to|unable to"
    r"|without|nor|avoid|no longer)"
    r"(?: ever| be able to| blindly| simply)?|\b(?:did|does|do|will|would|could|should|must) not)\W{1,3}$"
)
# "tells the model to …", "an attacker may try to …", "in order to make it …", "that says to …"
_THIRD: Final = re.compile(
    r"\b(?:tell|ask|instruct|trick|get|cause|mak|convinc|coax|lead|forc|persuad|try|tri|attempt|want"
    r"|request|command|order|urg|allow"
    r"|us|design|mean|say|direct|encourag|manipulat|caus|lur|push|train|program|prompt|nudg|told|got|made"
    r"|led|enabl|intend|know)"
    r"(?:e|s|es|ed|ing|ting|ied|ies|n)?(?:\s+\S+){0,4}?\s+(?:to|into|how to|not to)\s+(?:\w+\s+)?$"
    r"|\b(?:attackers?|adversar(?:y|ies)|hackers?|malicious (?:users?|actors?|pages?)|users?|people"
    r"|someone|somebody|they|he|she|it|which"
    r"|who|that|models?|agents?|bots?|assistants?|payloads?|prompts?|pages?|documents?)\s+(?:(?:can|could"
    r"|may|might|will|would|often|then"
    r"|simply|just|sometimes|should|must|shall|did|does|do|to|not|never)\s+)+$"
)
_SPOKEN: Final = re.compile(
    r"\b(?:attack\w*|inject\w*|jailbreak\w*|phrases?|strings?|patterns?|examples?|e\.g|such as|like"
    r"|payloads?|classic|detect\w*|filter\w*|classif\w*|block\w*|flag\w*|reject\w*"
    r"|mention\w*|contain\w*|keywords?|says?|said|saying|wrote|writes|writing|reads?|test\w*|called"
    r"|known as|means?|refus\w*|defen[cs]e\w*|defend\w*|adversar\w*|malicious"
    r"|red.team\w*|bypass\w* attempts?|attempts?|tried|quot\w*|title|headline|paper|talk|article|blog"
    r"|literal\w*|words|text|sentence|message|comment|prompt was|replied|typed|entered|asked)\b"
)
_QUOTES: Final = "\"'`"
_SPOKEN_AFTER: Final = re.compile(
    r"^\W{0,3}(?:\w+ )?(?:attacks?|injections?|phrases?|patterns?|strings?|payloads?|attempts?"
    r"|prompts? are|tricks?|jailbreaks?|style|type|family|class|is (?:a |an |the )?(?:blocked|detected"
    r"|classic|common|typical|well|example|known|red)|are (?:blocked|detected|common|typical)"
    r"|should be (?:blocked|flagged)|will be (?:blocked|flagged))"
)


def is_mention(text: str, start: int, end: int) -> bool:
    """Return whether `text` only speaks of what stands between `start` and `end`."""
    before = text[max(0, start - _BEFORE) : start]
    after = text[end : end + _AFTER]
    line = before.rpartition("\n")[2]
    if _DENIED.search(line) or _THIRD.search(line) or _SPOKEN_AFTER.search(after):
        return True
    return _is_quoted(before, after) and bool(_SPOKEN.search(before) or _SPOKEN.search(after))


def _is_quoted(before: str, after: str) -> bool:
    """Return whether a quotation opens before and closes after, on the same line."""
    line, rest = before.rpartition("\n")[2], after.partition("\n")[0]
    return any(line.count(mark) % 2 == 1 and mark in rest for mark in _QUOTES)
