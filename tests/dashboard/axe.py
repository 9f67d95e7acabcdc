"""What axe finds against WCAG 2.2 AA in a page as the browser shows it."""

from functools import cache
from pathlib import Path

from playwright.async_api import Page

_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = """
(rules) => axe.run(document, {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"]})
  .then(({violations}) => violations.flatMap(({id, help, nodes}) => nodes.map(
    ({target, failureSummary}) => `${id} (${help})\\n  at ${target.join(" ")}\\n  ${failureSummary}`)))
"""


@cache
def _source() -> str:
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")


async def objections(page: Page) -> list[str]:
    """What is wrong for people who see, hear or move otherwise, one entry for each element."""
    await page.evaluate(_source())
    return await page.evaluate(_RUN, _RULES)


async def assert_accessible(page: Page) -> None:
    found = await objections(page)
    assert found == [], f"{page.url}\n" + "\n".join(found)
