"""What befalls the store's file: it is told once, counted, and mended by itself where it can be."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import structlog.testing

from lightwell.errors import OutOfOrder
from lightwell.instrumentation import logging
from lightwell.instrumentation.metrics import GAUGES
from lightwell.telemetry.reading import Wanted, select_traces
from lightwell.telemetry.store import TraceStore
from tests.telemetry.traces import listed, span, store, until

SOON = 0.2
"""Seconds until the store tries again."""


@pytest.fixture(autouse=True)
def _all_lines() -> None:
    """The level that a server has, whatever was tested before."""
    logging.configure("INFO", "json")


def filled(path: Path, traces: int = 200) -> None:
    """A store's file with some traces."""
    with store(path) as made:
        for _ in range(traces):
            made.add([span(attributes={"noise": os.urandom(300).hex()})])


def overwrite(path: Path, begin: int, end: int) -> None:
    """Write over a part of a file, as a failing disk does."""
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(b"\xa5" * (end - begin))


def lost(reason: str) -> int:
    """How many spans were lost for a reason."""
    return GAUGES.store.dropped.get(reason, 0)


def takes_again(of: TraceStore) -> Callable[[], bool]:
    """Whether a span that is added now is written."""

    def ask() -> bool:
        stored = GAUGES.store.stored
        return of.add([span()]) and of.settle(5.0) and GAUGES.store.stored > stored

    return ask


async def test_a_corrupt_file_at_start_is_set_aside(tmp_path: Path) -> None:
    """A new one takes its place; the old one can be looked at."""
    path = tmp_path / "traces.sqlite3"
    filled(path)
    overwrite(path, 0, 4096)

    with store(path) as made:
        made.add([one := span()])
        assert await listed(made) == [one.trace_id]
        assert made.trouble is None

    assert (tmp_path / "traces.sqlite3.corrupt").stat().st_size > 4096


async def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    """What was there keeps another name; nothing is lost of it."""
    path = tmp_path / "traces.sqlite3"
    path.write_text("a shopping list\n" * 1000)

    with store(path) as made:
        made.add([one := span()])
        assert await listed(made) == [one.trace_id]

    assert (tmp_path / "traces.sqlite3.corrupt").read_text() == "a shopping list\n" * 1000


async def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Who names the wrong file is told so, and finds it as it was."""
    path = tmp_path / "precious.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE precious (x); INSERT INTO precious VALUES (1)")
    before = path.read_bytes()

    with store(path) as made, pytest.raises(OutOfOrder, match="no store of traces"):
        await listed(made)

    assert path.read_bytes() == before


async def test_corruption_while_it_runs_turns_it_off_and_then_begins_anew(tmp_path: Path) -> None:
    """One warning; 503 to who asks; nothing to who is served; a minute later a new file."""
    path = tmp_path / "traces.sqlite3"
    filled(path, 500)
    with structlog.testing.capture_logs() as told, store(path, retry_after=SOON) as made:
        assert len(await listed(made, limit=10)) == 10
        before = lost("write_failed") + lost("off")
        overwrite(path, 4096, path.stat().st_size)
        until(lambda: not (made.add([span()]) and made.settle(5.0)) or made.trouble is not None, "the damage to show")
        assert made.trouble == "the file is corrupt"
        assert GAUGES.store.on is False
        with pytest.raises(OutOfOrder, match="the file is corrupt"):
            await made.read(select_traces, 5.0, Wanted(), limit=1)
        until(takes_again(made), "a new file")
        assert GAUGES.store.on is True
        assert len(await listed(made)) >= 1
        assert lost("write_failed") + lost("off") > before
    assert (tmp_path / "traces.sqlite3.corrupt").exists()
    assert [line["event"] for line in told] == ["trace_store.off", "trace_store.on"]
    assert told[0]["trouble"] == "the file is corrupt"


async def test_damage_that_only_a_reader_meets_turns_it_off_too(tmp_path: Path) -> None:
    """Who asks is told, and the writer learns of it."""
    path = tmp_path / "traces.sqlite3"
    filled(path, 2000)
    with store(path, retry_after=SOON) as made:
        assert made.settle(5.0)
        size = path.stat().st_size
        overwrite(path, size // 4, size // 4 * 3)
        with pytest.raises(OutOfOrder):
            await listed(made, limit=10_000)
        until(takes_again(made), "a new file")


async def test_a_deleted_file_is_begun_anew(tmp_path: Path) -> None:
    """Whoever deletes it, alone or with its journal, loses what was in it and nothing else."""
    path = tmp_path / "traces.sqlite3"
    with store(path) as made:
        for names in (("",), ("", "-wal", "-shm")):
            made.add([span()])
            assert len(await listed(made)) == 1
            for name in names:
                path.with_name(f"{path.name}{name}").unlink()
            made.add([one := span()])
            assert made.settle(5.0)
            assert await listed(made) == [one.trace_id]
            path.unlink()
            until(takes_again(made), "another file")
            path.unlink()
        assert made.trouble is None


async def test_a_deleted_directory_is_made_again(tmp_path: Path) -> None:
    """The directory too is the store's to make."""
    directory = tmp_path / "somewhere"
    path = directory / "traces.sqlite3"
    with store(path, retry_after=SOON) as made:
        made.add([span()])
        assert len(await listed(made)) == 1
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()
        until(takes_again(made), "another file")
        assert await listed(made)


