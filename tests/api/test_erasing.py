"""What was said is gone from every file of the server once the body of its receipt is erased."""

CANARY = "canary-7f3a91@example.com"


async def test_no_file_of_the_server_holds_what_was_erased(server, tmp_path):
    rules = [
        {"text": "The output must not contain emails or card numbers."},
        {"expr": "int(agent_output) > 0 || timestamp(agent_output) > timestamp(0)"},
    ]
    await server.make("/v1/policies", {"name": "Private", "rules": rules, "action": "review"})
    asked = {"phase": "output", "agent_output": f"Write to {CANARY}."}
    made = await server.make("/v1/decisions", asked)
    rule, undecided = made["policies"][0]["rules"]
    assert (undecided["status"], undecided["path"]) == ("indeterminate", "agent_output")
    assert CANARY not in str(made["reasons"])
    assert (rule["status"], CANARY in str(rule)) == ("violated", True)
    for noun in ("violations", "alerts", "attention"):
        found = (await server.send("admin", "GET", f"/v1/{noun}")).json()["data"]
        assert [CANARY in str(each) for each in found] == [False]
    assert holding(tmp_path) != []
    erased = await server.send("admin", "DELETE", f"/v1/receipts/{made['receipt_id']}/body")
    assert erased.json()["erased"] == ["decision", "request"]
    assert holding(tmp_path) == []


def holding(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if CANARY.encode() in path.read_bytes()]
