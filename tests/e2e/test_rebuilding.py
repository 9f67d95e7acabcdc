"""The lists for people can be lost and made whole from the receipts, with what people said of the rest."""

import sqlite3
import subprocess
import sys

from tests.e2e.serving import environment, serving

POLICY = {"name": "Limit", "rules": [{"expr": "tool_call.arguments.amount < 5000"}], "action": "review"}
LISTS = ("violations", "alerts", "attention", "approvals")


def ask(client, amount):
    call = {"name": "pay", "arguments": {"amount": amount}}
    client.post("/v1/decisions", json={"phase": "tool_call", "tool_call": call}).raise_for_status()


def lists(client):
    return {name: client.get(f"/v1/{name}").raise_for_status().json()["data"] for name in LISTS}


def rebuild(data):
    command = [sys.executable, "-m", "bylaw", "db", "rebuild", "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment())


def test_what_was_lost_comes_back_and_what_people_said_stays(tmp_path):
    data = tmp_path / "data"
    with serving("--data", str(data)) as running:
        with running.client() as client:
            client.post("/v1/policies", json=POLICY).raise_for_status()
            for amount in (6000, 7000, 8000):
                ask(client, amount)
            first = lists(client)
            kept = first["attention"][0]["id"]
            client.post(f"/v1/attention/{kept}/resolve", json={"reason": "seen"}).raise_for_status()
            before = lists(client)
        running.stop()
    assert {name: len(items) for name, items in before.items()} == dict.fromkeys(LISTS, 3)
    with sqlite3.connect(data / "control.db") as control:  # nobody else has the file open
        control.execute("DELETE FROM violations")
        control.execute("DELETE FROM alerts")
        control.execute("DELETE FROM approvals")
        control.execute("DELETE FROM attention WHERE id <> ?", (kept,))
    control.close()
    for _ in range(2):
        done = rebuild(data)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    with serving("--data", str(data)) as running, running.client() as client:
        assert lists(client) == before


def test_a_directory_that_is_not_there_is_not_made(tmp_path):
    done = rebuild(tmp_path / "nowhere")
    assert done.returncode != 0
    assert "There is no data in" in done.stderr
    assert not (tmp_path / "nowhere").exists()
