"""`bylaw webhooks` against a running server and a receiver, as it is typed."""

import asyncio
import re
import socket
import threading

import pytest
import uvicorn
from standardwebhooks import Webhook as Verifier

from bylaw import settings
from bylaw.app import build
from tests.notify.receiver import receiving


@pytest.fixture
def served(tmp_path):
    """The address and key of a server in another thread, and a receiver beside it."""
    ready, found = threading.Event(), {}

    async def serve():
        data = settings.build(data=tmp_path / "data", outgoing="any")
        async with receiving() as receiver, build(data) as app:
            config = uvicorn.Config(app.asgi, lifespan="off", log_level="error")
            server, listener = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            found.update(server=server, receiver=receiver, key=app.admin_key, url=url)
            ready.set()
            await server.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    yield found
    found["server"].should_exit = True
    thread.join()


def test_a_webhook_from_its_making_to_its_end(run, served, monkeypatch):
    monkeypatch.setenv("BYLAW_URL", served["url"])
    monkeypatch.setenv("BYLAW_API_KEY", served["key"])
    receiver = served["receiver"]
    code, out, _ = run("webhooks", "add", receiver.url, "--type", "policy.*", "--type", "webhook.*")
    assert code == 0
    ident, secret = re.findall(r"webhook  (\S+)\nsecret   (\S+)", out)[0]
    assert run("webhooks", "test", ident)[1].startswith("delivered: 204, ")
    got = receiver.got[0]
    Verifier(secret).verify(got.body, got.headers)
    receiver.status, receiver.body = 500, b"no"
    code, out, _ = run("webhooks", "test", ident)
    assert (code, out.splitlines()[1]) == (3, "no")
    assert f"{ident}  on  {receiver.url}  policy.*,webhook.*" in run("webhooks", "list")[1]
    code, out, _ = run("webhooks", "deliveries", ident, "--status", "failed")
    assert (code, "webhook.test" in out, "status 500" in out) == (0, True, True)
    failed = out.split()[0]
    code, out, err = run("webhooks", "deliveries", ident, "--limit", "1")
    assert (code, len(out.splitlines())) == (0, 1)
    assert err == "There are more than 1: say --limit, --status or --type.\n"
    assert run("webhooks", "deliveries", ident, "--type", "policy.created")[1:] == ("", "There are none.\n")
    assert run("webhooks", "replay", ident, failed, "--all")[0] == 2
    assert run("webhooks", "replay", ident, failed)[:2] == (0, "1 on its way again\n")
    assert run("webhooks", "replay", ident, "--since", "2020-01-01T00:00:00Z", "--all")[0] == 0
    assert run("webhooks", "replay", ident)[0] == 2
    assert run("webhooks", "remove", ident)[:2] == (0, f"removed {ident}\n")
    assert run("webhooks", "list")[1] == ""
    code, _, err = run("webhooks", "test", ident)
    assert (code, "not_found" in err) == (1, True)
