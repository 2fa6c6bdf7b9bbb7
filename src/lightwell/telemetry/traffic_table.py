"""The traffic of all processes of a server: each writes its minutes into the store's file; whoever asks adds them."""

import sqlite3
from collections.abc import Iterable
from typing import Final

import orjson

from lightwell.instrumentation.traffic import MINUTES, Counts, Minute, Route

_MINUTE: Final = 60


def write(connection: sqlite3.Connection, process: str, minutes: Iterable[tuple[int, Minute]], now: float) -> None:
    """Write what a process has seen; the last two minutes are enough, as older ones change no more."""
    present = int(now) // _MINUTE
    rows = [
        (process, minute, orjson.dumps([[*route, list(counts.items())] for route, counts in seen.items()]))
        for minute, seen in minutes
        if minute >= present - 1
    ]
    if rows:
        connection.executemany("INSERT OR REPLACE INTO traffic VALUES (?, ?, ?)", rows)
        connection.execute("DELETE FROM traffic WHERE minute < ?", (present - MINUTES - 1,))


def read(
    connection: sqlite3.Connection, since: int, without: str
) -> tuple[set[str], list[tuple[int, dict[Route, Counts]]]]:
    """The processes, and what they saw in each minute from `since` on; what `without` wrote is left out."""
    processes: set[str] = set()
    minutes: list[tuple[int, dict[Route, Counts]]] = []
    rows = connection.execute("SELECT process, minute, body FROM traffic WHERE minute >= ?", (since,))
    for process, minute, body in rows:
        if process == without:
            continue
        processes.add(process)
        seen: dict[Route, Counts] = {(method, route): dict(counts) for method, route, counts in orjson.loads(body)}
        minutes.append((minute, seen))
    return processes, minutes