async def test_a_place_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    """However often it is tried again; when it can be written, it works."""
    (tmp_path / "taken").touch()
    path = tmp_path / "taken" / "traces.sqlite3"
    with structlog.testing.capture_logs() as told, store(path, retry_after=SOON) as made:
        until(lambda: made.trouble is not None, "the trouble to show")
        before = lost("off")
        for _ in range(5):
            made.add([span()])
            made.settle(1.0)
        assert lost("off") > before
        with pytest.raises(OutOfOrder, match="cannot be opened"):
            await listed(made)
        (tmp_path / "taken").unlink()
        until(takes_again(made), "the file")
        assert await listed(made)
    assert [line["event"] for line in told] == ["trace_store.off", "trace_store.on"]


async def test_a_file_that_another_program_holds_is_waited_for(tmp_path: Path) -> None:
    """A backup that holds it for a moment loses nothing."""
    path = tmp_path / "traces.sqlite3"
    with store(path) as made:
        assert made.settle(5.0)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            made.add([one := span()])
            assert not made.settle(0.5)
            other.execute("ROLLBACK")
        assert made.settle(5.0)
        assert await listed(made) == [one.trace_id]


async def test_a_replaced_file_is_noticed(tmp_path: Path) -> None:
    """Another process set a corrupt file aside and began anew: this one follows it."""
    path, other_path = tmp_path / "traces.sqlite3", tmp_path / "other.sqlite3"
    with store(other_path) as other:
        other.add([elsewhere := span()])
    with store(path) as made:
        made.add([span()])
        assert made.settle(5.0)
        other_path.replace(path)
        for name in ("-wal", "-shm"):
            path.with_name(f"{path.name}{name}").unlink()
        made.add([here := span()])
        assert made.settle(5.0)
        assert await listed(made) == [here.trace_id, elsewhere.trace_id]


_FULL = """
import asyncio, resource, sys, json
from pathlib import Path
from lightwell.instrumentation.metrics import GAUGES
from tests.telemetry.traces import listed, span, store, until
path = Path(sys.argv[1])
with store(path, retry_after=0.2) as made:
    made.add([span()])
    assert made.settle(5.0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    until(lambda: not made.add([span(attributes={"noise": "x%d" % i}) for i in range(500)])
          or not made.settle(5.0) or made.trouble is not None, "the disk to be full")
    trouble = made.trouble
    dropped = dict(GAUGES.store.dropped)
    assert GAUGES.store.on is False
    for _ in range(3):
        until(lambda: made.add([span() for _ in range(2000)]) and made.settle(5.0), "another try")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    def again():
        before = GAUGES.store.stored
        return made.add([span()]) and made.settle(5.0) and GAUGES.store.stored > before
    until(again, "room again")
    found = len(asyncio.run(listed(made)))
print(json.dumps({"trouble": trouble, "dropped": dropped, "found": found}))
"""


def test_a_full_disk_turns_it_off_until_there_is_room(tmp_path: Path) -> None:
    """One warning, whatever comes meanwhile; what was stored before is there, and it goes on when there is room."""
    ended = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path / "traces.sqlite3")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert ended.returncode == 0, ended.stderr
    assert '"trouble": "reading or writing the file failed"' in ended.stdout or "the disk is full" in ended.stdout
    assert '"write_failed"' in ended.stdout
    assert ended.stdout.count("trace_store.off") + ended.stderr.count("trace_store.off") == 1
    with closing(sqlite3.connect(tmp_path / "traces.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
