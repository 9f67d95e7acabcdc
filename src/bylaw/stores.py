"""What a server stands on, opened where the settings say: on SQLite files, or in a PostgreSQL database."""

import hashlib
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from bylaw.api.ports import ControlStore
from bylaw.core.clock import Clock
from bylaw.core.errors import InvalidInput, Unavailable
from bylaw.core.ids import Ids
from bylaw.receipts.ports import Ledger
from bylaw.receipts.signing_keys import SigningKeys
from bylaw.settings import Settings
from bylaw.storage.control import control_url, open_control
from bylaw.storage.key_file import KeyFile
from bylaw.storage.secret_file import SecretFile
from bylaw.storage.sqlite.database import fault_of_sharing
from bylaw.storage.sqlite.receipts import open_ledger

_log = logging.getLogger("bylaw.storage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What a server stands on."""

    control: ControlStore
    ledger: Ledger
    keys: SigningKeys
    key_file: KeyFile
    secret_file: SecretFile


async def open_stores(settings: Settings, clock: Clock, ids: Ids, stack: AsyncExitStack) -> Stores:
    """Return the stores that `settings` name, to be closed when `stack` ends.

    Raises: Conflict when another process owns the data, or a key file is not private.
    """
    opening = _open_postgres if settings.storage.database else _open_sqlite
    return await opening(settings, clock, ids, stack)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """What a worker stands on: it opens no receipts, and needs no signing keys."""

    control: ControlStore
    secret_file: SecretFile


async def open_control_plane(
    settings: Settings, clock: Clock, ids: Ids, stack: AsyncExitStack
) -> ControlPlane:
    """Return the control plane that `settings` name, beside a server's, to be closed when `stack` ends.

    Raises: as `open_control`.
    """
    storage = settings.storage
    key_file = KeyFile(Path(storage.key_file) if storage.key_file else storage.data / "keys.json")
    url = control_url(storage.data, storage.database)
    control = await open_control(
        url, ids=ids, clock=clock, owner_url=storage.database_owner, beside_server=True
    )
    stack.push_async_callback(control.close)
    return ControlPlane(control=control, secret_file=_secret_file(settings, key_file))


def fault_of_workers(settings: Settings) -> str:
    """Return what may happen where workers write beside a server, or an empty word."""
    return fault_of_sharing() if settings.jobs.jobs_workers and not settings.storage.database else ""


async def _open_sqlite(settings: Settings, clock: Clock, ids: Ids, stack: AsyncExitStack) -> Stores:
    folder = settings.storage.data
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} (--data, BYLAW_DATA) cannot be the data directory: {error.strerror}."
        raise Unavailable(message) from error
    key_file = KeyFile(Path(settings.storage.key_file) if settings.storage.key_file else folder / "keys.json")
    keys = key_file.load_or_create(clock)
    ledger = await open_ledger(
        folder, origin=f"{_installation(settings, keys)}/main", signer=keys.in_use, keys=keys.published
    )
    stack.push_async_callback(ledger.close)
    url = URL.create("sqlite", database=str(folder / "control.db")).render_as_string()
    control = await open_control(url, ids=ids, clock=clock)
    stack.push_async_callback(control.close)
    return Stores(
        control=control,
        ledger=ledger,
        keys=keys,
        key_file=key_file,
        secret_file=_secret_file(settings, key_file),
    )


async def _open_postgres(settings: Settings, clock: Clock, ids: Ids, stack: AsyncExitStack) -> Stores:
    try:
        from bylaw.storage.postgres import receipts as postgres  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        message = "PostgreSQL needs the extra postgres: pip install '.[postgres]' in a clone."
        raise InvalidInput(message) from error
    storage = settings.storage
    key_file = KeyFile(Path(storage.key_file))
    keys = key_file.load_or_create(clock)
    control = await open_control(storage.database, ids=ids, clock=clock, owner_url=storage.database_owner)
    stack.push_async_callback(control.close)
    note = "" if settings.search.compare_in == "memory" else await control.database.note()
    if note:
        wanted = settings.search.compare_in == "postgres"
        _log.log(
            logging.WARNING if wanted else logging.INFO, "vectors are compared in memory, not here: %s", note
        )
    installation = _installation(settings, keys)
    ledger = await postgres.open_ledger(
        storage.database,
        origin=lambda number: f"{installation}/{number}",
        signer=keys.in_use,
        keys=keys.published,
        owner_url=storage.database_owner,
    )
    stack.push_async_callback(ledger.close)
    return Stores(
        control=control,
        ledger=ledger,
        keys=keys,
        key_file=key_file,
        secret_file=_secret_file(settings, key_file),
    )


def _secret_file(settings: Settings, key_file: KeyFile) -> SecretFile:
    """Return the file of the secret keys: the one that is named, or one beside the signing keys."""
    named = settings.storage.secret_file
    return SecretFile(Path(named) if named else key_file.path.with_name("secrets.json"))


def _installation(settings: Settings, keys: SigningKeys) -> str:
    """Return the first part of the names of this installation's new logs: no other has the same."""
    unique = hashlib.sha256(keys.signer.public).hexdigest()[:12]
    return f"{settings.receipts.log_host or 'bylaw.local'}/{unique}"
