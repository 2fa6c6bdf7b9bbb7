"""A connection to PostgreSQL as one thread needs it: made when there is work, made anew when it was lost.

BEGIN and COMMIT go to libpq directly, while SQLAlchemy's connection is left in AUTOCOMMIT: a third of the cost.
"""

import os
import socket
from contextlib import suppress
from math import ceil
from time import monotonic
from typing import Any, cast

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from pydantic_core import from_json
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text

from lightwell.errors import Defect, Unavailable
from lightwell.storage.jobs import Kind
from lightwell.storage.postgresql_failures import is_lost

_BEGIN: dict[Kind, bytes] = {
    "read": b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "write": b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
}
_SHUT_SECONDS = 0.5

KEEPALIVES: dict[str, Any] = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}
"""Options of a connection: one whose other end is silent is given up after 20 seconds."""


def engine_for(address: URL, connect_timeout: float) -> Engine:
    """What makes connections; an attempt takes at most `connect_timeout` seconds for each host of the URL."""
    return create_engine(
        address,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        query_cache_size=1000,
        use_native_hstore=False,
        json_deserializer=from_json,
        connect_args={
            # libpq counts in whole seconds, and takes one for two.
            "connect_timeout": max(2, ceil(connect_timeout)),
            "application_name": "lightwell",
            **KEEPALIVES,
        },
    )


class Breaker:
    """Shared by the threads: while the server is known to be away, nobody waits to find that out again."""

    def __init__(self) -> None:
        self._shut_until = 0.0

    def check(self) -> None:
        """Raise Unavailable when an attempt to connect has failed a moment ago."""
        if monotonic() < self._shut_until:
            raise Unavailable("The database cannot be reached")

    def note_refusal(self) -> None:
        """Say that an attempt has failed."""
        self._shut_until = monotonic() + _SHUT_SECONDS


class PostgresqlConnection:
    """Used in one thread, but for `cut`. Timeouts are in seconds, of a statement and of its wait for a lock."""

    def __init__(self, engine: Engine, breaker: Breaker, statement_timeout: float, lock_timeout: float) -> None:
        self._engine = engine
        self._breaker = breaker
        timeouts = {
            "statement_timeout": statement_timeout,
            "lock_timeout": lock_timeout,
            "idle_in_transaction_session_timeout": statement_timeout,
        }
        self._set_up = "; ".join(f"SET {name} = {round(seconds * 1000)}" for name, seconds in timeouts.items()).encode()
        self._open: tuple[Connection, psycopg.Connection[Any]] | None = None
        self.is_refused = False
        """Whether the last attempt to connect has failed."""

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's connection, inside a transaction."""
        assert self._open is not None  # noqa: S101 -- tells the type checker
        return self._open[0]

    def begin(self, kind: Kind) -> None:
        """Begin a transaction, on a new connection if there is none; Unavailable when it cannot be had."""
        if self._open is None:
            self._connect()
        self._tell(_BEGIN[kind])

    def commit(self) -> None:
        """Commit; a Defect, and nothing kept, when the unit went on after a statement had failed."""
        assert self._open is not None  # noqa: S101 -- tells the type checker
        if self._open[1].pgconn.transaction_status == TransactionStatus.INERROR:
            # The server would answer COMMIT with a rollback, and call it success.
            raise Defect("A unit of work went on after one of its statements had failed")
        self._tell(b"COMMIT")

    def recover(self, error: BaseException) -> None:
        """After a unit failed with `error`: roll back, or let go of a connection that is of no more use."""
        if self._open is None:
            return
        status = self._open[1].pgconn.transaction_status
        try:
            if is_lost(error) or status in (TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN):
                self.close()
            elif status != TransactionStatus.IDLE:
                self._tell(b"ROLLBACK")
        except psycopg.Error:
            self.close()

    def cut(self) -> None:
        """Break the connection off, from another thread, so that who waits for the server's answer waits no longer."""
        link = self._open
        if link is None:
            return
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(link[1].fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._open is not None:
            connection, raw = self._open
            self._open = None
            # It is of no use any more; that it cannot be put away properly changes nothing.
            with suppress(Exception):
                raw.close()
                connection.invalidate()
                connection.close()

    def _connect(self) -> None:
        self.is_refused = True
        self._breaker.check()
        try:
            connection = self._engine.connect()
            raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
            self._open = connection, raw
            self._tell(self._set_up)
            # From now on SQLAlchemy sees a transaction that never ends, and so has nothing to do around a statement.
            connection.execute(text("SELECT 1"))
        except Exception:
            self._breaker.note_refusal()
            self.close()
            raise
        self.is_refused = False

    def _tell(self, command: bytes) -> None:
        assert self._open is not None  # noqa: S101 -- tells the type checker
        result = self._open[1].pgconn.exec_(command)
        if result.status == ExecStatus.COMMAND_OK:
            return
        if result.error_field(DiagnosticField.SQLSTATE) is None:
            raise psycopg.OperationalError("the connection is lost")
        raise error_from_result(result)
