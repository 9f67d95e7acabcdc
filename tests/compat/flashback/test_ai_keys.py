"""Keys of applications: made once, renamed, deleted, and known by name in what they did."""


async def make(org, caller="owner", repo="r1", status=200, **fields):
    body = {"name": "Answers", "aiType": "OPENAI"} | fields
    found = await org.send(caller, "POST", f"/repo/{repo}/ai/apikey", json=body)
    assert found.status_code == status, found.text
    return found.json()


async def listed(org, repo="r1"):
    return (await org.get(f"/repo/{repo}/ai/apikey"))["apiKeys"]


async def test_a_key_is_made_and_its_secret_shown_once(org):
    made = await make(org)
    assert list(made) == ["success", "id", "key", "secret", "message"]
    assert made["secret"].startswith(made["key"])
    (shown,) = [each for each in await listed(org) if each["id"] == made["id"]]
    assert list(shown) == ["id", "name", "repoId", "key", "aiType", "createdAt", "deletedAt"]
    assert (shown["repoId"], shown["aiType"], shown["deletedAt"]) == ("r1", "OPENAI", None)
    assert made["secret"] not in str(shown)


async def test_a_repeated_answer_is_without_the_secret(org):
    headers = {"idempotency-key": "ai-key-1"}
    body = {"name": "Twice", "aiType": "GOOGLE"}
    first, second = [
        await org.send("owner", "POST", "/repo/r1/ai/apikey", json=body, headers=headers) for _ in range(2)
    ]
    assert second.json() == first.json() | {"secret": None}


async def test_a_key_can_use_the_gateway_of_its_repo_and_nothing_else(org):
    org.keys["application"] = (await make(org))["secret"]
    for path in ("/policy?orgId=acme", "/v1/policies", "/v1/keys", "/repo/r1/ai/apikey"):
        assert (await org.send("application", "GET", path)).status_code == 403
    assert (await org.send("application", "POST", "/v1/decisions", json={})).status_code == 403


async def test_a_renamed_key_stays_the_same(org):
    made = await make(org)
    path = f"/repo/r1/ai/apikey/{made['id']}"
    found = await org.send("writer", "PUT", path, json={"name": "Letters"})
    assert (found.status_code, list(found.json())) == (200, ["success", "message"])
    assert (await org.send("writer", "PUT", path, json={})).status_code == 200
    assert {each["id"]: each["name"] for each in await listed(org)}[made["id"]] == "Letters"
    assert (await org.send("writer", "PUT", path, json={"name": " "})).status_code == 400


async def test_a_deleted_key_is_gone_and_deleted_once(org):
    made = await make(org)
    path = f"/repo/r1/ai/apikey/{made['id']}"
    assert (await org.send("head", "DELETE", path)).status_code == 200
    assert made["id"] not in {each["id"] for each in await listed(org)}
    assert (await org.send("head", "DELETE", path)).status_code == 404
    assert (await org.send(made["secret"], "GET", "/workspace")).status_code == 401


async def test_keys_of_a_repo_are_for_those_of_its_workspace(org):
    made = await make(org, "writer")
    for caller, status in (("reader", 403), ("member", 403), ("biller", 403)):
        await make(org, caller, status=status)
    assert (await org.send("reader", "GET", "/repo/r1/ai/apikey")).status_code == 200
    for caller in ("writer", "head", "stranger"):
        await make(org, caller, repo="r1" if caller == "stranger" else "r2", status=404)
    assert (
        await org.send("owner", "PUT", f"/repo/r2/ai/apikey/{made['id']}", json={"name": "x"})
    ).status_code == 404


async def test_what_is_no_key_is_refused(org):
    for fields in ({"name": ""}, {"aiType": "openai"}, {"aiType": None}):
        assert (await make(org, status=400, **fields))["success"] is False
    await make(org, repo="nowhere", status=404)


async def test_newest_first(org):
    names = [f"n{n}" for n in range(3)]
    for name in names:
        await make(org, name=name)
    assert [each["name"] for each in await listed(org)][:3] == names[::-1]
