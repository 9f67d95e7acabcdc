"""Packs that come with the server, files as they are written, and the types of notices."""


async def test_shipped_packs_can_be_planned_as_they_are_listed(inhabited):
    shipped = (await inhabited.send("admin", "GET", "/v1/packs/shipped")).json()["documents"]
    refunds = next(each for each in shipped if each["document"]["pack"] == "refunds")
    plan = await inhabited.make("/v1/packs/plan", {"documents": [refunds]})
    assert {step["kind"] for step in plan["steps"]} == {"create"}


async def test_a_file_of_a_pack_is_read_as_it_is_written(inhabited):
    sent = {"file": "p.yaml", "text": "pack: p\npolicies: {}  # none yet\n"}
    read = await inhabited.make("/v1/packs/read", sent)
    assert read == {"file": "p.yaml", "document": {"pack": "p", "policies": {}}}


async def test_a_file_that_cannot_be_read_says_where(inhabited):
    sent = {"file": "p.yaml", "text": "pack: p\npack: q\n"}
    answer = await inhabited.send("admin", "POST", "/v1/packs/read", json=sent)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"].startswith("p.yaml:2:1")


async def test_a_file_without_fields_is_no_pack(inhabited):
    answer = await inhabited.send("admin", "POST", "/v1/packs/read", json={"file": "p", "text": "- a"})
    assert answer.json()["errors"][0]["code"] == "no_pack"


async def test_every_type_of_notice_is_listed_with_what_it_means(inhabited):
    listed = (await inhabited.send("admin", "GET", "/v1/webhook-types")).json()["data"]
    assert all(each["text"] for each in listed)
    wanted = {"url": "https://hooks.example.com/x", "types": [each["type"] for each in listed]}
    assert (await inhabited.make("/v1/webhooks", wanted))["types"] == wanted["types"]


async def test_packs_are_counted_and_one_of_them_is_written(inhabited):
    for slug in ("limits/refunds", "limits/tone", None):
        body = {"name": str(slug), "rules": [{"expr": "amount < 5"}], "slug": slug}
        await inhabited.make("/v1/policies", body)
    counts = (await inhabited.send("admin", "GET", "/v1/packs/counts")).json()["data"]
    assert {each["pack"]: each["policies"] for each in counts}["limits"] == 2
    whole = (await inhabited.send("admin", "GET", "/v1/packs")).json()["documents"]
    written = {each["document"]["pack"]: len(each["document"]["policies"]) for each in whole}
    assert {each["pack"] or "exported": each["policies"] for each in counts} == written
