"""Reading the documentation: pages, headings, links and fenced blocks.

A page that carries `<!-- run -->` is executed: its `sh` blocks, in order, in one shell, in an empty
directory. `<!-- run: server -->` also gives it a server on port 8181 and an admin key in `BYLAW_API_KEY`.
A `text` block right after an `sh` block is what that block prints; `…` stands for anything within a line, and
a line that is only `…` for any number of lines. A block with `title="NAME"` is written to that file first.
`console` blocks are shown and not run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_MODE = re.compile(r"^<!-- run(: server)? -->$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block; `line` is where its fence opens."""

    language: str
    title: str
    text: str
    line: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of Markdown; `name` is its path from the root of the repository."""

    name: str
    text: str

    @property
    def mode(self) -> Literal["shown", "alone", "server"]:
        found = _MODE.search(self.text)
        if found is None:
            return "shown"
        return "server" if found[1] else "alone"

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        found = []
        for match in _FENCE.finditer(self.text):
            language, _, rest = match[2].strip().partition(" ")
            title = re.search(r'title="([^"]+)"', rest)
            found.append(
                Block(
                    language=language,
                    title=title[1] if title else "",
                    text=match[3],
                    line=self.text.count("\n", 0, match.start()) + 1,
                    end=match.end(),
                )
            )
        return found

    def prints(self, block: Block) -> str | None:
        """What `block` is said to print, None when nothing is said."""
        for after in self.blocks:
            if after.line > block.line:
                between = self.text[block.end : self._start(after)].strip()
                return after.text if after.language == "text" and not between else None
        return None

    def _start(self, block: Block) -> int:
        lines = self.text.splitlines(keepends=True)
        return sum(map(len, lines[: block.line - 1]))

    @property
    def links(self) -> list[str]:
        return _LINK.findall(re.sub(r"`[^`\n]*`", "", self.prose))

    @property
    def anchors(self) -> set[str]:
        titles = re.findall(r"^#+ +(.+?) *$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def pages() -> Iterator[Page]:
    """Yield every page of the repository's documentation."""
    roots = [ROOT / "docs", ROOT / "examples"]
    found = [*ROOT.glob("*.md"), *(path for root in roots for path in root.rglob("*.md"))]
    for path in sorted(found):
        yield Page(name=path.relative_to(ROOT).as_posix(), text=path.read_text(encoding="utf-8"))


def matches(said: str, printed: str) -> bool:
    """Whether what was printed is what the page says."""
    pattern = ""
    for line in said.rstrip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += ".*".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ \t]*\n"
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None
