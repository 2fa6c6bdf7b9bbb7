"""Makes a fresh database for each server that is started, on SQLite or PostgreSQL, and removes it afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

DRIVERS = {
    "sqlite": {"lightwell": "sqlite", "reference": "sqlite+aiosqlite", "seeding": "sqlite"},
    "postgresql": {
        "lightwell": "postgresql",
        "reference": "postgresql+asyncpg",
        "seeding": "postgresql+psycopg",
    },
}
"""The driver names by which each party opens the same database."""


@dataclass(frozen=True, slots=True)
class Database:
    """One fresh database."""

    url: URL

    def url_of(self, party: str) -> str:
        """Its URL as `party` ("lightwell", "reference" or "seeding") writes it."""
        driver = DRIVERS[self.url.get_backend_name()][party]
        return self.url.set(drivername=driver).render_as_string(hide_password=False)

    @property
    def synchronous_url(self) -> str:
        """Its URL for synchronous SQLAlchemy."""
        return self.url_of("seeding")


class Databases(Protocol):
    """Where fresh databases come from."""

    kind: Literal["sqlite", "postgresql"]

    def fresh(self, folder: str) -> AbstractContextManager[Database]:
        """A context with a new database; `folder` is where one made of files may lie."""


class SqliteFiles:
    """One file per server, in the server's own folder."""

    kind: Literal["sqlite", "postgresql"] = "sqlite"

    @contextmanager
    def fresh(self, folder: str) -> Iterator[Database]:
        """A file that goes with its folder."""
        yield Database(URL.create("sqlite", database=str(Path(folder) / "bench.db")))


class PostgresDatabases:
    """Databases created in (and dropped from) a PostgreSQL server that runs already."""

    kind: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, url: str) -> None:
        """`url` names the server, a role that may create databases, and a database to connect to for that."""
        self._url = make_url(url)

    @contextmanager
    def fresh(self, folder: str) -> Iterator[Database]:
        """A database with a name of its own, dropped at the end; `folder` is not used."""
        del folder
        name = f"bench_{uuid.uuid4().hex[:12]}"
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield Database(self._url.set(database=name))
        finally:
            self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        url = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)
