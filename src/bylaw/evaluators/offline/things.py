"""What a rule names to be there or not: quoted words, plain words, or a kind of data."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bylaw.evaluators.offline.data import Kind, kind_of
from bylaw.evaluators.offline.grammar import listed
from bylaw.evaluators.offline.reading import Found, Seen
from bylaw.evaluators.offline.words import MOST_WORDS, find_words

MOST_THINGS: Final = 200
# One thing of a list: quoted words, or plain ones, up to a comma, an "or" or the end.
_THING: Final = re.compile(
    r"(?:(?:an?|any|the) (?=['\"]))?"
    r"(?:\"(?P<double>[^\"]+)\"|'(?P<single>(?:[^']|'(?=\w))+)'|(?P<plain>[\w@+'$%/& .-]+?))"
    r"(?P<join>,? ?(?:and/or|or|nor) |,? and |[,;] ?(?:any |an? )?|$)",
    re.IGNORECASE,
)
# Plain words that say how much, which or when: the words around them are no phrase to look for.
_QUALIFIERS: Final = re.compile(
    r"\b(?:an?|and|any|more|less|than|without|with|not?|other|unless|except|if|when|to|of|for|all|only"
    r"|that|which"
    r"|who|about|from|in|by|on|before|after|until|such|like|etc|something|anything|it|them|this|our"
    r"|your|their|his|her|you|we|they|is|are|as|similar|equivalents?|variants?|variations?|synonyms?"
    r"|related|comparable|else|others?)\b",
    re.IGNORECASE,
)
# After these the words of a list are meant as words, quoted or not.
_LITERALLY: Final = re.compile(
    r"(?:(?:any|one|either|some) of )?(?:the |these |any of these |this |any )?(?:following |exact "
    r"|specific |literal )?"
    r"(?:words?|terms?|phrases?|strings?|expressions?|keywords?|names?|sentences?|lines?|texts?"
    r"|statements?|disclaimers?|notices?|questions?)(?: or (?:words?|phrases?|terms?"
    r"|expressions?))?(?: like|,? such as)?:? ",
    re.IGNORECASE,
)
_ANY_OF: Final = re.compile(
    r"(?:any|one|either|none) of (?:the following|these):? |any of |either |(?:the )?following:? ",
    re.IGNORECASE,
)
# What is meant, and examples of it.
_EXAMPLES: Final = re.compile(
    r"(?P<general>[\w' /()-]{2,80}?),? (?:such as|like|including|e\.g\.,?|for example,?):? (?P<examples>.+)",
    re.IGNORECASE,
)
# What turns around what is meant, or makes it part of something else; and what examples have beside them.
_TURNED: Final = re.compile(
    r"\b(?:not?|never|than|without|with|unless|except|excluding|but|if|when|while|to|of|for|only|that|which|who"
    r"|about|from|in|by|on|before|after|until|it|they?|you|we|i|is|are|would|users?|customers?|clients?|people)\b",
    re.IGNORECASE,
)
_CONDITION: Final = re.compile(
    r"\b(?:unless|except|excluding|but|if|when(?:ever)?|while|without|only|before|after|until|not)\b",
    re.IGNORECASE,
)
_IN_BRACKETS: Final = re.compile(r" ?\([^()]*\)")
_OPENED: Final = re.compile(r"(?<!\w)'")
_ARTICLE: Final = re.compile(r"^(?:an?|any|the|some|either) ", re.IGNORECASE)
# Verbs whose plain object may be words; what is contained or used may be anything.
_SPOKEN: Final = re.compile(r"(?:mention|sa[yi]|utter|referenc|refer|talk|bring)", re.IGNORECASE)
# Who speaks of "credit cards" may mean the matter; who names numbers or addresses means these.
_NUMBERED: Final = re.compile(
    r"number|address|iban|ssn|data|pii|information|detail|keys?\b|jwt|vat|tax", re.IGNORECASE
)
_VAGUE: Final = frozenset({"", "use", "uses", "using"})
_MATTERS: Final = re.compile(r"card|mail|phone|password|account", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One thing to look for: words, of which the absence may not show, or data of a kind.

    `is_owned` data belong to somebody: whether what is found does, nobody can tell.
    """

    words: str = ""
    kind: Kind | None = None
    shown: bool = True
    is_owned: bool = False

    @property
    def said(self) -> str:
        """How a sentence calls it."""
        return repr(self.words) if self.kind is None else self.kind.said

    def find(self, seen: Seen, *, is_wanted: bool = False) -> Found:
        """Return where it stands in a text, and whether it is ruled out elsewhere."""
        if self.kind is None:
            found = find_words(self.words, seen, is_wanted=is_wanted)
        else:
            found = self.kind.find(seen)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """A list of things; `joined` by an "and" it may mean all of them together, or each.

    Where they `are_examples` of what is meant, that none of them is there shows nothing.
    """

    each: tuple[Thing, ...]
    joined: bool = False
    are_examples: bool = False

    @property
    def said(self) -> str:
        """How a sentence calls them."""
        return ", ".join(dict.fromkeys(thing.said for thing in self.each))


