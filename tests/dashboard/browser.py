"""A real browser, and a watch over everything that goes wrong in its pages."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    Response,
    WebError,
    async_playwright,
)

PATIENCE_MS = 10_000
_HEIGHTS = {360: 740, 1440: 900}
# What the browser says of an answer that failed is told better by the answer itself.
_TOLD_TWICE = "Failed to load resource: the server responded with a status of"


def chromium() -> Path:
    """Where Chromium is; without it a test is skipped, but fails on CI where it could have been installed."""
    found = shutil.which("chromium")
    if found is not None:
        return Path(found)
    wanted = "this test needs Chromium: make browser, as root on Debian, or apt-get install chromium"
    if os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        pytest.fail(wanted)
    pytest.skip(wanted)


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A browser that shows its windows to nobody."""
    executable = chromium()
    async with async_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
        browser = await playwright.chromium.launch(executable_path=executable, args=options)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How somebody looks at a page."""

    width: int = 1440
    theme: str = "light"
    has_scripts: bool = True

    def __str__(self) -> str:
        return f"{self.width}-{self.theme}"


DESK = View()
PHONE = View(width=360, theme="dark")
VIEWS = (DESK, replace(DESK, theme="dark"), replace(PHONE, theme="light"), PHONE)


@dataclass
class Watch:
    """Remembers what went wrong in pages, and what they asked of the person.

    `expected` are the statuses of failures that a test brings about; `agrees` is the answer to questions.
    """

    origin: str
    expected: set[int] = field(default_factory=set)
    agrees: bool = False
    problems: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    async def over(self, context: BrowserContext) -> None:
        """Watch every page of `context`."""
        context.set_default_timeout(PATIENCE_MS)
        # Hostile text of the tests calls this where a page lets it run, whatever page is shown afterwards.
        await context.expose_function("bylawRan", self._ran)
        context.on("console", self._heard)
        context.on("weberror", self._threw)
        context.on("request", self._requested)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.on("dialog", self._questioned)

    def done(self) -> None:
        """Fail the test when something went wrong."""
        assert self.ran == [], "what a caller wrote ran as a script"
        assert self.problems == [], "\n".join(self.problems)

    def forget(self) -> None:
        """Begin anew."""
        self.ran.clear()
        self.problems.clear()

    def _ran(self, what: object) -> None:
        self.ran.append(str(what))

    def _threw(self, error: WebError) -> None:
        self.problems.append(f"script failed: {error.error}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_TOLD_TWICE):
            self.problems.append(f"console {message.type}: {message.text}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:")):
            self.problems.append(f"asked somebody else: {request.url}")

    def _failed(self, request: Request) -> None:
        # What a page no longer needs when it is left is no failure: a live stream, an overtaken search.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.problems.append(f"{response.request.method} {response.url}: {response.status}")

    async def _questioned(self, dialog: Dialog) -> None:
        self.asked.append(dialog.message)
        await (dialog.accept() if self.agrees else dialog.dismiss())


async def resize(page: Page, view: View) -> None:
    """Look at a page that is open in another way."""
    await page.set_viewport_size({"width": view.width, "height": _HEIGHTS[view.width]})
    await page.emulate_media(color_scheme=view.theme)


@asynccontextmanager
async def window(browser: Browser, watch: Watch, view: View) -> AsyncIterator[Page]:
    """A page of somebody's own browser: without cookies, and watched."""
    context = await browser.new_context(
        base_url=watch.origin,
        viewport={"width": view.width, "height": _HEIGHTS[view.width]},
        color_scheme=view.theme,
        java_script_enabled=view.has_scripts,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    try:
        await watch.over(context)
        yield await context.new_page()
    finally:
        await context.close()
