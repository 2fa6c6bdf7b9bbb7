"""Starts and stops the two servers, each in a home and on a database of its own; databases.py makes the databases."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from benchmarks.databases import Databases
from benchmarks.meter import Meter
from benchmarks.wire import Connection, Request
from tests.serving import free_port, stop

Name = Literal["lightwell", "reference"]
API = "/api"
OURS_TO_SET = ("LIGHTWELL_", "PREFECT_", "OTEL_")
"""Beginnings of environment names that the servers must not inherit from the person who measures."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to start one of the servers."""

    name: Name
    python: Path
    arguments: tuple[str, ...]
    extra: Mapping[str, str] = field(default_factory=dict)

    def command(self, port: int) -> list[str]:
        """The command line that serves on `port` of the loopback interface."""
        return [str(self.python), *self.arguments, "--host", "127.0.0.1", "--port", str(port)]

    def environment(self, home: Path, database_url: str) -> dict[str, str]:
        """The environment: the machine's, without settings of either server, and the few that a measurement fixes."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS_TO_SET)}
        if self.name == "lightwell":
            own = {"LIGHTWELL_HOME": str(home), "LIGHTWELL_DATABASE_URL": database_url}
        else:
            own = {
                "PREFECT_HOME": str(home),
                "PREFECT_API_DATABASE_CONNECTION_URL": database_url,
                "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                "DO_NOT_TRACK": "1",
            }
        return inherited | own | dict(self.extra)


def lightwell(extra: Mapping[str, str]) -> Recipe:
    """Lightwell of this checkout, run by the interpreter that runs the benchmark; `extra` goes into its environment."""
    return Recipe("lightwell", Path(sys.executable), ("-m", "lightwell", "serve"), extra)


def reference(python: Path) -> Recipe:
    """The reference server, run by the interpreter of its own environment."""
    return Recipe("reference", python, ("-m", "prefect", "server", "start"))


@dataclass(frozen=True, slots=True)
class Target:
    """A running server: where it listens, and what counts its cost."""

    name: Name
    host: str
    port: int
    database_url: str
    """The database as a synchronous SQLAlchemy URL, for the seeding."""
    meter: Meter
    started_wall: float
    """Seconds from the start of the process to the first good answer of /health."""
    started_cpu: float
    """CPU seconds used until then."""

    def connection(self) -> Connection:
        """A new connection to the API."""
        return Connection(self.host, self.port, API)


@asynccontextmanager
async def serving(recipe: Recipe, databases: Databases, *, patience: float = 120.0) -> AsyncIterator[Target]:
    """Run a server on a fresh database to the end of the block; RuntimeError when it does not become healthy."""
    with tempfile.TemporaryDirectory(prefix=f"bench-{recipe.name}-") as folder, databases.fresh(folder) as database:
        home = Path(folder)
        port = free_port()
        url = database.url_of(recipe.name)
        with (home / "server.log").open("wb") as log:
            began = time.perf_counter()
            process = subprocess.Popen(  # noqa: ASYNC220 - its start is what is measured; the command is ours
                recipe.command(port),
                env=recipe.environment(home, url),
                cwd=home,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                meter = Meter(process.pid)
                if not await _healthy(process, port, patience):
                    raise RuntimeError(f"the server did not become healthy; the end of its log:\n{_end_of(log.name)}")
                wall, cpu = time.perf_counter() - began, meter.cpu_seconds()
                yield Target(recipe.name, "127.0.0.1", port, database.synchronous_url, meter, wall, cpu)
            finally:
                stop(process)


async def _healthy(process: subprocess.Popen[bytes], port: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        try:
            async with Connection("127.0.0.1", port, API) as connection:
                if (await connection.send(Request("GET", "/health"))).status == HTTPStatus.OK:
                    return True
        except OSError:
            await asyncio.sleep(0.02)
    return False


def _end_of(log: str) -> str:
    return Path(log).read_text(errors="replace")[-2000:]
