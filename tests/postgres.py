"""A real PostgreSQL server for tests, made from the machine's binaries in a temporary directory."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self, TypedDict
from uuid import uuid4

import psycopg

_USER = "lightwell"
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
}
_PATIENCE_SECONDS = 30.0


class _Identity(TypedDict, total=False):
    cwd: str
    user: str
    group: int
    extra_groups: list[str | int]


class PostgresServer:
    """A cluster of its own. It runs as another user when the tests run as root, who may not run PostgreSQL."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._owner = _owner()
        self._identity: _Identity = {"cwd": "/"}
        if self._owner is not None:
            self._identity |= {"user": self._owner, "group": pwd.getpwnam(self._owner).pw_gid, "extra_groups": []}
        self._directory = Path(tempfile.mkdtemp(prefix="lightwell-postgres-", dir="/tmp"))
        self._data = self._directory / "data"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._owner is not None:
            shutil.chown(self._directory, self._owner)
        self._run("initdb", "-D", str(self._data), "-U", _USER, "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def process_id(self) -> int:
        """Of the server's first process."""
        assert self._process is not None
        return self._process.pid

    def url(self, name: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{_USER}@/{name}?host={self._directory}"

    def create_database(self, template: str = "template1") -> str:
        """Make a new database and return its URL."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [self._programs / "postgres", "-D", self._data, "-k", self._directory, *options]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **self._identity
            )
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self._directory / "log").read_text()
            assert time.monotonic() < give_up, "PostgreSQL did not start in time"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop the server: at once, as in a crash, unless told otherwise (SIGINT: after breaking off its sessions)."""
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(_PATIENCE_SECONDS)
        self._process = None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([self._programs / program, *arguments], check=True, capture_output=True, **self._identity)


def _programs() -> Path:
    """The directory of initdb and postgres; the tests need them and are not skipped without."""
    # Debian keeps them off the PATH, one directory for each version.
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    for directory in (*debian, *map(Path, os.get_exec_path())):
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    message = "The tests need PostgreSQL's server programs (initdb and postgres); on Debian: apt-get install postgresql"
    raise RuntimeError(message)


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
