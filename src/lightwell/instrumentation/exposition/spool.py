"""A directory through which the processes of one server know each other's metrics, also of those that have died.

Each process writes its own file, whole and atomically; a file whose process has ended is folded into one for all that
have ended, so that what was counted stays counted. Who lives is told by locks, which the kernel takes from the dead.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final
from uuid import uuid4

import orjson

from lightwell.errors import Unavailable
from lightwell.instrumentation.exposition.families import Families, Family, together

_PREFIX: Final = "lightwell-metrics-"
_OWNER: Final = "owner"
_LOCK: Final = "lock"
_ENDED: Final = "ended"
_ALIVE: Final = ".alive"
_SNAPSHOT: Final = ".metrics"
_PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.01


class Spool:
    """The directory, as one process of the server uses it: as long as the object lives, the process is alive to others.

    `instance` is the same for all of them.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._name = uuid4().hex
        self.instance = directory.name.removeprefix(_PREFIX)
        # Locked before it has its name, so that nobody ever finds it unlocked while this process lives.
        unnamed = directory / f"{self._name}.new"
        self._alive = _locked(unnamed)
        unnamed.rename(directory / f"{self._name}{_ALIVE}")

    def write(self, families: Families) -> None:
        """Say what this process has measured so far, in place of what it said before. Raises OSError."""
        _write(self._directory / f"{self._name}{_SNAPSHOT}", families)
        os.utime(self._alive)  # programs that clear directories of temporary files take what is old

    def read(self) -> Families:
        """What all processes have measured, ended ones included. Raises Unavailable where another reader hangs."""
        with _lock(self._directory / _LOCK):
            living: list[Path] = []
            dead: list[Path] = []
            for path in sorted(self._directory.glob(f"*{_SNAPSHOT}")):
                (living if self._is_alive(path) else dead).append(path)
            ended = self._fold(dead)
            return together(map(_read, living), [ended])

    def _is_alive(self, path: Path) -> bool:
        return path.stem == self._name or _is_locked(path.with_suffix(_ALIVE))

    def _fold(self, dead: list[Path]) -> Families:
        """The file of the ended with these in it; one step decides, so that dying here counts nothing twice."""
        path = self._directory / _ENDED
        known = orjson.loads(path.read_bytes()) if path.exists() else {"names": [], "families": {}}
        families, names = _families(known["families"]), set(known["names"])
        if path.exists():
            os.utime(path)
        news = [one for one in dead if one.stem not in names]
        if news:
            families = together([], [families, *map(_read, news)])
            _write(path, {"names": sorted(names | {one.stem for one in news}), "families": families})
        for one in dead:
            for leftover in (one, one.with_suffix(_ALIVE), one.with_suffix(".tmp")):
                leftover.unlink(missing_ok=True)
        return families


@contextmanager
def spooling() -> Iterator[Path]:
    """A new directory for a `Spool`, which is gone at the end; others that killed servers have left are cleared away.

    Raises OSError where there is no place for it.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _clear(left)
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
    owner = _locked(directory / _OWNER)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(owner)


def _clear(directory: Path) -> None:
    """Remove a directory of this user's whose server and its processes are all dead."""
    with suppress(OSError):
        owners = [directory / _OWNER, *directory.glob(f"*{_ALIVE}")]
        is_mine = directory.stat().st_uid == os.getuid() and owners[0].exists()
        if is_mine and not any(map(_is_locked, owners)):
            shutil.rmtree(directory, ignore_errors=True)


def _write(path: Path, content: Any) -> None:
    new = path.with_suffix(".tmp")
    new.write_bytes(orjson.dumps(content))
    new.replace(path)


def _read(path: Path) -> Families:
    return _families(orjson.loads(path.read_bytes()))


def _families(content: dict[str, Any]) -> Families:
    return {name: Family(**family) for name, family in content.items()}


def _locked(path: Path) -> int:
    """A file of one's own, held until the process ends or the descriptor is closed."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who ask at once do not take each other for the owner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    pause, end = Event(), monotonic() + _PATIENCE_SECONDS
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if monotonic() > end:
                    raise Unavailable("Another process holds the spool of metrics") from None
            pause.wait(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)
