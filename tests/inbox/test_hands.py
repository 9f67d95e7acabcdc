"""Who sees to what waits for people, and what they say about it, on one server."""

import pytest
import pytest_asyncio

from bylaw import settings
from bylaw.app import build
from bylaw.core.paging import Slice
from tests.api.conftest import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = {"phase": "tool_call", "tool_call": {"name": "pay", "arguments": {}}, "workspace_id": "w"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory):
    """A server on which Ada and Grace may act in workspace w, Linus only looks and Eve is in v."""
    async with build(settings.build(data=tmp_path_factory.mktemp("office"))) as app:
        world = World(app=app, keys={"operator": app.admin_key or "", "admin": app.admin_key or ""})
        for name in ("w", "v"):
            await world.make("/v1/workspaces", {"id": name, "name": name})
        people = (
            ("ada", "w", "WRITE"),
            ("grace", "w", "WRITE"),
            ("linus", "w", "READ"),
            ("eve", "v", "WRITE"),
        )
        for name, workspace, role in people:
            await person(world, name, workspace, role)
        await world.make("/v1/policies", {"name": "h", "rules": [{"expr": "false"}], "action": "review"})
        yield world


async def person(world, name, workspace, role):
    await world.make("/v1/users", {"id": name, "email": f"{name}@example.com", "name": name.title()})
    await world.make(f"/v1/users/{name}/workspaces/{workspace}", {"role": role}, method="PUT")
    key = {"name": name, "scopes": ["admin"], "user_id": name}
    world.keys[name] = (await world.make("/v1/keys", key))["key"]


@pytest.fixture(params=["approvals", "attention"])
def kind(request):
    return request.param


async def waiting(office, kind="approvals"):
    """The path of something new that waits in workspace w."""
    asked = CALL if kind == "approvals" else {"phase": "output", "agent_output": "x", "workspace_id": "w"}
    made = await office.make("/v1/decisions", asked)
    noun = "approval" if kind == "approvals" else "attention"
    ident = next(each["id"] for each in made["obligations"] if each["kind"] == noun)
    office.ids["receipt"] = made["receipt_id"]
    return f"/v1/{kind}/{ident}"


async def give(office, path, user, caller="grace", **options):
    return await office.send(caller, "PUT", f"{path}/assignee", json={"user_id": user}, **options)


async def read(office, path, caller="grace"):
    found = await office.send(caller, "GET", path)
    assert found.status_code == 200, found.text
    return found.json()


async def thread(office, path):
    told = (await read(office, f"{path}/thread"))["data"]
    hands = [each["assignee"] and each["assignee"]["id"] for each in told]
    return [(each["kind"], each["author"], had, each["text"]) for each, had in zip(told, hands, strict=True)]


async def test_a_thing_goes_from_hand_to_hand_and_its_thread_tells(office, kind):
    path = await waiting(office, kind)
    assert (await read(office, path))["assignee"] is None
    assert (await give(office, path, "ada")).json()["assignee"] == {"id": "ada", "name": "Ada"}
    assert (await give(office, path, "grace", "ada")).status_code == 200
    let_go = await office.send("grace", "DELETE", f"{path}/assignee")
    assert let_go.json()["assignee"] is None
    assert await thread(office, path) == [
        ("unassigned", "user:grace", "grace", None),
        ("assigned", "user:ada", "grace", None),
        ("assigned", "user:grace", "ada", None),
    ]


async def test_giving_it_again_changes_nothing(office):
    path = await waiting(office)
    first, again = await give(office, path, "ada"), await give(office, path, "ada")
    assert first.headers["etag"] == again.headers["etag"]
    assert len(await thread(office, path)) == 1


async def test_of_two_who_take_it_the_second_is_told(office, kind):
    path = await waiting(office, kind)
    seen = {"if-match": (await office.send("ada", "GET", path)).headers["etag"]}
    assert (await give(office, path, "ada", "ada", headers=seen)).status_code == 200
    late = await give(office, path, "grace", "grace", headers=seen)
    assert late.status_code == 412
    assert (await read(office, path))["assignee"]["id"] == "ada"


