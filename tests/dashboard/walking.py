"""Every page that the dashboard has, and what holds of each, asked of the page as the browser shows it."""

import re
from collections.abc import Mapping

from playwright.async_api import Page

from bylaw.dashboard.site import PAGES

SHOWN = [each for each in PAGES if each.method == "GET" and not each.is_file]
SENT = [each for each in PAGES if each.method == "POST" and each.is_for_people]

# Elements that a keyboard reaches; of the radio buttons of a group it reaches one.
_REACHED = """
[...document.querySelectorAll("a[href], area[href], button, input, select, textarea, summary, [tabindex]")]
  .filter(each => each.tabIndex >= 0 && !each.disabled && each.type !== "hidden" && each.checkVisibility())
"""
_SIDEWAYS = """
() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const scrolls = each => each && each !== document.body
    && (getComputedStyle(each).overflowX !== "visible" || scrolls(each.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter(each => each.getBoundingClientRect().right > room + 1 && !scrolls(each.parentElement))
    .map(each => each.outerHTML.slice(0, 120));
}
"""
_UNSEEN = f"""
() => {_REACHED}.filter(each => {{
  each.focus({{focusVisible: true}});
  const style = getComputedStyle(each);
  const isOutlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  return document.activeElement === each && !isOutlined && style.boxShadow === "none";
}}).map(each => each.outerHTML.slice(0, 120))
"""
_OUT_OF_ORDER = "() => [...document.querySelectorAll('[tabindex]')].filter(each => each.tabIndex > 0).length"
_SCRIPTED = """
() => [...document.querySelectorAll("form, button, a, input, select, textarea")].filter(each => {
  const verbs = ["get", "post", "put", "patch", "delete"];
  if (!verbs.some(verb => each.hasAttribute(`hx-${verb}`))) return false;
  return !(each.hasAttribute("href") || (each.form ?? each.closest("form"))?.hasAttribute("action"));
}).map(each => each.outerHTML.slice(0, 120))
"""


def address(path: str, ids: Mapping[str, str]) -> str:
    """The address of a page about what `ids` name: by the name of the parameter, or what stands before it."""

    held = {"pack": "starter", **ids}

    def filled(match: re.Match[str]) -> str:
        before, name = match.groups()
        thing = f"{before[:-3]}y" if before.endswith("ies") else before.removesuffix("s")
        found = held.get(name) or held.get(f"{thing}_id")
        assert found, f"tests/api/conftest.py makes nothing for {name} of {path}"
        return f"{before}/{found}"

    return re.sub(r"(\w+)/\{(\w+)(?::\w+)?\}", filled, path)


async def sideways(page: Page) -> list[str]:
    """What sticks out of a page that scrolls to the side."""
    return await page.evaluate(_SIDEWAYS)


async def without_focus(page: Page) -> list[str]:
    """What a keyboard reaches and does not show it."""
    return await page.evaluate(_UNSEEN)


async def out_of_order(page: Page) -> int:
    """How many elements a keyboard reaches before those that stand before them."""
    return await page.evaluate(_OUT_OF_ORDER)


async def scripted_alone(page: Page) -> list[str]:
    """What does nothing where scripts are turned off."""
    return await page.evaluate(_SCRIPTED)


async def reached(page: Page) -> int:
    """How many elements a keyboard reaches."""
    return await page.evaluate(f"() => {_REACHED}.length")


async def focused(page: Page) -> int:
    """Which of these has the focus, counted from 0; -1 for none."""
    return await page.evaluate(f"() => {_REACHED}.indexOf(document.activeElement)")
