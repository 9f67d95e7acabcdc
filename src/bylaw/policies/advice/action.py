"""Checks for what a rule asks to be done, by whom, about what: actions, wishes, effects, scope."""

import re
from collections.abc import Iterator
from typing import Final

from bylaw.policies.advice.checks import Check, Kind, each, phrases
from bylaw.policies.advice.model import Issue
from bylaw.policies.advice.reading import Reading, Sentence
from bylaw.policies.advice.words import content_stems, listed

_EMPTY: Final = Kind(
    type="actionability",
    code="empty",
    severity="high",
    description="There is nothing to follow here.",
    suggestion="Write what the agent must do, or must not do, and when.",
)
_NO_ACTION: Final = Kind(
    type="actionability",
    code="no_action",
    severity="high",
    description="Nobody is told to do or to leave anything.",
    suggestion="Begin with a verb, “Reject …”, “Ask …”, “Never send …”, or say who must do what.",
)
_WISH: Final = Kind(
    type="actionability",
    code="wish",
    severity="high",
    description="“{}” is a wish: no case shows for certain that it was not kept.",
    suggestion="Describe what an answer that keeps it contains or leaves out, instead of “{}”.",
)
_ONLY_AVOIDS: Final = Kind(
    type="actionability",
    code="only_avoids",
    severity="low",
    description="The rule says what to avoid and not what to do instead.",
    suggestion="Add what to do in that case: “refer … to …”, or “unless a manager has approved”.",
)
_SOFT: Final = Kind(
    type="actionability",
    code="unclear_effect",
    severity="medium",
    description="“{}” leaves open whether a case that does otherwise is stopped, flagged or fine.",
    suggestion="Write “must” or “Reject …” where it is to be stopped, “Flag …” where people look at it.",
)
_MANY_RULES: Final = Kind(
    type="scope",
    code="several_rules",
    severity="medium",
    description="The text holds several matters, which then pass or fail together.",
    suggestion="Make one rule of each matter, so that a decision can say which of them was broken.",
)
_NO_OBJECT: Final = Kind(
    type="scope",
    code="no_object",
    severity="medium",
    description="“{}” does not say what it is about, or in which cases.",
    suggestion="Add the object and the case: always or never what, to whom, when?",
)
_EVERYTHING: Final = Kind(
    type="scope",
    code="everything",
    severity="low",
    description="“{}” claims every case, most of which nobody thought of.",
    suggestion="Name the cases that “{}” is meant for: which topic, tool, customer or amount.",
)

