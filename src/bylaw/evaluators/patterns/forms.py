"""Forms of writing that a rule may forbid: links, emojis, marks, Markdown."""

import re
from typing import Final

import re2

from bylaw.evaluators.patterns.shape import quote

LINK: Final = re.compile(
    r"\b(?:https?|ftp)://[^\s<>\"']{2,2000}|\bwww\.[\w-]{1,63}\.[\w./?=&%#-]{2,2000}", re.IGNORECASE
)
_ENDS: Final = (
    "com|org|net|io|co|ai|app|dev|de|eu|uk|us|fr|nl|es|it|ch|at|info|biz|shop|store|online"
    "|site|xyz|gov|edu|me|ly|gg|ru|cn|in|jp|br|ca|au"
)
BARE_LINK: Final = re.compile(
    rf"(?<![\w@./-])(?:[A-Za-z0-9-]{{1,63}}\.){{1,4}}(?:{_ENDS})(?![\w@-]|\.\w)", re.IGNORECASE
)
_LIKE_LINK: Final = re2.compile(
    rf"(?i)[A-Z0-9-]\.(?:{_ENDS})(?:[^\w@-]|$)|\bdot (?:com|org|net|io|de|co)\b"
    r"|\]\(|href|hxxp|h\s?t\s?t\s?p|\bw\s?w\s?w\b|\S\s?[\[({]\.[\])}]\s?\S"
)
EMOJI: Final = re.compile(
    "[\U0001f300-\U0001faff\u2600-\u27bf\u2b05-\u2b55\u231a-\u23ff\U0001f1e6-\U0001f1ff]"
)
_ONE: Final = "[\U0001f300-\U0001faff\u2600-\u27bf\u2b05-\u2b55\u231a-\u23ff][\ufe0f\U0001f3fb-\U0001f3ff]?"
EMOJIS: Final = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|{_ONE}(?:\u200d{_ONE})*")
_LIKE_EMOJI: Final = re2.compile(r"(?:[:;=8][-o']?[)(DPp\]\[|/\\3*]|<3|[\^]_?[\^]|:[a-z_]{2,30}:)")
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
    return _LIKE_LINK.search(text) is not None


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
