"""One running server with two tenants, and in one of them two workspaces with keys of many kinds."""

from inspect import iscoroutinefunction

import pytest
import pytest_asyncio

from bylaw import settings
from bylaw.app import build
from tests.api.conftest import World


def pytest_collection_modifyitems(items):
    """Let the tests of a module share one server, and so one event loop."""
    for item in items:
        if "tests/compat/" in item.path.as_posix() and iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory):
    """Tenant acme with the workspaces shop and depot, and a stranger in another tenant."""
    async with build(settings.build(data=tmp_path_factory.mktemp("server"))) as app:
        made = World(app=app, keys={"operator": app.admin_key or ""})
        for tenant, name in (("acme", "admin"), ("other", "stranger")):
            await made.make("/v1/tenants", {"id": tenant, "name": tenant}, "operator")
            key = {"name": name, "scopes": ["admin"]}
            made.keys[name] = (await made.make(f"/v1/tenants/{tenant}/keys", key, "operator"))["key"]
        for workspace in ("shop", "depot"):
            await made.make("/v1/workspaces", {"id": workspace, "name": workspace})
        for name, scopes, workspace in (
            ("reader", ["policy:read"], None),
            ("writer", ["policy:read", "policy:write"], None),
            ("clerk", ["policy:read", "policy:write"], "depot"),
            ("nobody", ["gateway:use"], None),
            ("people", ["conversations:read", "conversations:write"], None),
        ):
            key = {"name": name, "scopes": scopes, "workspace_id": workspace}
            made.keys[name] = (await made.make("/v1/keys", key))["key"]
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(running):
    """The server of the module, on which acme has no policies yet."""
    yield running
    while held := (await running.send("admin", "GET", "/v1/policies?limit=500")).json()["data"]:
        for each in held:
            assert (await running.send("admin", "DELETE", f"/v1/policies/{each['id']}")).status_code == 204
