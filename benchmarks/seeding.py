"""Gives both servers the same 20,000 finished and scheduled flow runs, in seconds; scenarios.py then asks about them.

Each server makes a few runs itself, by its API, from the same requests; their rows are then multiplied inside its
database, with new ids and shifted instants. Nothing here knows either schema: the tables are read from the database,
ids and instants are told by their names and types. At the end both servers have to count the same runs by their own
API.
"""

from __future__ import annotations

import contextlib
import uuid
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Connection, MetaData, RowMapping, Table, create_engine, insert, inspect, select, text
from sqlalchemy.exc import SAWarning, StatementError

from benchmarks import calls
from benchmarks.servers import Target

WINDOW = timedelta(days=6)
"""How far into the past (scheduled runs: into the future) the copies are spread."""
MOLDS = (("COMPLETED", 14), ("FAILED", 3), ("CRASHED", 1), ("SCHEDULED", 2))
"""Final states of the runs that are multiplied, with their weights."""
FLOWS = 4
_FIRST_MICROSECOND = 1_000_000_000_000_000
"""Integers above this are instants in microseconds (2001-09-09 and later)."""

Values = dict[str, Any]


class SeedingError(Exception):
    """The servers would not hold the same runs, so comparing them would mean nothing."""


@dataclass(frozen=True, slots=True)
class Mold:
    """A run that the server made itself, and how many copies of it are wanted."""

    run_id: str
    state: str
    copies: int


@dataclass(frozen=True, slots=True)
class Tables:
    """The two tables that a flow run is made of, as they are in this database."""

    runs: Table
    states: Table


async def seed(target: Target, runs: int) -> None:
    """Bring the server's flow runs to `runs`; SeedingError when it does not count them afterwards."""
    await target.meter.settled()
    molds = await _make_molds(target, runs)
    engine = create_engine(target.database_url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL session_replication_role = replica"))  # foreign keys point both ways
            tables = _tables(connection)
            for mold in molds:
                multiply(connection, tables, mold)
    finally:
        engine.dispose()
    await _verify(target, molds)


async def _make_molds(target: Target, runs: int) -> list[Mold]:
    total = FLOWS * sum(weight for _, weight in MOLDS)
    molds = []
    async with target.connection() as connection:
        for number in range(FLOWS):
            flow_id = await calls.make_flow(connection, f"bench-{number}")
            for state, weight in MOLDS:
                due = datetime.now(UTC) + timedelta(hours=state == "SCHEDULED")
                run_id = await calls.make_run(connection, flow_id, scheduled_for=due)
                for step in () if state == "SCHEDULED" else ("PENDING", "RUNNING", state):
                    await calls.set_state(connection, run_id, step)
                molds.append(Mold(run_id, state, runs * weight // total - 1))
    short = runs - sum(mold.copies + 1 for mold in molds)
    return [Mold(molds[0].run_id, molds[0].state, molds[0].copies + short), *molds[1:]]


def _tables(connection: Connection) -> Tables:
    present = set(inspect(connection).get_table_names())

    def table(*names: str) -> Table:
        name = next((name for name in names if name in present), None)
        if name is None:
            message = f"none of {names} is a table of this database"
            raise SeedingError(message)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # reflection cannot read indexes on expressions; none is needed
            found = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
        for column in found.columns:
            if isinstance(column.type, JSON):
                column.type.none_as_null = True
        return found

    return Tables(table("flow_run", "flow_runs"), table("flow_run_state", "flow_run_states"))


def multiply(connection: Connection, tables: Tables, mold: Mold) -> None:
    """Insert the copies of one run and of its states, spread over the window."""
    run = _mold_row(connection, tables.runs, mold)
    states = connection.execute(select(tables.states).where(tables.states.c.flow_run_id == run["id"])).mappings().all()
    direction = 1 if mold.state == "SCHEDULED" else -1
    shifts = [WINDOW * (direction * number / mold.copies) for number in range(1, mold.copies + 1)]
    copies = [_copy(run, states, shift) for shift in shifts]
    for number, (own, _) in enumerate(copies):
        own["name"] = f"bench-{mold.state.lower()}-{number}"
    _insert(connection, tables.runs, [own for own, _ in copies])
    _insert(connection, tables.states, [state for _, group in copies for state in group])


def _insert(connection: Connection, table: Table, rows: list[Values]) -> None:
    generated = {column.key for column in table.columns if column.computed is not None}
    given = [{name: value for name, value in row.items() if name not in generated} for row in rows]
    connection.execute(insert(table), given)


def _mold_row(connection: Connection, runs: Table, mold: Mold) -> Values:
    known = uuid.UUID(mold.run_id)
    for spelling in (str(known), known.bytes, known.hex, known):
        with contextlib.suppress(StatementError):
            row = connection.execute(select(runs).where(runs.c.id == spelling)).mappings().one_or_none()
            if row is not None:
                return dict(row)
    message = f"flow run {mold.run_id} is not in the table {runs.name}"
    raise SeedingError(message)


def _copy(run: Values, states: Sequence[RowMapping], shift: timedelta) -> tuple[Values, list[Values]]:
    renamed = {run["id"]: _like(run["id"])} | {state["id"]: _like(state["id"]) for state in states}
    own = {name: _changed(value, shift, renamed) for name, value in run.items()}
    return own, [{name: _changed(value, shift, renamed) for name, value in state.items()} for state in states]


def _changed(value: Any, shift: timedelta, renamed: Mapping[Any, Any]) -> Any:
    if isinstance(value, str | bytes | uuid.UUID) and value in renamed:
        return renamed[value]
    if isinstance(value, datetime) and value.year >= 2001:  # noqa: PLR2004 - durations are kept as instants of 1970
        return value + shift
    if isinstance(value, int) and value > _FIRST_MICROSECOND:
        return value + shift // timedelta(microseconds=1)
    return value


def _like(known: Any) -> Any:
    fresh = uuid.uuid4()
    if isinstance(known, bytes):
        return fresh.bytes
    if isinstance(known, str):
        return str(fresh) if "-" in known else fresh.hex
    return fresh


async def _verify(target: Target, molds: Sequence[Mold]) -> None:
    async with target.connection() as connection:
        for state in {mold.state for mold in molds}:
            wanted = sum(mold.copies + 1 for mold in molds if mold.state == state)
            counted = await calls.count_runs(connection, calls.in_state(state))
            if counted != wanted:
                message = f"{target.name} counts {counted} flow runs in state {state}; {wanted} were seeded"
                raise SeedingError(message)
