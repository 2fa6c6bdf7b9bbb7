"""A program that writes pairs of rows as fast as it can and says which are acknowledged, until it is killed."""

import asyncio
import os
import sys
from itertools import count

import uvloop
from sqlalchemy import BigInteger, Column, MetaData, Table, insert

from lightwell.events.bus import Bus
from lightwell.kit.clock import SystemClock
from lightwell.storage.database import Database, open_database
from lightwell.storage.transaction import Transaction

METADATA = MetaData()
HALVES = Table(
    "half",
    METADATA,
    Column("unit", BigInteger, primary_key=True, autoincrement=False),
    Column("side", BigInteger, primary_key=True, autoincrement=False),
)
_WRITERS = 32


def write_pair(tx: Transaction, unit: int) -> None:
    """Both rows, or none; every tenth unit fails after both."""
    tx.execute(insert(HALVES), {"unit": unit, "side": 1})
    tx.execute(insert(HALVES), {"unit": unit, "side": 2})
    if unit % 10 == 0:
        raise LookupError


async def _write_on(database: Database, units: "count[int]") -> None:
    for unit in units:
        try:
            await database.write(write_pair, unit)
        except LookupError:
            continue
        os.write(1, b"%d\n" % unit)


async def _main(url: str, first: int) -> None:
    database = open_database(url, clock=SystemClock(), bus=Bus())
    await database.start()
    await database.write(lambda tx: METADATA.create_all(tx.connection))
    units = count(first)
    await asyncio.gather(*(_write_on(database, units) for _ in range(_WRITERS)))


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], int(sys.argv[2])))