async def test_whoever_answers_what_changed_hands_meanwhile_is_told(office, kind):
    path = await waiting(office, kind)
    seen = {"if-match": (await office.send("ada", "GET", path)).headers["etag"]}
    await give(office, path, "grace")
    verb = "approve" if kind == "approvals" else "resolve"
    assert (await office.send("ada", "POST", f"{path}/{verb}", headers=seen)).status_code == 412


@pytest.mark.parametrize(
    ("user", "code"), [("linus", "may_not_act"), ("eve", "may_not_act"), ("x", "unknown_user")]
)
async def test_nobody_gets_what_they_may_not_see_to(office, user, code):
    refused = await give(office, await waiting(office), user)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["path"], error["code"]) == ("user_id", code)


async def test_whoever_only_looks_gives_and_says_nothing(office):
    path = await waiting(office)
    assert (await give(office, path, "ada", "linus")).status_code == 403
    assert (await office.send("linus", "POST", f"{path}/comments", json={"text": "x"})).status_code == 403
    assert (await read(office, f"{path}/thread", "linus"))["data"] == []
    assert (await office.send("eve", "GET", f"{path}/thread")).status_code == 404
    assert (await give(office, path, "eve", "eve")).status_code == 404


async def test_what_nobody_waits_for_is_not_given_and_stays_with_whoever_had_it(office, kind):
    path = await waiting(office, kind)
    await give(office, path, "ada")
    await office.make(f"{path}/{'refuse' if kind == 'approvals' else 'resolve'}", {})
    refused = await give(office, path, "grace")
    assert (refused.status_code, refused.json()["reason"]) == (409, "closed")
    assert (await read(office, path))["assignee"]["id"] == "ada"


async def test_comments_are_counted_told_and_kept_as_they_are_said(office):
    path = await waiting(office)
    for text in ("  One.\nTwo. ", "Three"):
        await office.make(f"{path}/comments", {"text": text}, "ada")
    assert (await read(office, path))["comments"] == 2
    assert [each[3] for each in await thread(office, path)] == ["Three", "One.\nTwo."]
    first = await read(office, f"{path}/thread?limit=1")
    second = await read(office, f"{path}/thread?limit=1&cursor={first['next_cursor']}")
    assert [each["text"] for each in (*first["data"], *second["data"])] == ["Three", "One.\nTwo."]
    assert second["next_cursor"] is None
    for text, code in ((" \n ", "required"), ("x" * 4001, "too_long")):
        refused = await office.send("ada", "POST", f"{path}/comments", json={"text": text})
        assert refused.json()["errors"][0]["code"] == code


async def test_a_comment_that_is_sent_again_is_said_once(office):
    path = await waiting(office)
    sent = {"json": {"text": "Once"}, "headers": {"idempotency-key": path}}
    told = [await office.send("ada", "POST", f"{path}/comments", **sent) for _ in range(2)]
    assert [each.json()["text"] for each in told] == ["Once", None]  # what is kept has no words
    assert (await read(office, path))["comments"] == 1


async def test_lists_are_narrowed_to_ones_own_and_to_what_nobody_has(office, kind):
    mine, nobodys = await waiting(office, kind), await waiting(office, kind)
    await give(office, mine, "ada")
    await office.make(f"{mine}/comments", {"text": "Mine."}, "ada")

    async def listed(query):
        data = (await read(office, f"/v1/{kind}?limit=500&{query}"))["data"]
        return {f"/v1/{kind}/{each['id']}": each for each in data}

    assert (await listed("assignee_id=ada"))[mine]["comments"] == 1
    assert mine in await listed("is_assigned=true")
    found = await listed("is_assigned=false")
    assert nobodys in found
    assert mine not in found
    assert nobodys not in await listed("assignee_id=ada")


