"""What callers wrote is text on every page, whatever it looks like."""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.dashboard import walking
from tests.dashboard.browser import PHONE, Watch, window
from tests.dashboard.hostile import HOSTILE

# What only text that became a part of the page would bring.
_INJECTED = """
() => [...document.querySelectorAll(
  "iframe, base, animate, [onload], [onerror], [onfocus], [onmouseover], [onbegin], [hx-on\\\\:click]"
  + ", [hx-nonce=''], a[href^='javascript'], a[href^='data:'], [href^='https://elsewhere'], [action^='https://elsewhere']"
)].map(each => each.outerHTML.slice(0, 200))
"""


async def written(world, text, number):
    """What somebody hostile can write, all of it `text`; return the ids of what took it."""
    rules = [{"expr": "true", "id": "r", "message": text}]
    call = {"name": text, "arguments": {text: text}}
    asked = {
        "workspace_id": "w1",
        "phase": "tool_call",
        "tool_call": call,
        "agent_id": text,
        "user_intent": text,
    }
    made = {}
    for name, path, body in (
        ("policy_id", "/v1/policies", {"name": text, "rules": rules, "workspace_id": "w1", "topic": text}),
        ("entry_id", "/v1/policies", {"name": text, "rules": [{"text": text}], "workspace_id": "w1"}),
        ("agent_id", "/v1/agents", {"id": f"agent/{number}", "name": text, "workspace_id": "w1"}),
        ("user_id", "/v1/users", {"email": f"{number}@example.com", "name": text}),
        ("key_id", "/v1/keys", {"name": text, "scopes": ["policy:read"]}),
        ("workspace_id", "/v1/workspaces", {"id": f"hostile-{number}", "name": text}),
        ("repo_id", "/v1/workspaces/w1/repos", {"name": text}),
        ("conversation_id", "/api/conversations", {"workspaceId": "w1", "contactName": text}),
        ("receipt_id", "/v1/decisions", asked),
    ):
        answer = await world.send("admin", "POST", path, json=body)
        assert answer.status_code in {200, 201, 202, 400, 422}, answer.text
        if answer.status_code < 300:
            made[name] = answer.json()["receipt_id" if name == "receipt_id" else "id"]
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def held(site):
    """The ids of what holds hostile text, beside those of the rest."""
    made = [await written(site.world, text, number) for number, text in enumerate(HOSTILE.values())]
    taken = {name for each in made for name in each}
    assert taken >= {"policy_id", "agent_id", "user_id", "key_id", "workspace_id", "repo_id", "receipt_id"}
    return {**site.world.ids, **made[list(HOSTILE).index("end of a double-quoted attribute")]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watch(site):
    return Watch(site.url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser, site, watch):
    async with window(browser, watch, PHONE) as opened:
        await site.sign_in(opened.context)
        yield opened


@pytest.mark.parametrize("shown", walking.SHOWN, ids=lambda each: each.path)
async def test_hostile_text_stays_text(page, watch, held, shown):
    watch.forget()
    await page.goto(walking.address(shown.path, held))
    assert await page.evaluate(_INJECTED) == []
    assert await walking.sideways(page) == []
    watch.done()


async def test_what_looks_like_code_is_shown_as_it_was_written(page, held):
    await page.goto("/policies?status=approved")
    for name in ("htmx", "template", "entities", "not Latin"):
        await expect(page.get_by_role("link", name=HOSTILE[name], exact=True).first).to_be_visible()
    await page.goto(f"/policies/{held['policy_id']}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=/x onerror=")
