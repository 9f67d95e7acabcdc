"""`bylaw log keys`: the keys that sign the logs, on a server or in a data directory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol, cast
from urllib.parse import quote

import click

from bylaw.api.native.signing_key_views import Revocation, SigningKeysView, SigningKeyView
from bylaw.cli.lazy import load
from bylaw.cli.options import SharingCommand, server_option
from bylaw.cli.remote import Remote, keyed
from bylaw.core.clock import from_rfc3339, rfc3339
from bylaw.receipts.checkpoint import verifier_key
from bylaw.receipts.signing import KeySet, key_set

COLOURS: Final = {"active": "green", "retired": None, "revoked": "red"}


class Target(Protocol):
    """Where signing keys are looked after."""

    def listed(self) -> Sequence[SigningKeyView]:
        """Return every key, oldest first."""

    def rotate(self) -> SigningKeyView:
        """Take a new key into use, and return it."""

    def revoke(self, kid: str, revoked_at: str | None) -> SigningKeyView:
        """Revoke a key from a moment on (now), and return it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTarget:
    """A running server."""

    remote: Remote

    def listed(self) -> Sequence[SigningKeyView]:
        """Return every key, oldest first."""
        return self.remote.get("/v1/log/keys", SigningKeysView).data

    def rotate(self) -> SigningKeyView:
        """Take a new key into use, and return it."""
        return self.remote.send("POST", "/v1/log/keys/rotate", None, SigningKeyView)

    def revoke(self, kid: str, revoked_at: str | None) -> SigningKeyView:
        """Revoke a key from a moment on (now), and return it."""
        path = f"/v1/log/keys/{quote(kid, safe='')}/revoke"
        return self.remote.send("POST", path, Revocation(revoked_at=revoked_at), SigningKeyView)


def _signing_keys(*, server: str, key: str | None, data: Path | None) -> Target:
    if data is not None:
        directory = cast("Callable[..., Target]", load("bylaw.cli.log_keys_data:DirectoryTarget"))
        return directory(data=data)
    return ServerTarget(remote=keyed(server, key, instead=", or --data DIR when no server runs"))


class KeysCommand(SharingCommand):
    """A command that also takes the options that name where the keys are, and passes on how to find that."""

    shared = MappingProxyType(
        {
            "server": server_option(),
            "key": click.Option(
                ["--key"], envvar="BYLAW_API_KEY", help="The operator's admin key; better in BYLAW_API_KEY."
            ),
            "data": click.Option(
                ["--data"],
                type=click.Path(path_type=Path),
                help="A data directory instead, while no server runs on it.",
            ),
        }
    )
    read = staticmethod(partial(partial, _signing_keys))


@click.command(
    "list",
    cls=KeysCommand,
    epilog="""\b
Examples:
  bylaw log keys list                              # of a server; key in BYLAW_API_KEY
  bylaw log keys list jwks.json --log example.org/main/w1
""",
)
@click.argument("jwks", required=False, type=click.Path(path_type=Path))
@click.option("--log", "origin", help="Show each key as note tools take it, for the log of this name.")
@click.pass_obj
def list_keys(find: Callable[[], Target], jwks: Path | None, origin: str | None) -> None:
    """Print the keys of the logs, or of a JWKS document, with their standing."""
    if jwks is not None:
        for each in _read(jwks).keys:
            ended = None if each.ended_ms is None else rfc3339(each.ended_ms)
            _show(each.kid, each.standing, rfc3339(each.since_ms), ended)
            if origin is not None:
                click.echo(f"  {verifier_key(origin, each.raw)}")
        return
    for found in find().listed():
        _show_view(found)
        for line in found.verifier_keys:
            if origin is not None and line.startswith(f"{origin}+"):
                click.echo(f"  {line}")


@click.command(
    "rotate",
    cls=KeysCommand,
    epilog="""\b
Examples:
  bylaw log keys rotate --server https://bylaw.example.com
  bylaw log keys rotate --data bylaw-data             # no server is running
""",
)
@click.pass_obj
def rotate_key(find: Callable[[], Target]) -> None:
    """Sign with a new key from now on. The old one is retired: what it signed stays good."""
    _show_view(find().rotate())


@click.command(
    "revoke",
    cls=KeysCommand,
    epilog="""\b
Example:
  bylaw log keys revoke nJ0x… --at 2026-11-20T09:00:00Z
""",
)
@click.argument("kid")
@click.option("--at", "revoked_at", help="From when on nothing that it says counts (RFC 3339; now).")
@click.pass_obj
def revoke_key(find: Callable[[], Target], kid: str, revoked_at: str | None) -> None:
    """Revoke a key: nothing that it says from a moment on counts. One that signs is replaced."""
    if revoked_at is not None:
        try:
            from_rfc3339(revoked_at)
        except ValueError:
            raise click.BadParameter("Write a moment as 2026-01-01T00:00:00Z.", param_hint="--at") from None
    _show_view(find().revoke(kid, revoked_at))


def _read(jwks: Path) -> KeySet:
    try:
        with click.open_file(str(jwks), "rb") as file:
            return key_set(file.read())
    except OSError as error:
        raise click.BadParameter(f"{jwks}: {error.strerror}") from error


def _show_view(key: SigningKeyView) -> None:
    _show(key.kid, key.status, key.since, key.ended_at)


def _show(kid: str, status: str, since: str, ended: str | None) -> None:
    until = "" if ended is None else f" at {ended}"
    click.echo(f"{kid}  {click.style(status, fg=COLOURS[status])}{until}, in use since {since}")
