"""A disk that loses its power: SQLite writes through it to real files, and a cut forgets what was not synced.

The disk keeps, for every file, the content that was synced and the writes since. At a cut each sector of each
of those writes has reached the disk or not, as `random` says, with `survival` as the chance; the
same goes for the names of files that were made or deleted since their directory was synced.

SQLite's own layer syncs the directory with the first sync of a new journal or write-ahead log, and when it is
told to after a deletion; so does the model.
"""

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import apsw

SECTOR_BYTES = 512
_JOURNALS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


@dataclass
class Kept:
    """One file: what is synced, and what was done since (a write at an offset, or a length)."""

    synced: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes] | int] = field(default_factory=list)

    def sync(self) -> None:
        for step in self.since:
            _apply(self.synced, step)
        self.since.clear()

    def after_a_cut(self, random: Random, survival: float) -> bytes:
        found = bytearray(self.synced)
        for step in self.since:
            if isinstance(step, int):
                if random.random() < survival:
                    _apply(found, step)
                continue
            offset, data = step
            at = 0
            while at < len(data):
                end = min(len(data), at + SECTOR_BYTES - (offset + at) % SECTOR_BYTES)
                if random.random() < survival:
                    _apply(found, (offset + at, data[at:end]))
                at = end
        return bytes(found)


def _apply(content: bytearray, step: tuple[int, bytes] | int) -> None:
    if isinstance(step, int):
        del content[step:]
        content.extend(bytes(step - len(content)))
        return
    offset, data = step
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class Disk:
    """The state of the disk, and the moment at which the power goes: at operation number `cut_at`."""

    def __init__(self, cut_at: int | None = None) -> None:
        self.cut_at = cut_at
        self.operations = 0
        self.syncs = 0
        self._names: dict[str, Kept] = {}
        self._synced_names: dict[str, Kept] = {}
        self._lock = threading.Lock()

    @property
    def is_off(self) -> bool:
        return self.cut_at is not None and self.operations > self.cut_at

    def step(self) -> None:
        """Count an operation; raise once the power is gone."""
        self.operations += 1
        if self.is_off:
            raise apsw.IOError("the power is gone")

    def open(self, path: str) -> Kept:
        with self._lock:
            return self._names.setdefault(path, Kept())

    def is_known(self, path: str) -> bool:
        return path in self._names

    def write(self, kept: Kept, step: tuple[int, bytes] | int) -> None:
        with self._lock:
            self.step()
            kept.since.append(step)

    def sync(self, kept: Kept, *, directory: bool) -> None:
        with self._lock:
            self.step()
            self.syncs += 1
            kept.sync()
            if directory:
                self._synced_names = dict(self._names)

    def delete(self, path: str, *, directory: bool) -> None:
        with self._lock:
            self.step()
            self._names.pop(path, None)
            if directory:
                self._synced_names = dict(self._names)

    def survive(self, folder: Path, random: Random, survival: float) -> None:
        """Write to `folder` what a new start finds."""
        names = {**self._synced_names, **self._names}
        for path, kept in names.items():
            is_certain = self._synced_names.get(path) is kept and self._names.get(path) is kept
            is_new = self._names.get(path) is kept
            survives = random.random() < survival
            if is_certain or (survives if is_new else not survives):
                (folder / Path(path).name).write_bytes(kept.after_a_cut(random, survival))


class PowerCutVfs(apsw.VFS):
    """SQLite's own layer over a `Disk`; while it is registered it is the default one of the process."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self._base = apsw.vfs_names()[0]
        super().__init__("power-cut", self._base, makedefault=True)

    def xOpen(self, name, flags):  # noqa: N802 - apsw's name
        return PowerCutFile(self.disk, self._base, name, flags)

    def xDelete(self, filename, syncdir):  # noqa: N802
        self.disk.delete(filename, directory=bool(syncdir))
        super().xDelete(filename, syncdir)

    def end(self) -> None:
        """Make SQLite's own layer the default again."""
        apsw.set_default_vfs(self._base)
        self.unregister()


class PowerCutFile(apsw.VFSFile):
    """A file that remembers what was not synced."""

    def __init__(self, disk, base, name, flags) -> None:
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        is_new = path is not None and not os.path.exists(path)  # noqa: PTH110 - SQLite speaks in strings
        super().__init__(base, name, flags)
        self._kept = disk.open(path) if path else Kept()
        self._syncs_directory = is_new and bool(flags[0] & _JOURNALS)

    def xWrite(self, data, offset):  # noqa: N802
        self._disk.write(self._kept, (offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize):  # noqa: N802
        self._disk.write(self._kept, newsize)
        super().xTruncate(newsize)

    def xSync(self, flags):  # noqa: N802, ARG002
        self._disk.sync(self._kept, directory=self._syncs_directory)
        self._syncs_directory = False
