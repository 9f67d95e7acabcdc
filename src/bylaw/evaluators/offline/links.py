"""Rules about where links lead."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bylaw.evaluators.offline.grammar import ALWAYS, MUST, NEVER, NOT, SUBJECT, TAIL, group, matches, wordings
from bylaw.evaluators.offline.reading import Found, Reader, Seen, is_read
from bylaw.evaluators.offline.shape import ABSTAINED, ASIDE, TOO_LONG, Ruling, Shape
from bylaw.evaluators.offline.subject import ANSWER, Subject, subject_of
from bylaw.evaluators.patterns import MOST_QUOTES
from bylaw.evaluators.patterns.forms import links, may_link
from bylaw.evaluators.protocol import EvaluatorBasis

_DOMAIN: Final = r"['\"`]?(?:https?://)?(?:[\w-]{1,63}\.){1,5}[a-z]{2,24}/?['\"`]?"
_LIST: Final = rf"(?P<domains>{_DOMAIN}(?:(?:, | or |, or | and |, and ){_DOMAIN})*)"
_WHERE: Final = r"(?:(?:pages|sites|content|urls|domains) (?:on|of|under|from|at) |the domains? )?"
_ONLY: Final = wordings(
    rf"(?:{ALWAYS} )?only (?:link|send links|share links|include links|provide links|use links) (?:to"
    rf"|from) {_WHERE}{_LIST}{TAIL}",
    rf"(?:{ALWAYS} )?(?:link|include links|share links|send links) only to {_WHERE}{_LIST}{TAIL}",
    rf"(?:all |any |the )?(?:links|urls|hyperlinks){TAIL} (?:{MUST}|may|can)(?: only)? (?:point|go|lead"
    rf"|link|refer|be)(?: only)?(?: to| on| from)? {_WHERE}{_LIST}",
    rf"{NEVER} (?:link|include links|share links|send links|send customers) to (?:any(?:thing| (?:site"
    rf"|website|domain|page|url)s?)?|sites|websites|domains|pages|external sites)"
    rf" (?:other than|except(?: for)?|outside(?: of)?|not (?:on|under)) {_WHERE}{_LIST}{TAIL}",
    rf"{SUBJECT} (?:{MUST}|may|can) only (?:contain|include|have) links to {_WHERE}{_LIST}",
    rf"no links (?:other than|except|outside(?: of)?) (?:to )?{_WHERE}{_LIST}",
)
_NEVER: Final = wordings(
    rf"(?:{NEVER}|{SUBJECT} {NOT}) (?:link|include (?:a )?links?|share (?:a )?links?|send (?:a )?links?"
    rf"|contain (?:a )?links?) to {_WHERE}{_LIST}{TAIL}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Kept when every link leads to one of the domains, or with `is_forbidden`, none does."""

    subject: Subject
    domains: tuple[str, ...]
    is_forbidden: bool

    name = "links"
    basis: EvaluatorBasis = "pattern"
    gap = ""
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        which = "to" if self.is_forbidden else "to anywhere but"
        return f"Looks for links {which} {', '.join(self.domains)} in {self.subject.said}."

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        if self.subject.is_to_come(reader.facts, ("input",)):
            return ASIDE
        said = self.subject.texts(reader.facts)
        if not said.texts:
            return ABSTAINED
        found = [await reader.read(text, self._search) for text in said.texts]
        quotes = tuple(dict.fromkeys(quote for each in found for quote in each.quotes))[:MOST_QUOTES]
        if quotes:
            return Ruling(status="violated", rationale="A link leads elsewhere.", evidence=quotes)
        if not said.is_all or not all(each.shows_absence for each in found):
            return ABSTAINED
        kept = Ruling(status="satisfied", rationale="No link leads elsewhere.")
        return kept if all(map(is_read, said.texts)) else TOO_LONG

    def _search(self, seen: Seen) -> Found:
        urls = links(seen.text)
        hosts = [_host(url) for url in urls]
        wrong = [
            url
            for url, host in zip(urls, hosts, strict=True)
            if host and self._is_one(host) == self.is_forbidden
        ]
        rest = seen.text
        for url in urls:
            rest = rest.replace(url, " ")
        is_open = may_link(rest) or None in hosts or len(urls) >= MOST_QUOTES
        return Found(quotes=tuple(wrong), shows_absence=not is_open)

    def _is_one(self, host: str) -> bool:
        return any(host == domain or host.endswith("." + domain) for domain in self.domains)


def _host(url: str) -> str | None:
    """Return the host of a link, None when readers may differ about it."""
    if not url.isascii() or "\\" in url or "@" in url:
        return None
    try:
        host = urlsplit(url if "://" in url else f"//{url}").hostname
    except ValueError:
        return None
    return host.rstrip(".").lower() if host and re.fullmatch(r"[\w.-]+", host) else None


def read_links(wording: str) -> Shape | None:
    """Return the shape of a rule about where links lead."""
    for patterns, is_forbidden in ((_ONLY, False), (_NEVER, True)):
        for found in matches(patterns, wording):
            named = group(found, "subject")
            subject = subject_of(named) if named else ANSWER
            if subject is not None and subject.kind != "field":
                domains = tuple(_domain(each) for each in re.split(r",? or |,? and |, ", found["domains"]))
                return Links(subject=subject, domains=domains, is_forbidden=is_forbidden)
    return None


def _domain(written: str) -> str:
    bare = re.sub(r"^https?://", "", written.strip("'\"`").lower()).rstrip("/")
    return bare.removeprefix("www.")
