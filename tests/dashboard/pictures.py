"""Take the pictures of the documentation: `python -m tests.dashboard.pictures`, or `make screenshots`."""

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page

from tests.dashboard.browser import DESK, Watch, launched, window
from tests.dashboard.demo import MARA, Firm, northwind
from tests.dashboard.palette import shrunk
from tests.dashboard.serving import COOKIE
from tests.dashboard.tutorial import PAGE, Walk, deeds, follow, setting_out, steps
from tests.dashboard.walking import address
from tests.docs.pages import ROOT

SIZE: Final = {"width": 1120, "height": 720}
PHONE: Final = {"width": 360, "height": 640}
TALLEST: Final = 800
SCREENS: Final = ROOT / "docs" / "reference" / "dashboard.md"
FOLDER: Final = PAGE.parent / "screenshots"


async def take() -> None:
    """Take each picture where it stands on the pages."""
    with tempfile.TemporaryDirectory() as folder:
        async with launched() as browser:
            async with setting_out(browser, Path(folder) / "tutorial") as walk:
                for page in walk.windows.values():
                    await page.set_viewport_size(SIZE)
                await follow(walk, FOLDER)
            async with northwind(Path(folder) / "screens") as firm:
                await show(browser, firm)
            blank = await browser.new_page()
            for path, picture in _taken().items():
                _keep(path, await shrunk(blank, picture))


async def show(browser: Browser, firm: Firm) -> None:
    """Take the pictures of each screen, as Mara sees it, or a stranger where nobody signs in."""
    watch = Watch(firm.site.url)
    async with window(browser, watch, DESK) as mara, window(browser, watch, DESK) as stranger:
        session = {"name": COOKIE, "value": firm.site.world.keys[MARA], "url": firm.site.url}
        await mara.context.add_cookies([session])
        walk = Walk(windows={"Mara": mara, "": stranger}, folder=FOLDER, carried={})
        for each in steps(SCREENS):
            if "address" in each:
                walk.who = "" if re.match(r"/(sign-in|setup|r/)", each["address"]) else "Mara"
                await walk.page.set_viewport_size(SIZE)
                await walk.page.goto(address(each["address"], firm.ids))
            for match, act in deeds(each.get("step", "")):
                await act(walk, *match.groups())
            if "picture" in each:
                await _take(walk.page, FOLDER / each["picture"])
    watch.done()


async def _take(page: Page, path: Path) -> None:
    """Take a picture of what is seen, or as far down as the page goes when it was not scrolled.

    It is taken in the dark or as on a phone where its name says so.
    """
    is_phone, is_dark = "phone" in path.stem, "dark" in path.stem
    await page.emulate_media(color_scheme="dark" if is_dark else "light")
    await page.evaluate("() => document.activeElement?.blur()")
    if await page.evaluate("() => scrollY"):
        await page.screenshot(path=path)
        return
    await page.set_viewport_size(PHONE if is_phone else {**SIZE, "height": 360})
    height = await page.evaluate("() => document.documentElement.scrollHeight")
    size = PHONE if is_phone else {**SIZE, "height": min(height, TALLEST)}
    await page.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, **size})


def _taken() -> dict[Path, bytes]:
    return {each: each.read_bytes() for each in sorted(FOLDER.glob("*.png"))}


def _keep(path: Path, picture: bytes) -> None:
    path.write_bytes(picture)


if __name__ == "__main__":
    asyncio.run(take())