_VERBS: Final = listed(
    """accept add advise alert allow anonymise anonymize answer append apply approve archive ask assign
    attach authenticate avoid begin bill block book buy call cancel charge check choose cite clarify
    classify close collect commit compare complete confirm contact convert copy count create credit cut
    decide decline delete deliver deny deploy describe direct disclose display do document download
    draft drop email encrypt end enforce ensure escalate exclude execute explain export fetch fix flag
    follow forbid forward give grant greet guide halt hand handle hide hire hold identify ignore include
    inform insert install invite issue keep label leave limit link list lock log look lower mail make
    mark mask match mention merge modify monitor move mute name notify obtain offer open order overwrite
    pass pause pay permit pick place prefer present prevent print process prohibit promise prompt
    propose provide publish push put query quote raise rank read recommend record redact redirect refer
    refrain refund refuse reject release remind remove rename repeat replace reply report request
    require reset resolve respond restart restrict retain retry return review revoke rotate round route
    run sanitise sanitize save say scan schedule search see select sell send set share ship show sign
    skip sort speak split start state stay stop store suggest summarise summarize suspend switch tag
    take tell terminate test track transfer translate treat trim turn unlock update upload use validate
    verify wait warn wipe withhold write"""
)
_LEAD: Final = (
    r"(?:^|[,:;]\s+|\b(?:then|and|or|but|also|immediately|please|otherwise|instead|first|only|\w{2,12}ly)\s+)"
)
_ACTS: Final = re.compile(
    rf"{_LEAD}(?:{'|'.join(sorted(_VERBS))})\b"
    r"|\b(?:must|shall|should|may not|may only|cannot|can't|can only|need(?:s)? to|has to|have to|never"
    r"|always|don't)\b"
    r"|\bdo(?:es)? not\b|\brequires?\b|\b(?:is|are) (?:not |never |only |strictly )?(?:allowed|permitted"
    r"|prohibited|forbidden"
    r"|required|banned|mandatory|blocked|rejected|flagged|refused|off limits)\b|\bno (?:\w+ ){1,6}without\b"
    r"|\bonly (?:\w+ ){1,5}(?:may|can)\b|\bat most \d|^no \w+|\b(?:needs?|wants) \w+"
    r"|\bwill (?:not )?be \w+|\bwaits?"
    r" for\b",
    re.IGNORECASE,
)
# A first word that is followed as a verb is, such as "Wear a badge": nouns and determiners stand otherwise.
_IMPERATIVE: Final = re.compile(
    r"^(?!(?:the|an?|our|your|their|its|his|her|my|these|those|this|that|it|they|we|you|he|she|there|all"
    r"|any|each|every"
    r"|some|no|not|and|or|but|if|in|on|at|for|with|of|by|from|to|as)\b)(?!\w+(?<!s)s\b)\w+ (?:an?|the|all"
    r"|any|each|every|no"
    r"|your|their|its|to|as|in|on|at|with|by|from|only|it|them|up|out|off|back|one|two|\d)\b",
    re.IGNORECASE,
)
_WISHES: Final = phrases(
    r"be (?:\w+ (?:and|or) |as |more |very |always |really |super )?(?:helpful|polite|friendly|nice|kind"
    r"|professional"
    r"|empathetic|courteous|honest|careful|respectful|responsible|proactive|smart|flexible|patient|thorough"
    r"|mindful"
    r"|creative|transparent|ethical|understanding|considerate|cautious|fair|accurate|concise|aware|good)",
    r"(?<!not )(?<!never )(?:try|tries|trying) (?:(?:your|its|their) best |hard )?(?:to|and)",
    r"striv(?:e|es|ing) (?:to|for)|aim(?:s|ing)? (?:to|for)|endeavou?r to|(?:do|does|doing) (?:your|its"
    r"|their|the) best"
    r"|make every effort|best efforts?|as best (?:as )?(?:you|it|they) can|seek to|work towards?|look to",
    r"use (?:(?:your|good|common|sound|best|own) ){1,3}(?:sense|judge?ment|discretion)|at (?:your|its"
    r"|their) (?:own )?discretion",
    r"(?:best|good) interests? of|with discretion|(?:show|have|demonstrate) (?:\w+ )?(?:empathy|respect"
    r"|care|compassion|understanding)"
    r"|feel welcome",
    r"treat (?:\w+ ){1,4}(?:well|fairly|nicely|kindly)",
    r"(?:keep|make) (?:the |our |every |all )?(?:customers?|users?|clients?|people) (?:happy|satisfied|feel"
    r" \w+)",
    r"(?:ensure|maximi[sz]e|guarantee) (?:\w+ )?(?:satisfaction|quality|a (?:good|great|positive) \w+)",
    r"(?:provide|deliver|give|offer) (?:a |an |the )?(?:best|great|excellent|good|amazing|outstanding"
    r"|superb|positive)"
    r"(?: possible)? (?:\w+ )?(?:service|support|experience|answers?|help|care)",
    r"(?:act|behave|respond|communicate|speak) (?:always )?(?:responsibly|ethically|professionally|nicely"
    r"|kindly"
    r"|in good faith|politely|carefully|wisely|like a (?:human|professional|friend))",
    r"with (?:the utmost |great |due )?(?:care|respect|empathy|caution|integrity)|care about|go the extra"
    r" mile"
    r"|(?:don't|do not|never) be (?:evil|rude|mean|annoying|creepy|pushy)|add value|do the right thing|as"
    r" helpful as",
)
_CONCRETE: Final = re.compile(
    r"\d|[\"“'`]q|:\s|\b(?:if|when|before|after|within|unless|by \w+ing|for example|that is|i\.e)\b",
    re.IGNORECASE,
)
_SOFTENED: Final = phrases(
    r"ideally|preferably|(?:if|where|when|wherever|whenever) (?:at all )?possible|may want to|might want to"
    r"|consider (?:\w+ing)|it (?:is|would be) (?:recommended|good|better|preferable|nice|advisable|best)(?:"
    r" (?:to|if|that))?"
    r"|we (?:recommend|suggest|prefer|encourage)|feel free to|are encouraged to|is encouraged|is discouraged"
    r"|are discouraged|(?:it's|is|are) (?:better|best|advisable)(?: not)? to|maybe|perhaps|hopefully|as far"
    r" as possible"
    r"|to the extent possible|is not ideal|not recommended|might|could be|try not to",
    r"(?:reject|block|refuse|deny|stop) (?:and/or|or|/|and maybe) (?:flag|warn|alert|review|escalate|log)",
    r"(?:flag|warn|alert|review|escalate|log) (?:and/or|or|/|and maybe) (?:reject|block|refuse|deny|stop)",
)
_SHOULD: Final = phrases(r"should(?: not|n't| never| always)?")
_FIRM: Final = phrases(
    "must", "never", "always", "reject", "block", "refuse", "shall", "required", "flag", "do not"
)
_AVOIDS: Final = re.compile(
    r"\b(?:never|do not|don't|avoid|must not|may not|cannot|can't|refrain)\b", re.IGNORECASE
)
_DECIDES: Final = re.compile(
    r"\b(?:not|never) (?:approve|allow|permit|accept|authori[sz]e)\b|\b(?:reject|block|deny|flag|refuse"
    r"|decline)\b"
    r"|\b(?:without|unless|until|before|instead|except|only|rather than|other than|more than|above|below"
    r"|beyond)\b"
    r"|\b(?:over|outside|under|exceed(?:s|ing)?|longer than|less than) ",
    re.IGNORECASE,
)
_ALONE: Final = re.compile(
    r"(?:please )?(?:always|never|must|do not|don't) (?:\w+)(?: (?:it|them|so|this|that))?", re.IGNORECASE
)
_ALL_CASES: Final = phrases(
    r"everything|anything|in all cases|at all times|no matter what|in any case|in every (?:case|situation)"
    r"|any and all|whatsoever|any kind of (?:data|information|action|content)|whatever happens|for everyone"
)
_FURTHER: Final = re.compile(
    r"(?:also|additionally|furthermore|moreover|in addition|besides|another|separately|lastly|finally|on"
    r" top of that)\b",
    re.IGNORECASE,
)


