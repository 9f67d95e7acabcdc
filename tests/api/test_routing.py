"""Decisions that find their topics themselves, over HTTP."""

from functools import partial

import pytest
import pytest_asyncio

from bylaw import settings
from bylaw.app import build
from bylaw.search.embedder import embedded
from bylaw.search.embedding import embed_waiting
from tests.api.conftest import World, populate

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID = {"user_intent": "What does shipping my parcel cost?", "workspace_id": "w2"}
ROUTED = {**SAID, "route": True}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    async with build(settings.build(data=tmp_path_factory.mktemp("server"))) as app:
        made = World(app=app)
        await populate(made)
        for name, topic, action in (
            ("Shipping costs", "shipping", "alert"),
            ("Careers and job applications", "careers", "alert"),
            ("Passwords are never asked for", "passwords", "block"),
        ):
            rules = [{"text": f"Be kind when it is about {topic}."}]
            body = {"name": name, "topic": topic, "action": action, "rules": rules, "workspace_id": "w2"}
            await made.make("/v1/policies", body)
        yield made


async def embed(world):
    async def told(_done, _total):
        return None

    begin = partial(world.app.stores.control.begin, "acme")
    await embed_waiting(begin, embedded(), progress=told)


@pytest_asyncio.fixture(loop_scope="module")
async def compared(world):
    """That server once it can compare everything."""
    await embed(world)
    return world


def names(decision):
    own = {"Shipping costs", "Careers and job applications", "Passwords are never asked for"}
    return {each["name"] for each in decision["policies"]} & own


async def test_nothing_is_left_out_until_everything_is_compared(world):
    plain = await world.make("/v1/decisions", SAID)
    assert "routed" not in plain
    decision = await world.make("/v1/decisions", ROUTED)
    assert decision["routed"]["why"].startswith("Not embedded yet")
    assert "topics" not in decision["routed"]
    assert names(decision) == names(plain)
    assert len(names(plain)) == 3


async def test_a_routed_decision_leaves_out_other_topics_and_can_be_read_again(compared):
    decision = await compared.make("/v1/decisions", ROUTED)
    assert decision["routed"]["topics"] == ["shipping"]
    assert names(decision) == {"Shipping costs", "Passwords are never asked for"}
    kept = (await compared.send("admin", "GET", f"/v1/decisions/{decision['receipt_id']}")).json()
    assert kept["routed"] == decision["routed"]
    why = (await compared.send("admin", "GET", f"/v1/decisions/{decision['receipt_id']}/explain")).json()
    missed = {each["id"]: each["reason"] for each in why["why_not"]}
    left = await compared.send("admin", "GET", "/v1/policies?topic=careers")
    assert missed[left.json()["data"][0]["id"]] == "topic"


async def test_what_was_recorded_is_decided_the_same_where_nobody_compares(compared):
    decision = await compared.make("/v1/decisions", ROUTED)
    again = await compared.make("/v1/decisions", {**ROUTED, "routed": decision["routed"]})
    assert names(again) == names(decision)
    assert again["effective_rules_digest"] == decision["effective_rules_digest"]


async def test_a_batch_and_an_explanation_are_routed_too(compared):
    batch = await compared.make("/v1/decisions:batch", {"requests": [ROUTED, SAID]})
    routed, plain = (each["decision"] for each in batch["results"])
    assert (len(names(routed)), len(names(plain))) == (2, 3)
    told = await compared.make("/v1/decisions:explain", ROUTED)
    assert "topic" in {each["reason"] for each in told["why_not"]}


async def test_a_repeated_key_gets_the_decision_that_was_made(compared):
    sent = {"json": ROUTED, "headers": {"idempotency-key": "once"}}
    first = await compared.send("admin", "POST", "/v1/decisions", **sent)
    again = await compared.send("admin", "POST", "/v1/decisions", **sent)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")


async def test_a_place_without_anything_like_it_leaves_nothing_out(compared):
    decision = await compared.make("/v1/decisions", {**ROUTED, "user_intent": "zebra quantum saxophone"})
    assert decision["routed"]["why"]
    assert len(names(decision)) == 3


async def test_a_corrected_conversation_leads_where_it_was_corrected_to(compared):
    said = "Nobody answers, and the job I was promised is gone"
    asked = {**ROUTED, "user_intent": said}
    before = await compared.make("/v1/decisions", asked)
    careers = (await compared.send("admin", "GET", "/v1/policies?topic=careers")).json()["data"][0]["id"]
    shipping = (await compared.send("admin", "GET", "/v1/policies?topic=shipping")).json()["data"][0]["id"]
    lesson = {"said": [said], "policy_ids": [shipping], "workspace_id": "w2"}
    lesson["receipt_id"] = before["receipt_id"]
    made = await compared.make("/v1/route/corrections", lesson)
    assert (made["result"], made["corrections"][0]["policy_id"]) == ("stored", shipping)
    assert (await compared.make("/v1/route/corrections", lesson))["result"] == "unchanged"
    await embed(compared)
    decision = await compared.make("/v1/decisions", asked)
    assert decision["routed"]["topics"] == ["shipping"]
    assert names(decision) == {"Shipping costs", "Passwords are never asked for"}
    near = await compared.make("/v1/route", {"said": [said + "!"], "workspace_id": "w2"})
    assert near["chosen"] == ["shipping"]
    listed = (await compared.send("admin", "GET", f"/v1/route/corrections?policy_id={shipping}")).json()[
        "data"
    ]
    assert [each["text"] for each in listed] == [said]
    none = (await compared.send("admin", "GET", f"/v1/route/corrections?policy_id={careers}")).json()["data"]
    assert none == []
    erased = await compared.send("admin", "DELETE", f"/v1/receipts/{before['receipt_id']}/body")
    assert erased.status_code == 200
    listed = (await compared.send("admin", "GET", f"/v1/route/corrections?policy_id={shipping}")).json()[
        "data"
    ]
    assert listed == []
    assert (await compared.make("/v1/decisions", asked))["routed"].get("topics") != ["shipping"]


async def test_a_workspace_can_have_all_its_decisions_find_their_topics(compared):
    assert "routed" not in await compared.make("/v1/decisions", SAID)
    changed = await compared.make("/v1/workspaces/w2", {"route_decisions": True}, method="PATCH")
    assert changed["route_decisions"] is True
    decision = await compared.make("/v1/decisions", SAID)
    assert decision["routed"]["topics"] == ["shipping"]
    kept = (await compared.send("admin", "GET", f"/v1/decisions/{decision['receipt_id']}")).json()
    assert kept["routed"] == decision["routed"]
    given = await compared.make("/v1/decisions", {**SAID, "topics": ["careers"]})
    assert "routed" not in given
    elsewhere = await compared.make("/v1/decisions", {**SAID, "workspace_id": "w1"})
    assert "routed" not in elsewhere
    await compared.make("/v1/workspaces/w2", {"route_decisions": False}, method="PATCH")
    assert "routed" not in await compared.make("/v1/decisions", SAID)
