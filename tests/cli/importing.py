"""Two servers of ours: one plays the source of an import, the other is imported into."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.e2e.serving import PATIENCE_S, serving

SOURCE_KEY = "sf_live_v1_" + "s" * 32
TARGET_KEY = "sf_live_v1_" + "t" * 32


@dataclass
class Server:
    """A tenant on a running server, with its admin key."""

    url: str
    key: str

    def send(self, method: str, path: str, key: str = "", **options) -> httpx.Response:
        headers = {"authorization": f"Bearer {key or self.key}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=PATIENCE_S, **options)

    def make(self, path: str, body: dict, method: str = "POST", key: str = "") -> dict:
        found = self.send(method, path, key, json=body)
        assert found.status_code in {200, 201, 204}, found.text
        return found.json() if found.content else {}

    def get(self, path: str, key: str = "") -> object:
        found = self.send("GET", path, key)
        assert found.status_code == 200, found.text
        return found.json()

    def tenant(self, ident: str) -> "Server":
        """A new tenant, whose admin key begins anew."""
        self.make("/v1/tenants", {"id": ident, "name": ident})
        made = self.make(f"/v1/tenants/{ident}/keys", {"name": "admin", "scopes": ["admin"]})
        return Server(self.url, made["key"])


@contextmanager
def server(folder, key: str) -> Iterator[Server]:
    with serving("--data", str(folder), key=key) as running:
        yield Server(running.url, key)


def arguments(family: str, source: Server, target: Server, *more: str) -> list[str]:
    """The command line of an import."""
    where = ["--from", source.url, "--key", source.key, "--server", target.url, "--server-key", target.key]
    return ["import", family, *where, *more]


def imported(run, family: str, source: Server, target: Server, *more: str) -> tuple[int, dict]:
    """Import, and return the exit code and the report."""
    code, out, err = run(*arguments(family, source, target, "--json", *more))
    assert out, err
    return code, json.loads(out)


def outcomes(report: dict) -> dict[str, dict[str, int]]:
    return report["counts"]