def _actions(reading: Reading) -> Iterator[Issue]:
    if not reading.words:
        yield _EMPTY.at(0, reading.text)
    elif not any(
        asks.search(sentence.text)
        for sentence in reading.sentences
        for asks in (_ACTS, _IMPERATIVE, _WISHES, _SOFTENED)
    ):
        yield _NO_ACTION.at(0, reading.text)


def _wishes(reading: Reading) -> Iterator[Issue]:
    for sentence in reading.sentences:
        for found in _WISHES.finditer(sentence.text):
            concrete = _CONCRETE.search(sentence.text)
            yield _WISH.at(sentence.start + found.start(), found[0], severity="low" if concrete else None)


def _only_avoids(reading: Reading) -> Iterator[Issue]:
    if (
        reading.sentences
        and all(_AVOIDS.search(sentence.text) for sentence in reading.sentences)
        and not any(_DECIDES.search(sentence.text) or _goes_on(sentence) for sentence in reading.sentences)
    ):
        yield _ONLY_AVOIDS.of(reading.sentences[0])


def _goes_on(sentence: Sentence) -> bool:
    """Return whether some part of the sentence asks for something, beside what is to be avoided."""
    return any(
        _ACTS.search(clause.strip()) and not _AVOIDS.search(clause) for clause in sentence.clauses()[1:]
    )


def _weak_modals(reading: Reading) -> Iterator[Issue]:
    if not _FIRM.search(reading.text):
        for found in _SHOULD.finditer(reading.text):
            yield _SOFT.at(found.start(), found[0], severity="low")


def _no_objects(reading: Reading) -> Iterator[Issue]:
    for sentence in reading.sentences:
        bare = sentence.text.rstrip(".!;?, ")
        if _ALONE.fullmatch(bare):
            yield _NO_OBJECT.at(sentence.start, bare)


def _several_rules(reading: Reading) -> Iterator[Issue]:
    """Matters are sentences that ask for something, joined where they share a word that carries meaning."""
    matters: list[set[str]] = []
    asking = [sentence for sentence in reading.sentences if _ACTS.search(sentence.text)]
    for sentence in asking:
        stems = set(content_stems(sentence.text))
        joined = [matter for matter in matters if matter & stems]
        matters = [matter for matter in matters if not matter & stems]
        matters.append(stems.union(*joined))
    further = any(_FURTHER.match(sentence.text) for sentence in asking[1:])
    if len(matters) >= 3 or (len(matters) == 2 and further) or len(asking) >= 6:
        yield _MANY_RULES.at(reading.sentences[0].start, reading.text[reading.sentences[0].start :].rstrip())


CHECKS: Final[tuple[Check, ...]] = (
    _actions,
    _wishes,
    _only_avoids,
    each(_SOFT, _SOFTENED),
    _weak_modals,
    _several_rules,
    _no_objects,
    each(_EVERYTHING, _ALL_CASES),
)
