"""What the database engine itself costs: the way to a database thread and back, and a commit, shared or alone.

    python -m benchmarks.storage_engine [--directory DIR] [--postgresql URL]

Variants take turns, and the medians of the turns are printed: CPU microseconds of this process for each unit, and what
its callers wait. `--directory` should be on the disk that is meant: what a synchronized commit costs is the disk's
answer.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any, Literal, NamedTuple

import uvloop
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, insert, select

from lightwell.events.bus import Bus
from lightwell.kit.clock import SystemClock
from lightwell.storage.database import Database, open_database
from lightwell.storage.sqlite_connection import SqliteConnection, engine_for
from lightwell.storage.transaction import Reader, Transaction

METADATA = MetaData()
ROWS = Table("row", METADATA, Column("id", BigInteger, primary_key=True, autoincrement=False), Column("text", Text))
INSERT = insert(ROWS)
FIRST = 0
SELECT = select(ROWS).where(ROWS.c.id == FIRST)
TURNS = 9
UNITS = 1500
NUMBERS = count(1)

Unit = Callable[[], Awaitable[Any]]


class Turn(NamedTuple):
    """Microseconds: CPU and wall for each unit, and the waits of callers."""

    cpu: float
    wall: float
    p50: float
    p99: float


def nothing(reader: Reader) -> None:
    """A unit that asks nothing."""


def one_row(reader: Reader) -> Any:
    """A unit that reads a row by its key."""
    return reader.execute(SELECT).one()


def add(tx: Transaction) -> None:
    """A unit that writes a row."""
    tx.execute(INSERT, {"id": next(NUMBERS), "text": "x" * 200})


async def take_turn(unit: Unit, callers: int, units: int = UNITS) -> Turn:
    """Let so many callers at once run so many units in all."""
    waits: list[float] = []
    left = iter(range(units))

    async def call() -> None:
        for _ in left:
            asked = perf_counter()
            await unit()
            waits.append(perf_counter() - asked)

    started, cpu = perf_counter(), process_time()
    await asyncio.gather(*(call() for _ in range(callers)))
    cpu, wall = process_time() - cpu, perf_counter() - started
    cuts = quantiles(waits, n=100)
    return Turn(cpu / units * 1e6, wall / units * 1e6, cuts[49] * 1e6, cuts[98] * 1e6)


async def compare(variants: dict[str, Unit], callers: int) -> None:
    """Let the variants take turns, and print each one's medians."""
    turns: dict[str, list[Turn]] = {name: [] for name in variants}
    for _ in range(TURNS):
        for name, unit in variants.items():
            turns[name].append(await take_turn(unit, callers))
    for name, taken in turns.items():
        cpu, wall, p50, p99 = (median(figures) for figures in zip(*taken, strict=True))
        print(
            f"  {name:32} {callers:3} callers   CPU {cpu:7.1f} µs   {1e6 / wall:8.0f} units/s"
            f"   p50 {p50 / 1000:7.2f} ms   p99 {p99 / 1000:7.2f} ms"
        )


async def mean_group(database: Database, callers: int) -> float:
    """How many units share a commit."""
    commits = 0

    def note(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    def listen(tx: Transaction, callback: Callable[[str], None] | None) -> None:
        tx.connection.connection.driver_connection.set_trace_callback(callback)  # type: ignore[union-attr]

    await database.write(listen, note)
    await take_turn(partial(database.write, add), callers)
    await database.write(listen, None)
    return UNITS / max(commits, 1)


def direct(path: Path) -> tuple[SqliteConnection, dict[str, Unit]]:
    """The same statements in this very thread, in a transaction that is never committed."""
    link = SqliteConnection(engine_for(path, 5.0), 60.0)
    link.prepare_to_write("NORMAL", 5.0)
    tx = Transaction(link.connection, datetime.now(UTC), "sqlite")

    async def read() -> None:
        one_row(tx)

    async def write() -> None:
        add(tx)

    return link, {"select in the caller's thread": read, "insert in the caller's thread": write}


async def opened(url: str, synchronous: Literal["NORMAL", "FULL"] = "NORMAL") -> Database:
    """A started database with the table and a row."""
    database = open_database(url, clock=SystemClock(), bus=Bus(), synchronous=synchronous)
    await database.start()
    await database.write(lambda tx: METADATA.create_all(tx.connection))
    await database.write(lambda tx: tx.execute(INSERT, {"id": FIRST, "text": ""}))
    return database


async def measure_sqlite(directory: Path) -> None:
    """The thread hop, then what `synchronous` costs."""
    database = await opened(f"sqlite:///{directory / 'hop.db'}")
    link, variants = direct(directory / "hop.db")
    print("SQLite: the way to a thread and back, one caller, then 64")
    for callers in (1, 64):
        link.raw.execute("BEGIN")
        await compare({name: unit for name, unit in variants.items() if name.startswith("select")}, callers)
        link.raw.execute("ROLLBACK")
        await compare(
            {
                "read of nothing": partial(database.read, nothing),
                "read of one row": partial(database.read, one_row),
                "write of nothing": partial(database.write, nothing),
                "write of one row": partial(database.write, add),
            },
            callers,
        )
    link.raw.execute("BEGIN IMMEDIATE")
    await compare({name: unit for name, unit in variants.items() if name.startswith("insert")}, 1)
    link.raw.execute("ROLLBACK")
    link.close()
    await database.stop()

    print("SQLite: group commit, synchronous FULL against NORMAL")
    modes: tuple[Literal["NORMAL", "FULL"], ...] = ("NORMAL", "FULL")
    databases = {mode: await opened(f"sqlite:///{directory / mode}.db", mode) for mode in modes}
    for callers in (1, 8, 64):
        await compare({mode: partial(one.write, add) for mode, one in databases.items()}, callers)
        groups = {mode: await mean_group(one, callers) for mode, one in databases.items()}
        print("  units in a group: " + ", ".join(f"{mode} {size:.1f}" for mode, size in groups.items()))
    for one in databases.values():
        await one.stop()


async def measure_postgresql(url: str) -> None:
    """The same units over a pool of connections."""
    print("PostgreSQL")
    database = await opened(url)
    for callers in (1, 8, 64):
        units = {"read of nothing": nothing, "read of one row": one_row}
        await compare({name: partial(database.read, unit) for name, unit in units.items()}, callers)
        await compare({"write of one row": partial(database.write, add)}, callers)
    await database.stop()


async def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--directory", type=Path, help="where the SQLite files are made (default: a temporary directory)"
    )
    parser.add_argument("--postgresql", help="URL of an empty PostgreSQL database; not measured without")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        await measure_sqlite(Path(directory))
    if options.postgresql:
        await measure_postgresql(options.postgresql)


if __name__ == "__main__":
    uvloop.run(main())
