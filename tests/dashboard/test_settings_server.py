"""Settings of the server: evaluators, webhooks, packs, the audit log, jobs, connections, keys that sign."""

import re

from tests.dashboard.lessons import reader
from tests.dashboard.test_settings import secret

PACK = """
pack: shop
policies:
  limit:
    name: Small sums only
    rules: [{expr: tool_call.arguments.amount < 100}]
    conditions: {phase: tool_call}
"""


async def test_a_rule_is_tried_on_a_text_and_its_verdict_shown(site):
    rule = "Reject any output that mentions 'lawsuit'."
    async with reader(site) as somebody:
        broken = await somebody.send("/settings/evaluators", {"rule": rule, "text": "I file a lawsuit."})
        kept = await somebody.send("/settings/evaluators", {"rule": rule, "text": "All is well."})
        empty = await somebody.send("/settings/evaluators", {"rule": "", "text": "All is well."})
    assert "the text breaks the rule" in broken.text
    assert "the text keeps the rule" in kept.text
    assert (empty.status_code, "All is well." in empty.text) == (422, True)


async def test_a_webhook_is_made_tried_changed_and_deleted(site):
    async with reader(site) as somebody:
        bad = await somebody.send("/settings/webhooks/new", {"url": "nowhere"})
        assert (bad.status_code, 'value="nowhere"' in bad.text) == (422, True)
        made = await somebody.send(
            "/settings/webhooks/new", {"url": "https://hooks.example.com/shop", "types": "policy.created"}
        )
        old = secret(made.text)
        path = re.search(r'"(/settings/webhooks/[^"]+)">I have', made.text)[1]
        page = (await somebody.open(path)).text
        assert old not in page
        assert re.search(r'value="policy.created" checked', page)
        tried = await somebody.send(f"{path}/test", {})
        assert "did not take it" in tried.text
        assert "makes no outgoing calls" in tried.text
        listed = (await somebody.open(f"{path}?status=failed")).text
        assert (
            "makes no outgoing calls"
            in (await somebody.open(re.search(r'"([^"]+/deliveries/[^"]+)"', listed)[1])).text
        )
        assert secret((await somebody.send(f"{path}/rotate", {})).text) != old
        stale = await somebody.send(path, {"url": "https://hooks.example.com/mine"}, shown=page)
        assert (stale.status_code, "https://hooks.example.com/mine" in stale.text) == (412, True)
        await somebody.send(path, {"url": "https://hooks.example.com/shop"})
        assert "switched off" in (await somebody.open(path)).text
        await somebody.send(f"{path}/delete", {})
        assert (await somebody.open(path)).status_code == 404


async def test_a_pasted_pack_is_planned_before_it_is_applied(site):
    async with reader(site) as somebody:
        wrong = await somebody.send("/settings/packs", {"text": "pack: a\npack: b\n"})
        assert (wrong.status_code, "pasted.yaml:2:1" in wrong.text) == (422, True)
        plan = await somebody.send("/settings/packs", {"text": PACK})
        assert "Small sums only" in plan.text
        fields = {"text": PACK, "reason": "The first one."}
        done = await somebody.send("/settings/packs/pasted", fields, shown=plan.text)
        assert (done.status_code, done.headers["location"]) == (303, "/policies")
        again = await somebody.send("/settings/packs", {"text": PACK})
        assert "Applied already" in again.text
        late = await somebody.send("/settings/packs/pasted", fields, shown=plan.text)
        assert late.status_code in {303, 409}
        file = await somebody.open("/settings/packs/files/shop.json")
        assert file.json()["policies"]["limit"]["name"] == "Small sums only"


async def test_a_pack_of_the_server_is_applied_as_it_was_planned(site):
    async with reader(site) as somebody:
        path = "/settings/packs/shipped/models"
        assert (await somebody.send(path, {})).headers["location"] == "/policies"
        assert "Applied already" in (await somebody.open(path)).text
        assert (await somebody.open("/settings/packs/shipped/none-such")).status_code == 404


async def test_the_audit_log_tells_who_changed_what(site):
    await site.world.make("/v1/workspaces", {"id": "told", "name": "Told of"})
    async with reader(site) as somebody:
        shown = (await somebody.open("/settings/events?noun=workspace&change=created")).text
        assert "Told of" in shown
        assert "the key admin" in shown
        assert "Nothing matches" in (await somebody.open("/settings/events?until=2020-01-01")).text
        assert (await somebody.open("/settings/events?since=yesterday")).status_code == 422


async def test_a_job_is_cancelled_and_started_again(site):
    path = f"/settings/jobs/{site.world.ids['job_id']}"
    async with reader(site) as somebody:
        await somebody.send(path, {"do": "cancel"})
        assert "cancelled" in (await somebody.open("/settings/jobs?status=cancelled")).text
        await somebody.send(path, {"do": "retry"})
        refused = await somebody.send(path, {"do": "no such thing"})
        assert refused.status_code in {404, 405}


async def test_a_connection_keeps_its_credentials_to_itself(site):
    fields = {"workspace_id": "w1", "name": "shop models", "provider": "openai", "key": "sk-" + "v" * 30}
    async with reader(site) as somebody:
        await somebody.send("/settings/connections/new", fields)
        listed = (await somebody.open("/settings/connections")).text
        assert "shop models" in listed
        assert fields["key"] not in listed
        twice = await somebody.send("/settings/connections/new", fields)
        assert twice.status_code in {409, 422}
        assert fields["key"] not in twice.text
        delete = re.search(
            r'"(/settings/connections/[^"]+/delete)">Delete<span class="hidden"> shop', listed
        )[1]
        await somebody.send(delete, {})
        assert "shop models" not in (await somebody.open("/settings/connections")).text


async def test_only_who_operates_the_server_signs_with_a_new_key(site):
    path = "/settings/signing-keys/rotate"
    async with reader(site) as somebody:
        assert (await somebody.send(path, {})).status_code == 403
        assert "Only whoever operates" in (await somebody.open("/settings/signing-keys")).text
    async with reader(site, "operator") as operator:
        assert (await operator.send(path, {})).headers["location"] == "/settings/signing-keys"
        assert (await operator.open("/settings/signing-keys")).text.count('id="kid-') == 2
