"""What axe finds against WCAG 2.2 AA in a page as the browser shows it."""

from functools import cache
from pathlib import Path

from playwright.async_api import Page

_ALL = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
# What depends on the width and the theme.
_OF_THE_VIEW = {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]}
_RUN = """
(rules) => axe.run(document, {runOnly: rules, resultTypes: ["violations"]})
  .then(({violations}) => violations.flatMap(({id, help, nodes}) => nodes.map(
    ({target, failureSummary}) => `${id} (${help})\\n  at ${target.join(" ")}\\n  ${failureSummary}`)))
"""


@cache
def _source() -> str:
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")


async def objections(page: Page, *, again: bool = False) -> list[str]:
    """What is wrong for people who see, hear or move otherwise, one entry for each element.

    `again`: the page was tried before in another view, and only what depends on the view is tried.
    """
    if not again:
        await page.evaluate(_source())
    return await page.evaluate(_RUN, _OF_THE_VIEW if again else _ALL)


async def assert_accessible(page: Page, *, again: bool = False) -> None:
    found = await objections(page, again=again)
    assert found == [], f"{page.url}\n" + "\n".join(found)
