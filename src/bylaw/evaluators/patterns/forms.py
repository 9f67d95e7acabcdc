"""Forms of writing that a rule may forbid: links, emojis, marks, Markdown."""

import re
from typing import Final

import re2

from bylaw.evaluators.patterns.shape import plain, quote

LINK: Final = re.compile(
    r"\b(?:https?|ftp)://[^\s<>\"']{2,2000}|\bwww\.[\w-]{1,63}\.[\w./?=&%#-]{2,2000}", re.IGNORECASE
)
_ENDS: Final = (
    "com|org|net|io|co|ai|app|dev|de|eu|uk|us|fr|nl|es|it|ch|at|info|biz|shop|store|online"
    "|site|xyz|gov|edu|me|ly|gg|ru|cn|in|jp|br|ca|au"
    "|agency|be|blog|cc|center|click|cloud|club|company|cz|digital|dk|email|fi|finance|fun|gr|group|help|hk"
    "|host|id|ie|is|kr|life|link|live|ltd|media|mx|network|news|no|nz|page|pl|plus|pro|pt|ro|sale|se|services"
    "|sg|sh|so|social|solutions|space|store|studio|support|systems|team|tech|to|today|tools|top|travel|tr|tv"
    "|tw|ua|vip|website|wiki|win|work|works|world|za|zone"
)
# Russia, Belarus, Ukraine, Serbia, Kazakhstan, Greece, the EU, China, Taiwan, Korea, India and others.
_FOREIGN_ENDS: Final = (
    "\u0440\u0444|\u0431\u0435\u043b|\u0443\u043a\u0440|\u0441\u0440\u0431|\u049b\u0430\u0437"
    "|\u03b5\u03bb|\u0435\u044e|\u4e2d\u56fd|\u4e2d\u570b|\u516c\u53f8|\u7f51\u7edc|\u7db2\u8def"
    "|\u9999\u6e2f|\u53f0\u6e7e|\u53f0\u7063|\ud55c\uad6d|\u092d\u093e\u0930\u0924"
    "|\u0627\u0644\u0633\u0639\u0648\u062f\u064a\u0629|\u0645\u0635\u0631"
    "|\u0627\u06cc\u0631\u0627\u0646"
)
# What may be a link without saying so; a sentence that begins without a space looks like one too.
LIKE_HOST: Final = re.compile(r"(?<![\w@./-])(?:[^\W_][\w-]{0,62}\.){1,4}[^\W\d_]{2,24}")
_LIKE_LINK: Final = re2.compile(
    rf"(?i)[A-Z0-9-][.\x{{3002}}\x{{ff0e}}\x{{ff61}}](?:{_ENDS})(?:[^\w@-]|$)"
    r"|\bdot (?:com|org|net|io|de|co)\b"
    rf"|\.(?:xn--|{_FOREIGN_ENDS})|[A-Z0-9-]\.[A-Z]{{2,24}}(?::[0-9]{{2,5}})?/[^\s]"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}[/:]"
    r"|\]\(|href|hxxp|h\s?t\s?t\s?p|\bw\s?w\s?w\b|\S\s?[\[({]\.[\])}]\s?\S"
)
# What may be a host, unless it ends as a file does.
_HOST: Final = re.compile(
    r"(?<![\w@./-])(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,4}(?P<end>[a-z]{2,24}|[A-Z]{2,24})(?![\w(-])"
)
_FILE: Final = re.compile(
    "bat|bin|c|cfg|conf|cpp|cs|css|csv|docx?|exe|gif|go|gz|h|html|ini|ipynb|java|jpe?g|jsx?|json|jsonl|log|lua|md"
    "|pdf|php|pl|png|pptx?|ps|py|rb|rst?|scala|sql|svg|swift|tar|toml|tsx?|tsv|txt|xlsx?|xml|ya?ml|zip",
    re.IGNORECASE,
)
_SQUARES: Final = (
    "\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a\U0001f201"
    "\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251"
)
_EMOJI: Final = rf"[\U0001f300-\U0001faff\u2600-\u27bf\u2b05-\u2b55\u231a-\u23ff{_SQUARES}]"
EMOJI: Final = re.compile(rf"{_EMOJI}|[\U0001f1e6-\U0001f1ff]|[^\s\ufe0f]\ufe0f|\u20e3")
_ONE: Final = rf"(?:{_EMOJI}[\ufe0f\U0001f3fb-\U0001f3ff]?|[^\s\ufe0f]\ufe0f\u20e3?)"
EMOJIS: Final = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|{_ONE}(?:\u200d{_ONE})*")
_LIKE_EMOJI: Final = re2.compile(
    r"(?:[:;=8][-o']?[)(DPp\]\[|/\\3*]|<3|[\^]_?[\^]|:[a-z_]{2,30}:)"
    r"|[\x{203c}\x{2049}\x{2139}\x{2194}-\x{2199}\x{21a9}\x{21aa}\x{24c2}\x{25aa}\x{25ab}\x{25b6}\x{25c0}]"
    r"|[\x{25fb}-\x{25fe}\x{3030}\x{303d}\x{3297}\x{3299}]"
)
_MARKDOWN: Final = re.compile(
    r"^#{1,6} \S|\*\*[^*\s][^*\n]{0,500}\*\*|^```|\[[^\]\n]{1,200}\]\(|^\|.{1,500}\|$", re.MULTILINE
)
_LIKE_MARKDOWN: Final = re.compile(r"[*_`#~|>\[]|^[ \t]*(?:[-+]|\d{1,2}[.)]) |^[=-]{3,}$", re.MULTILINE)
_TAG: Final = re.compile(
    r"</?(?:a|b|i|p|br|div|span|ul|ol|li|h[1-6]|table|tr|td|th|img|script|style|strong|em|html|body"
    r"|head|form|input|iframe)\b[^<>]{0,500}>",
    re.IGNORECASE,
)
_FENCE: Final = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_BULLET: Final = re.compile(r"^[ \t]*[-*+\u2022\u25e6\u2023] +\S", re.MULTILINE)
_LIKE_BULLET: Final = re.compile(
    r"^[ \t]*[-*+\u2010-\u2015\u2022\u25cf\u25aa\u25e6\u2023>\u00b7]", re.MULTILINE
)
_HASHTAG: Final = re.compile(r"(?<![\w&#/])#[^\W\d_]\w{1,100}")
_HEADING: Final = re.compile(r"^#{1,6} \S|^<h[1-6]", re.MULTILINE)


