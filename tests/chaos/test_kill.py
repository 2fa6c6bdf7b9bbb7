"""What was acknowledged survives `kill -9`, and nothing is kept by halves."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from lightwell.events.bus import Bus
from lightwell.kit.clock import SystemClock
from lightwell.storage.database import open_database
from lightwell.storage.transaction import Reader
from tests.chaos.writer import HALVES

ROUNDS = int(os.environ.get("KILL_ROUNDS", "3"))
FIRST_OF_ROUND = 1_000_000


async def test_acknowledged_writes_survive_a_kill_and_no_unit_is_kept_by_halves(database_url: str) -> None:
    """A writer under load is killed at a random moment, again and again, on the same database."""
    acknowledged: set[int] = set()
    for number in range(ROUNDS):
        acknowledged |= set(write_until_killed(database_url, number * FIRST_OF_ROUND + 1))
        sides = await sides_of_units(database_url)
        assert acknowledged <= sides.keys()
        assert set(sides.values()) == {2}
        assert not [unit for unit in sides if unit % 10 == 0]


def write_until_killed(url: str, first: int) -> Iterator[int]:
    """Run the writer, kill it at a random moment, and give what it has acknowledged."""
    moment = random.randrange(100, 2000)  # noqa: S311 -- no secret
    with subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.writer", url, str(first)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as writer:
        assert writer.stdout is not None
        for number, line in enumerate(writer.stdout):
            if number == moment:
                writer.send_signal(signal.SIGKILL)
            if line.endswith(b"\n"):
                yield int(line)
    assert writer.returncode == -signal.SIGKILL


async def sides_of_units(url: str) -> dict[int, int]:
    """How many rows there are of each unit."""

    def count(reader: Reader) -> dict[int, int]:
        rows = reader.execute(select(HALVES.c.unit, func.count()).group_by(HALVES.c.unit))
        return {row[0]: row[1] for row in rows}

    database = open_database(url, clock=SystemClock(), bus=Bus())
    await database.start()
    sides = await database.read(count)
    await database.stop()
    return sides
