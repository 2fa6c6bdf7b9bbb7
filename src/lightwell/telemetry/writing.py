"""What the writer does in one transaction: it adds pieces at one end of the ring, and cuts the other."""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from lightwell.telemetry.entries import Row, entries_of, runs_of
from lightwell.telemetry.packing import ERROR, Piece, pack

ENTRY_BITS: Final = 10
"""An entry's number is its piece's number and these many bits."""

_SLACK: Final = 100
"""The ring is cut back by this part of it more than it must: seldom, and more at a time."""

_MOST_CUT: Final = 10_000
"""Spans that are taken away at a time, when the ring became smaller or much is too old."""

_MOST_PAGES: Final = 10_000
"""Pages that are given back to the disk at a time."""

_INSERT_PIECE: Final = "INSERT INTO pieces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_ENTRY: Final = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Ring:
    """How much is kept: spans, bytes of the file, and seconds."""

    spans: int
    size: int
    age: float


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept now: spans, bytes, and when the oldest was stored (seconds since 1970; None where there is none)."""

    spans: int
    size: int
    oldest: int | None


@dataclass(frozen=True, slots=True)
class Ready:
    """A piece that has only to be numbered."""

    trace_id: bytes
    span_of_time: tuple[int, int]
    counts: tuple[int, int, int, int]
    body: bytes
    entries: Sequence[Row]
    runs: Sequence[bytes]


def made_ready(piece: Piece) -> Ready:
    """All that can be done before the file is held."""
    spans, lines = piece.spans, piece.lines
    times = [line[0] for line in lines] if not spans else [spans[0][4], spans[0][5]]
    started, ended, roots, failed = min(times), max(times), 0, 0
    for span in spans:
        started = min(span[4], started)
        ended = max(span[5], ended)
        roots += span[11]
        failed += span[6] == ERROR
    return Ready(
        piece.trace_id,
        (started, ended),
        (len(spans), len(lines), roots, failed),
        pack(piece),
        entries_of(piece),
        [*runs_of(piece)],
    )


def write(connection: sqlite3.Connection, batch: Sequence[Ready], now: float) -> None:
    """Add pieces, in one transaction."""
    with _transaction(connection):
        (last,) = connection.execute("SELECT last FROM totals").fetchone()
        numbered = list(enumerate(batch, last + 1))
        connection.executemany(
            _INSERT_PIECE,
            [(n, ready.trace_id, int(now), *ready.span_of_time, *ready.counts, ready.body) for n, ready in numbered],
        )
        connection.executemany(
            _INSERT_ENTRY,
            [(n << ENTRY_BITS | i, *entry) for n, ready in numbered for i, entry in enumerate(ready.entries)],
        )
        connection.executemany(
            "INSERT OR IGNORE INTO runs VALUES (?, ?)", [(n, run) for n, ready in numbered for run in ready.runs]
        )
        spans = sum(ready.counts[0] for ready in batch)
        connection.execute("UPDATE totals SET last = ?, spans = spans + ?", (last + len(batch), spans))


def trim(connection: sqlite3.Connection, ring: Ring, now: float) -> Held:
    """Take away what is too much or too old, a limited part of it at a time; answers what is left."""
    held = measure(connection)
    cut = _last_to_go(connection, ring, held, now)
    if cut is None:
        return held
    with _transaction(connection):
        (spans,) = connection.execute("SELECT coalesce(sum(spans), 0) FROM pieces WHERE seq <= ?", (cut,)).fetchone()
        connection.execute("DELETE FROM pieces WHERE seq <= ?", (cut,))
        connection.execute("DELETE FROM entries WHERE seq < ?", ((cut + 1) << ENTRY_BITS,))
        connection.execute("DELETE FROM runs WHERE piece <= ?", (cut,))
        connection.execute("UPDATE totals SET spans = max(0, spans - ?)", (spans,))
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if free * 4 > pages:
        # Why a script: only that goes on until all pages are given back.
        connection.executescript(f"PRAGMA incremental_vacuum({min(free - pages // 20, _MOST_PAGES)})")
    return measure(connection)


def measure(connection: sqlite3.Connection) -> Held:
    """How much is kept."""
    (spans,) = connection.execute("SELECT spans FROM totals").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    oldest = connection.execute("SELECT stored FROM pieces ORDER BY seq LIMIT 1").fetchone()
    return Held(spans, (pages - free) * page, oldest and oldest[0])


def _last_to_go(connection: sqlite3.Connection, ring: Ring, held: Held, now: float) -> int | None:
    """The number of the last piece that has to go; None where none has to."""
    most_spans = ring.spans
    if held.size > ring.size:
        most_spans = min(most_spans, held.spans * ring.size // held.size)
    over = held.spans - most_spans
    if over > 0:
        over = min(over + held.spans // _SLACK, _MOST_CUT)
    too_old = now - ring.age
    if over <= 0 and (held.oldest is None or held.oldest >= too_old):
        return None
    cut, gone = None, 0
    for seq, stored, spans in connection.execute("SELECT seq, stored, spans FROM pieces ORDER BY seq"):
        if gone >= over and (stored >= too_old or gone >= _MOST_CUT):
            break
        cut = seq
        gone += spans or 1
    return cut


class _transaction:  # noqa: N801 -- reads as a statement
    """BEGIN IMMEDIATE, and COMMIT or ROLLBACK."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
            return
        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")