def links(text: str) -> list[str]:
    """Return the links in `text`."""
    return quote(LINK, text)


def may_link(text: str) -> bool:
    """Return whether `text` has anything that may be read as a link."""
    seen = plain(text)
    return _LIKE_LINK.search(seen) is not None or any(
        _FILE.fullmatch(found["end"]) is None for found in _HOST.finditer(seen)
    )


def emojis(text: str) -> list[str]:
    """Return the emojis in `text`."""
    return quote(EMOJI, text)


def may_have_emojis(text: str) -> bool:
    """Return whether `text` has signs that are read as emojis."""
    return _LIKE_EMOJI.search(text) is not None


def markdown(text: str) -> list[str]:
    """Return what is surely Markdown in `text`."""
    return quote(_MARKDOWN, text)


def may_have_markdown(text: str) -> bool:
    """Return whether `text` has signs that Markdown uses as well."""
    return _LIKE_MARKDOWN.search(text) is not None


def html_tags(text: str) -> list[str]:
    """Return the tags of HTML in `text`."""
    return quote(_TAG, text)


def code_blocks(text: str) -> list[str]:
    """Return where blocks of code are fenced in `text`."""
    return quote(_FENCE, text)


def bullets(text: str) -> list[str]:
    """Return the lines of lists in `text`."""
    return quote(_BULLET, text)


def may_have_bullets(text: str) -> bool:
    """Return whether lines of `text` may be those of a list."""
    return _LIKE_BULLET.search(text) is not None


def hashtags(text: str) -> list[str]:
    """Return the hashtags in `text`."""
    return quote(_HASHTAG, text)


def headings(text: str) -> list[str]:
    """Return the headings in `text`."""
    return quote(_HEADING, text)


def may_have(*signs: str) -> "re.Pattern[str]":
    """Return a pattern of any of the signs."""
    return re.compile("|".join(map(re.escape, signs)))