@pytest.mark.parametrize("loss", ["role", "leaving"])
async def test_whoever_may_not_act_any_more_loses_what_waits_and_nothing_else(office, kind, loss):
    name = f"{kind}-{loss}"
    await person(office, name, "w", "WRITE")
    waits, done = await waiting(office, kind), await waiting(office, kind)
    for path in (waits, done):
        await give(office, path, name)
    await office.make(f"{done}/{'refuse' if kind == 'approvals' else 'resolve'}", {})
    if loss == "role":
        await office.make(f"/v1/users/{name}/workspaces/w", {"role": "READ"}, method="PUT")
    else:
        await office.send("admin", "DELETE", f"/v1/users/{name}")
    assert (await read(office, waits))["assignee"] is None
    assert (await thread(office, waits))[0] == ("unassigned", "system:bylaw", name, None)
    (last, _) = (await read(office, f"{waits}/thread"))["data"]
    assert last["assignee"]["name"] == name.title()
    assert (await read(office, done))["assignee"]["id"] == name
    assert (await give(office, waits, name)).status_code == 422


async def test_what_points_to_a_held_call_has_no_hands_of_its_own(office):
    await waiting(office, "approvals")
    (shadow,) = (await read(office, f"/v1/attention?receipt_id={office.ids['receipt']}"))["data"]
    refused = await give(office, f"/v1/attention/{shadow['id']}", "ada")
    assert (refused.status_code, refused.json()["reason"]) == (409, "held_call")


async def test_words_are_erased_with_what_was_asked(office):
    path = await waiting(office)
    await give(office, path, "ada")
    await office.make(f"{path}/comments", {"text": "They said: 4111 1111"}, "ada")
    assert (
        await office.send("admin", "DELETE", f"/v1/receipts/{office.ids['receipt']}/body")
    ).status_code == 200
    assert await thread(office, path) == [
        ("comment", "user:ada", None, None),
        ("assigned", "user:grace", "ada", None),
    ]


async def test_the_log_says_who_did_it_and_never_what_was_said(office):
    path = await waiting(office)
    await give(office, path, "ada")
    await office.make(f"{path}/comments", {"text": "A secret"}, "ada")
    ident = path.rpartition("/")[2]
    told = (await read(office, f"/v1/events?id={ident}", "admin"))["data"]
    assert [(each["word"], each["author"], each["workspace_id"]) for each in told] == [
        ("commented", "user:ada", "w"),
        ("assigned", "user:grace", "w"),
    ]
    receipt = await read(office, f"/v1/receipts/{told[0]['receipt_id']}", "admin")
    assert "A secret" not in str(receipt)


async def test_everybody_who_may_act_in_a_place_is_found_by_those_who_may(office):
    found = await read(office, "/v1/inbox/people?workspace_id=v", "eve")
    assert {"id": "eve", "name": "Eve"} in found["data"]
    assert {"ada", "linus"}.isdisjoint(each["id"] for each in found["data"])
    assert (await office.send("linus", "GET", "/v1/inbox/people?workspace_id=w")).status_code == 403
    assert (await office.send("eve", "GET", "/v1/inbox/people?workspace_id=w")).status_code == 403


async def test_webhooks_are_told_into_whose_hands_it_goes(office, kind):
    wanted = {"url": "https://hooks.example.com/", "types": [f"{kind.removesuffix('s')}.assigned"]}
    hook = await office.make("/v1/webhooks", wanted)
    path = await waiting(office, kind)
    await give(office, path, "ada")
    await office.send("ada", "DELETE", f"{path}/assignee")
    await office.make(f"{path}/comments", {"text": "x"}, "ada")
    async with office.app.stores.control.begin("default", writes=False) as unit:
        told = [each.data for each in (await unit.notify.notices.since(0, Slice(limit=50))).items]
    told = [each for each in told if each["id"] == path.rpartition("/")[2]]
    assert sorted((str(each["assignee"]), each["by"], each["workspace_id"]) for each in told) == [
        ("None", "user:ada", "w"),
        ("ada", "user:grace", "w"),
    ]
    await office.send("admin", "DELETE", f"/v1/webhooks/{hook['id']}")
