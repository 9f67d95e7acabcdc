"""After an edit the next page says what is true now: its counts, what is in force, and what is found."""

import re

import pytest_asyncio

from tests.dashboard.lessons import reader

RULES = [{"id": "r1", "expr": "tool_call.arguments.amount < 5000"}]


@pytest_asyncio.fixture(loop_scope="session")
async def somebody(site):
    """Acme's administrator, without scripts."""
    async with reader(site) as found:
        yield found


async def then(somebody, path, fields):
    """The page that a form of the page at `path` leads to."""
    sent = await somebody.send(path, fields)
    assert sent.status_code == 303, sent.text
    return (await somebody.open(sent.headers["location"])).text


async def numbers(somebody):
    """How many policies there are and how many wait, as the tabs of their list say."""
    tabs = (await somebody.open("/policies")).text.partition('class="tabs"')[2].partition("</nav>")[0]
    return tuple(int(each) for each in re.findall(r'class="badge[^"]*">(\d+)<', tabs))


async def in_force(somebody):
    """What the overview says of how many policies are in force where, and what they do."""
    page = (await somebody.client.get("/", headers={"accept": "text/html"})).text
    card = page.partition('aria-labelledby="in-force">')[2].partition("</section>")[0]
    return re.sub(r"<[^>]+>|\s+", " ", card)


async def test_a_saved_policy_is_in_force_counted_and_found_at_once(somebody):
    every, waiting = await numbers(somebody)
    before = await in_force(somebody)
    saved = {
        "name": "Zebra crossing",
        "place": "w1",
        "reach": "place",
        "risk": "LOW",
        "action": "block",
        "rule.0.kind": "nl",
        "rule.0.text": "Never promise a quokka.",
        "do": "save",
    }
    page = await then(somebody, "/policies/new", saved)
    assert "It is in force now" in page
    assert await numbers(somebody) == (every + 1, waiting)
    assert await in_force(somebody) != before
    assert "Zebra crossing" in (await somebody.open("/policies?q=quokka")).text
    path = re.search(r'href="(/policies/[^"/]+)/edit', page).group(1)
    page = await then(somebody, path, {"do": "deactivate"})
    assert "Switch on" in page
    assert await in_force(somebody) == before
    await then(somebody, path, {"do": "delete"})
    assert await numbers(somebody) == (every, waiting)
    assert "Zebra crossing" not in (await somebody.open("/policies?q=quokka")).text
    assert "Zebra crossing" in (await somebody.open("/policies?tab=deleted")).text


async def test_what_is_approved_waits_no_longer_and_is_in_force(site, somebody):
    body = {"name": "Waits", "rules": RULES, "workspace_id": "w1", "status": "pending_review"}
    made = await site.world.make("/v1/policies", body)
    every, waiting = await numbers(somebody)
    before = await in_force(somebody)
    await then(somebody, f"/review/{made['id']}", {"decision": "approve"})
    assert await numbers(somebody) == (every, waiting - 1)
    assert await in_force(somebody) != before
    assert f"/review/{made['id']}" not in (await somebody.open("/review")).text


async def test_what_is_brought_back_is_what_the_policy_says(site, somebody):
    made = await site.world.make("/v1/policies", {"name": "Limit", "rules": RULES, "workspace_id": "w1"})
    path = f"/policies/{made['id']}"
    lower = {"rules": [{"id": "r1", "expr": "tool_call.arguments.amount < 4000"}]}
    await site.world.make(f"/v1{path}", lower, method="PATCH")
    assert "4000" in (await somebody.open(path)).text
    page = await then(somebody, f"{path}/versions/1", {"reason": "Too strict."})
    assert "checked against version 3" in page
    assert "5000" in page.partition('id="history"')[0]


async def test_an_agent_is_enforced_on_as_soon_as_a_policy_is_bound_and_no_longer_when_it_is_not(
    site, somebody
):
    body = {"name": "Bound", "rules": RULES, "reach": "bound"}
    policy = await site.world.make("/v1/policies", body)
    await site.world.make("/v1/agents", {"id": "free"})
    loose = (await somebody.open("/agents?q=free")).text
    assert "no policy governs it" in loose
    page = await then(somebody, "/agents/free", {"do": "bind", "policy_id": policy["id"]})
    assert "No policy governs this agent" not in page
    assert "no policy governs it" not in (await somebody.open("/agents?q=free")).text
    await site.world.make(f"/v1/policies/{policy['id']}/deactivate", {})
    assert "The bound policy is not in force" in (await somebody.open("/agents/free")).text
    await site.world.make(f"/v1/policies/{policy['id']}/activate", {})
    page = await then(somebody, "/agents/free", {"do": "bind", "policy_id": ""})
    assert "No policy governs this agent" in page


async def test_the_policies_of_a_pack_are_listed_and_in_force_once_it_is_applied(somebody):
    every, _ = await numbers(somebody)
    before = await in_force(somebody)
    page = await then(somebody, "/settings/packs/shipped/starter", {"reason": "A start."})
    assert "The pack is applied" in page
    assert (await numbers(somebody))[0] > every
    assert await in_force(somebody) != before