def things_of(what: str, verb: str) -> Things | None:
    """Return the things of a list, None when one of them cannot be looked for."""
    what = _ANY_OF.sub("", what, count=1) if _ANY_OF.match(what) else what
    literally = _LITERALLY.match(what)
    if literally is None and (examples := _examples_of(what, verb)):
        return examples
    found: list[Thing] = []
    joined = False
    for words, quoted, join in _items(what[literally.end() :] if literally else what):
        thing = _thing(words, quoted=quoted, literally=bool(literally), verb=verb)
        if thing is None or len(found) == MOST_THINGS:
            return None
        found.append(thing)
        joined = joined or "and" in join.split()
    is_any = literally is not None or all(thing.kind is not None for thing in found)
    return Things(each=tuple(found), joined=joined and not is_any) if found else None


def _examples_of(what: str, verb: str) -> Things | None:
    """Return the things that a list names as examples, those of them that can be looked for."""
    named = _EXAMPLES.fullmatch(what)
    if named is None or _TURNED.search(_IN_BRACKETS.sub("", named["general"])):
        return None
    if any(_CONDITION.search(words) for words, quoted, _ in _items(named["examples"]) if not quoted):
        return None
    found = [
        _thing(words, quoted=quoted, literally=False, verb=verb)
        for words, quoted, _ in _items(named["examples"])
    ]
    general, _ = kind_of(_IN_BRACKETS.sub("", named["general"]))
    each = [replace(thing, shown=False) for thing in found if thing is not None][:MOST_THINGS]
    if general is not None:
        each.insert(0, Thing(kind=general, shown=False))
    return Things(each=tuple(each), are_examples=True) if each else None


def quoted_of(what: str) -> Things | None:
    """Return the quoted phrases of a list, None when it has anything else."""
    found = things_of(what, "say")
    return found if found and all(thing.shown and thing.kind is None for thing in found.each) else None


def _thing(words: str, *, quoted: bool, literally: bool, verb: str) -> Thing | None:
    if quoted or literally:
        return Thing(words=words) if 0 < len(words.split()) <= MOST_WORDS else None
    if _OPENED.search(words):
        return None
    kind, is_owned = kind_of(words)
    speaks = _SPOKEN.match(verb) or (verb.lower() in _VAGUE and _MATTERS.search(words))
    is_matter = speaks and not _NUMBERED.search(words)
    if kind is not None and not is_matter:
        return Thing(kind=kind, is_owned=is_owned)
    if _SPOKEN.match(verb) and words and len(words.split()) <= 3:
        bare = _ARTICLE.sub("", words)
        # "a lawyer" names what may be called otherwise, "a competitor" whoever it is
        if not _QUALIFIERS.search(bare) and bare.lower() not in _ROLES and "'s" not in bare:
            return Thing(words=bare, shown=False)
    return None


# What plain words stand for a kind of thing, not for themselves.
_ROLES: Final = frozenset(
    listed(
        "competitor competitors politics religion profanity slang jargon prices pricing people names"
        " customers users emotions opinions feelings competitor_names company_names swear_words curse_words"
        " bad_words offensive_language legal_advice medical_advice financial_advice competing_products"
        " personal_information personal_opinions"
    )
)


def _items(what: str) -> Iterator[tuple[str, bool, str]]:
    """Yield each thing of a list, whether it is quoted, and what joins it to the next one.

    One empty thing when it is not such a list.
    """
    position = 0
    while position < len(what):
        found = _THING.match(what, position)
        if found is None:
            yield "", False, ""
            return
        position = found.end()
        quoted = found["double"] or found["single"]
        yield (quoted or found["plain"]).strip(), quoted is not None, found["join"]
