"""Checks for what readers understand differently: vague words, open limits, references, contradictions."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final

from bylaw.policies.advice.checks import Check, Kind, phrases
from bylaw.policies.advice.model import Issue, Severity
from bylaw.policies.advice.reading import Reading, Sentence
from bylaw.policies.advice.words import content_stems

_MOST_CLAUSES: Final = 60  # so many are compared, each with each

_VAGUE: Final = Kind(
    type="ambiguity",
    code="vague_word",
    severity="medium",
    description="“{}” leaves open what counts: two readers would decide the same case differently.",
    suggestion="Replace “{}” by a number, a list, or a test that two people would answer alike.",
)
_OPEN_LIMIT: Final = Kind(
    type="ambiguity",
    code="open_limit",
    severity="medium",
    description="“{}” implies a limit without saying which.",
    suggestion="Give the number and its unit instead of “{}”, such as “above 100 EUR” or “within 24 hours”.",
)
_NO_UNIT: Final = Kind(
    type="ambiguity",
    code="no_unit",
    severity="low",
    description="“{}” is a number without a unit.",
    suggestion="Say what “{}” counts: EUR, percent, days, items.",
)
_REFERENCE: Final = Kind(
    type="ambiguity",
    code="open_reference",
    severity="medium",
    description="“{}” points to something that is not in this text, and a rule is judged alone.",
    suggestion="Name in the rule itself what “{}” stands for.",
)
_CONTRADICTION: Final = Kind(
    type="ambiguity",
    code="contradiction",
    severity="high",
    description="“{}” asks for the opposite of an earlier statement.",
    suggestion="Keep one of the two statements, or say under which condition each of them holds.",
)

_VAGUE_WORDS: Final[Mapping[Severity, re.Pattern[str]]] = {
    "medium": phrases(
        r"(?:in)?appropriate(?:ly)?|(?:un)?reasonabl[ey]|suitabl[ey]|adequate(?:ly)?"
        r"|(?:in)?sufficient(?:ly)?",
        r"proper(?:ly)?|improper(?:ly)?|acceptable|decent|exceptional(?:ly)?|extraordinary|unacceptable"
        r"|decent|exceptional(?:ly)?|extraordinary|satisfactory|fair(?:ly)?|sensible|prudent",
        r"as (?:needed|necessary|required|applicable|appropriate)|(?:if|when|where) (?:needed|necessary)",
        r"where applicable|if applicable|best practices?|common sense|special (?:cases|circumstances)",
        r"edge cases|and so on|and the like|etc\.?|stuff|weird|strange|odd|unusual(?:ly)?|suspicious(?:ly)?",
        r"excessive(?:ly)?|unnecessar(?:y|ily)|significant(?:ly)?|substantial(?:ly)?|considerabl[ey]",
        r"\w+-friendly|proportionate|disproportionate|doubtful|makes sense|robust|high[- ]quality"
        r"|good enough|too (?:much|many|long|often|far|late|aggressive)",
        r"bad (?:language|things?|behaviou?r|content)|problematic|questionable|harmful content|something"
        r" wrong",
    ),
    "low": phrases(
        r"usually|generally|normally|typically|often|sometimes|occasionally|mostly|in general|as a rule",
        r"(?:a )?normal|certain (?:cases|customers|users|circumstances|conditions|topics|kinds|types)",
        r"some (?:cases|customers|users|circumstances|situations)|various|relevant|minor|major|important",
    ),
}
_DEFINED: Final = re.compile(
    r"[\w\s,-]{0,30}(?:\bmeans?\b|\bdefined as\b|\bi\.e\.|\bthat is\b|\([^)\n]{0,60}\d|:\s)"
)

_SIZE: Final = (
    r"large|larger|big|bigger|huge|high|higher|small|smaller|tiny|low|lower|expensive|costly|cheap|long|short"
)
_COUNTED: Final = (
    r"discounts?|amounts?|refunds?|orders?|purchases?|transactions?|payments?|volumes?|numbers?|quantit(?:y"
    r"|ies)"
    r"|sums?|invoices?|transfers?|prices?|values?|files?|attachments?|datasets?|requests?|expenses?|costs?"
    r"|incomes?|salar(?:y|ies)|balances?|scores?|rates?|bills?|damages?|loss(?:es)?|claims?|repairs?"
    r"|gifts?|budgets?|fees?|batch(?:es)?|payouts?|credits?|bookings?|time|period|messages?|answers?"
    r"|repl(?:y|ies)"
    r"|texts?"
)
_LIMITS: Final = phrases(
    rf"(?:{_SIZE})[- ](?:value |ticket )?(?:{_COUNTED})",
    r"a lot of|lots of|many|several times|repeatedly|multiple times|a few|a couple of|numerous|plenty of",
    r"soon|fast|rapidly|swiftly|(?:very|too|quite) (?:old|new|late|early|large|big|high|long|many|much)"
    r"|(?:for )?a (?:limited|certain|reasonable) (?:time|period)|quickly|promptly|shortly|as fast as"
    r" possible|as soon as possible|asap|in (?:a )?timely (?:manner|fashion)"
    r"|timely|without (?:undue )?delay|recent(?:ly)?|(?:for|in) ages|a while|in due course|regularly"
    r"|periodically|frequently",
    r"(?<!the )(?:above|over|beyond|exceeds?|exceeding|below|under|within|outside) (?:the |a |our |its "
    r"|their )?"
    r"(?:usual |normal |allowed |set |given |certain )?(?:limits?|thresholds?|cap|maximum|minimum|budget)",
)
_NUMBER: Final = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|fifty|hundred|thousand"
    r"|half)\b",
    re.IGNORECASE,
)
_BARE_NUMBER: Final = re.compile(
    r"\b(?:above|over|under|below|more than|less than|at least|at most|up to|exceeds?|exceed|maximum of"
    r"|minimum of)"
    r" \d++(?:[.,]\d++)*+(?=[.,;]?\s*(?:$|[.;,]|(?:and|or|without|unless|if|must|should|needs?|until"
    r"|before|after|when|while)\b))",
    re.IGNORECASE,
)

_REFERENCES: Final = phrases(
    r"(?:the )?(?:above|aforementioned|abovementioned|above-mentioned|foregoing|preceding|previous) "
    r"(?:rules?|polic(?:y|ies)|sections?|paragraphs?|points?|conditions?|limits?|instructions?|exceptions?)",
    r"the above|the aforementioned|the foregoing|see (?:above|below)|as (?:mentioned|described|stated"
    r"|defined|said|noted"
    r"|listed|explained) (?:above|earlier|before|previously|elsewhere)",
    r"(?:mentioned|described|listed|defined|stated) (?:above|earlier|elsewhere|previously)",
    r"(?:(?:the|our|your|its|their|company|internal|standard|official|corporate) ){1,3}"
    r"(?:guidelines?|procedures?|handbook|manual|playbook|protocols?|standards|rulebook)",
    r"(?:internal|company|corporate|official) (?:polic(?:y|ies)|rules|process)",
    r"(?:follow|apply|respect|per|to|with) (?:(?:the|our|company|internal|standard|official|corporate) ){1,3}"
    r"(?:polic(?:y|ies)|rules|process|practice)",
    r"the usual (?:rules|process|way|procedure|exceptions?)|do the same|the same applies|as before|as"
    r" always|the other (?:rules?|polic(?:y|ies)|documents?|pages?)",
)
_PRONOUN: Final = re.compile(
    r"(?:always |never |please )?(?:it|this|that|these|those|they|he|she|them)\s+"
    r"(?:is|are|must|should|shall|may|can|cannot|will|does|do|has|have|applies|apply|needs?|also|only|never"
    r"|always)\b"
    r"(?!\s+(?:not\s+)?(?:required|forbidden|prohibited|allowed|permitted|important|recommended)\b)"
    r"|(?:always|never|please|do not|don't)\s+\w+\s+(?:it|them|this|that)(?=\s*(?:$|[.,;!]|(?:to|by|when|if"
    r"|with|in|for|before|after)\b))",
    re.IGNORECASE,
)

_DENIES: Final = re.compile(
    r"\b(?:not|never|no|cannot|avoid|refuse|reject|deny|block|forbidden|prohibited|without)\b|n't\b",
    re.IGNORECASE,
)
_WEAK_STEMS: Final = frozenset(
    [*content_stems("agent assistant bot avoid refuse reject deny block forbidden prohibited ever also")]
)


def _vague_words(reading: Reading) -> Iterator[Issue]:
    for severity, pattern in _VAGUE_WORDS.items():
        for found in pattern.finditer(reading.text):
            if not _DEFINED.match(reading.text, found.end()):
                yield _VAGUE.at(found.start(), found[0], severity=severity)


def _open_limits(reading: Reading) -> Iterator[Issue]:
    for sentence in reading.sentences:
        if not _NUMBER.search(sentence.text):
            for found in _LIMITS.finditer(sentence.text):
                yield _OPEN_LIMIT.at(sentence.start + found.start(), found[0])
        for found in _BARE_NUMBER.finditer(sentence.text):
            yield _NO_UNIT.at(sentence.start + found.start(), found[0])


def _open_references(reading: Reading) -> Iterator[Issue]:
    for found in _REFERENCES.finditer(reading.text):
        yield _REFERENCE.at(found.start(), found[0])
    if reading.sentences:
        first = reading.sentences[0]
        pronoun = _PRONOUN.match(first.text)
        if pronoun:
            yield _REFERENCE.at(first.start, pronoun[0])


def _contradictions(reading: Reading) -> Iterator[Issue]:
    """A statement and its denial over the same words; different conditions or numbers are different words."""
    told: list[tuple[Sentence, str, bool, frozenset[str]]] = []
    for sentence in reading.sentences:
        for clause in sentence.clauses():
            stems = frozenset(content_stems(clause)) - _WEAK_STEMS
            if len(told) < _MOST_CLAUSES and len(stems) >= 2:
                told.append((sentence, clause, _DENIES.search(clause) is not None, stems))
    for (_, _, denied, before), (sentence, clause, denies, stems) in combinations(told, 2):
        if denied != denies and before == stems:
            yield _CONTRADICTION.at(sentence.start + sentence.text.find(clause), clause)


CHECKS: Final[tuple[Check, ...]] = (_vague_words, _open_limits, _open_references, _contradictions)
