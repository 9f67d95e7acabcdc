"""The tutorial's page, followed: every numbered line of it is carried out as it is written.

**Bold** is what the screen shows, `code` is what is typed or chosen, and *italics* are what is carried from
one place to another. Who acts is said before their steps (`Mara, in her browser:`). A picture stands where it
is taken.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from tests.dashboard.browser import DESK, Watch, window
from tests.dashboard.serving import serving
from tests.docs.pages import ROOT

_PATIENCE = 200  # times that a page is loaded again
PAGE = ROOT / "docs" / "tutorial.md"
_LINES = re.compile(
    r"^(?P<who>[A-Z][\w ]+), in (?:her|his|any) browser:$"
    r"|^`(?P<address>/\S*)`$"
    r"|^!\[.+\]\((?:\.\./)?screenshots/(?P<picture>[\w-]+\.png)\)$"
    r"|^\d+\. (?P<step>.+)$",
    re.MULTILINE,
)
# Where that which one copies stands on a page.
_COPIED = {
    "the link": "#secret",
    "the key": "#secret",
    "the example": "section[aria-labelledby=call] pre",
    "the command": "pre[aria-label='The command']",
    "the public address": "a[href^='/r/']",
}


@dataclass
class Walk:
    """Somebody on their way: the windows of each who acts, and what they carry.

    `folder` is where downloads go; `answer` is what the last command printed.
    """

    windows: dict[str, Page]
    folder: Path
    carried: dict[str, str]
    who: str = ""
    answer: str = ""

    @property
    def page(self) -> Page:
        """The window of whoever acts."""
        return self.windows[self.who]

    async def type(self, text: str, label: str) -> None:
        await self._field(label).fill(text)

    async def paste(self, name: str, label: str) -> None:
        await self._field(label).fill(self.carried[name])

    async def choose(self, option: str, label: str) -> None:
        await self._field(label).select_option(label=option)

    async def tick(self, label: str) -> None:
        await self._field(label).check()

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def open(self, name: str) -> None:
        """Follow a link, whatever number stands behind its name."""
        named = re.compile(rf"^{re.escape(name)}( [\d,]+.*)?$")
        await self.page.get_by_role("link", name=named).first.click()

    async def go(self, name: str) -> None:
        await self.page.goto(self.carried[name])

    async def download(self, name: str) -> None:
        async with self.page.expect_download() as started:
            await self.page.get_by_role("link", name=name, exact=True).click()
        download = await started.value
        await download.save_as(self.folder / download.suggested_filename)

    async def copy(self, name: str) -> None:
        found = self.page.locator(_COPIED[name])
        await found.scroll_into_view_if_needed()
        self.carried[name] = (await found.inner_text()).strip()

    async def see(self, text: str) -> None:
        shown = self.page.get_by_text(text).locator("visible=true").first
        await expect(shown).to_be_visible()
        await shown.scroll_into_view_if_needed()

    async def reload(self, text: str) -> None:
        """Load the page again until it shows `text`."""
        for _ in range(_PATIENCE):
            if await self.page.get_by_text(text).count():
                break
            await self.page.reload()
        await self.see(text)

    async def run(self, name: str) -> None:
        """Run a command where the downloads are."""
        bylaw = self.folder / "bylaw"
        bylaw.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bylaw "$@"\n', encoding="utf-8")
        bylaw.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BYLAW_")}
        given = {"PATH": f"{self.folder}:{kept['PATH']}", "BYLAW_API_KEY": self.carried["the key"]}
        process = await asyncio.create_subprocess_shell(
            self.carried[name],
            cwd=self.folder,
            env={**kept, **given},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        self.answer = said.decode()
        assert process.returncode == 0, self.answer

    async def hear(self, text: str) -> None:
        assert text in self.answer, f"the answer is:\n{self.answer}"

    def _field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)


Deed = tuple[re.Pattern[str], Callable[..., Awaitable[None]]]
DEEDS: Sequence[Deed] = tuple(
    (re.compile(pattern, re.IGNORECASE), act)
    for pattern, act in (
        (r"`([^`]+)` into \*\*(.+?)\*\*", Walk.type),
        (r"\*([^*]+)\* into \*\*(.+?)\*\*", Walk.paste),
        (r"choose `([^`]+)` under \*\*(.+?)\*\*", Walk.choose),
        (r"tick \*\*(.+?)\*\*", Walk.tick),
        (r"press \*\*(.+?)\*\*", Walk.press),
        (r"open \*\*(.+?)\*\*", Walk.open),
        (r"open \*([^*]+)\*", Walk.go),
        (r"save \*\*(.+?)\*\*", Walk.download),
        (r"copy \*([^*]+)\*", Walk.copy),
        (r"reload until you see \*\*(.+?)\*\*", Walk.reload),
        (r"(?<!until you )see \*\*(.+?)\*\*", Walk.see),
        (r"run \*([^*]+)\*", Walk.run),
        (r"answer says `([^`]+)`", Walk.hear),
    )
)


def deeds(step: str) -> list[tuple[re.Match[str], Callable[..., Awaitable[None]]]]:
    """What a step asks for, in the order of its words."""
    found = [(match, act) for pattern, act in DEEDS for match in pattern.finditer(step)]
    return sorted(found, key=lambda each: each[0].start())


def steps(page: Path = PAGE) -> list[dict[str, str]]:
    """What happens on a page: who begins to act and where, what they do, and where a picture is taken."""
    text = re.sub(r"\n {3}(?=\S)", " ", page.read_text("utf-8"))
    return [
        {name: said for name, said in match.groupdict().items() if said} for match in _LINES.finditer(text)
    ]


@asynccontextmanager
async def setting_out(browser: Browser, folder: Path) -> AsyncIterator[Walk]:
    """People before a server that was just started for the first time; in no window anything goes wrong."""
    async with serving(folder / "data") as site, AsyncExitStack() as stack:
        watch = Watch(site.url)
        people = {each["who"] for each in steps() if "who" in each}
        windows = {each: await stack.enter_async_context(window(browser, watch, DESK)) for each in people}
        carried = {"the dashboard": site.url, "the admin key": site.world.keys["operator"]}
        yield Walk(windows=windows, folder=folder, carried=carried)
        watch.done()


async def follow(walk: Walk, pictures: Path | None = None) -> None:
    """Do what the page says; where `pictures` is a folder, also take its pictures."""
    for each in steps():
        walk.who = each.get("who", walk.who)
        for match, act in deeds(each.get("step", "")):
            try:
                await act(walk, *match.groups())
            except Exception as error:
                error.add_note(f"at: {each['step']}\n{walk.page.url}")
                raise
        if "picture" in each and pictures is not None:
            await walk.page.screenshot(path=pictures / each["picture"])
