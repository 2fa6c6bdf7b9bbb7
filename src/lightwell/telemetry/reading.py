"""What can be asked of the store: lists of traces, failures in groups, and how busy the routes are.

Each query takes a connection and runs in a thread with a deadline (`TraceStore.read`). One trace is in `trees.py`.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from lightwell.contract.telemetry import FailureGroup, FailureList, TraceEntry, TracePage, WholeTrace
from lightwell.telemetry.times import instant_of, seconds_of
from lightwell.telemetry.writing import ENTRY_BITS

_EXAMPLES: Final = 5
_LAST_ENTRY: Final = (1 << ENTRY_BITS) - 1
_MOST_RUNS: Final = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which traces: those with a local root that has all of this. Times are in nanoseconds."""

    failed: bool | None = None
    route: str | None = None
    status: int | None = None
    min_duration: int | None = None
    after: int | None = None
    before: int | None = None
    flow_run: UUID | None = None
    text: str | None = None
    service: str | None = None

    def conditions(self, alias: str) -> tuple[list[str], list[Any]]:
        """As SQL, about an entry, with its values."""
        tests: list[tuple[str, Any]] = [
            (f"{alias}.route = ?", self.route),
            (f"{alias}.status = ?", self.status),
            (f"{alias}.took >= ?", self.min_duration),
            (f"{alias}.started >= ?", self.after),
            (f"{alias}.started < ?", self.before),
            (f"{alias}.service = ?", self.service),
        ]
        parts = [(test, [value]) for test, value in tests if value is not None]
        if self.failed is not None:
            parts.append((f"{alias}.failed = {int(self.failed)}", []))
        if self.text is not None:
            pattern = f"%{_escaped(self.text)}%"
            shown = f"coalesce({alias}.exception_type, '') || char(10) || coalesce({alias}.exception_message, '')"
            parts.append((f"({shown}) LIKE ? ESCAPE '!'", [pattern]))
        if self.flow_run is not None:
            own = f"SELECT 1 FROM runs WHERE run = ? AND piece = {alias}.seq >> {ENTRY_BITS}"  # noqa: S608 -- a number and a letter of ours
            parts.append((f"EXISTS ({own})", [self.flow_run.bytes]))
        return [test for test, _ in parts], [value for _, values in parts for value in values]


class Position(NamedTuple):
    """Where a page begins: below the entry `below`, in the list as it was when `top` was the newest entry."""

    top: int
    below: int


def select_traces(
    connection: sqlite3.Connection, wanted: Wanted, *, limit: int, position: Position | None = None
) -> tuple[TracePage, Position | None]:
    """A page of traces, each once, by its newest entry that matches; and where the next page begins."""
    if position is None:
        (last,) = connection.execute("SELECT last FROM totals").fetchone()
        position = Position((last + 1) << ENTRY_BITS, (last + 1) << ENTRY_BITS)
    rows = connection.execute(*_select_entries(wanted, position, limit + 1)).fetchall()
    shown = rows[:limit]
    wholes = _wholes(connection, list(dict.fromkeys(row[1] for row in shown)))
    runs = _runs_of(connection, [row[0] >> ENTRY_BITS for row in shown])
    page = [_entry(row, wholes[row[1]], runs.get(row[0] >> ENTRY_BITS, [])) for row in shown]
    following = Position(position.top, rows[limit - 1][0]) if len(rows) > limit and limit else None
    return TracePage.model_construct(traces=page, next=None), following


def _select_entries(wanted: Wanted, position: Position, limit: int) -> tuple[str, list[Any]]:
    tests, values = wanted.conditions("e")
    newer, newer_values = wanted.conditions("n")
    source = "entries e NOT INDEXED CROSS JOIN pieces p"
    if wanted.flow_run is not None:
        tests.insert(0, "r.run = ?")
        values.insert(0, wanted.flow_run.bytes)
        source = (
            "runs r INDEXED BY pieces_of_run CROSS JOIN pieces p ON p.seq = r.piece CROSS JOIN entries e "
            f"ON e.seq BETWEEN p.seq << {ENTRY_BITS} AND (p.seq << {ENTRY_BITS}) + {_LAST_ENTRY}"
        )
    elif wanted.failed or wanted.text is not None:
        tests.append("e.failed = 1")
        source = "entries e INDEXED BY failed_entries CROSS JOIN pieces p"
    order = "r.piece DESC, e.seq DESC" if wanted.flow_run is not None else "e.seq DESC"
    newer_tests = "".join(f" AND {test}" for test in newer)
    statement = f"""
        SELECT e.seq, p.trace_id, e.span_id, e.name, e.service, e.route, e.status, e.started, e.took, e.failed,
               e.reason, e.exception_type, e.exception_message, e.frame
        FROM {source}
        WHERE {"".join(f"{test} AND " for test in tests)} e.seq < ? AND p.seq = e.seq >> {ENTRY_BITS}
          AND NOT EXISTS (
              SELECT 1 FROM pieces q INDEXED BY pieces_of_trace CROSS JOIN entries n
              WHERE q.trace_id = p.trace_id AND q.seq >= p.seq
                AND n.seq BETWEEN q.seq << {ENTRY_BITS} AND (q.seq << {ENTRY_BITS}) + {_LAST_ENTRY}
                AND n.seq > e.seq AND n.seq < ?{newer_tests})
        ORDER BY {order} LIMIT ?
    """  # noqa: S608 -- made of the constants above
    return statement, [*values, position.below, position.top, *newer_values, limit]


def _entry(row: Sequence[Any], whole: WholeTrace, runs: list[UUID]) -> TraceEntry:
    _, trace_id, span_id, name, service, route, status, started, took, failed, reason, kind, message, frame = row
    return TraceEntry.trusted(
        {
            "trace_id": trace_id.hex(),
            "span_id": span_id.hex(),
            "name": name,
            "service": service,
            "route": route,
            "status": status,
            "started": instant_of(started),
            "duration": seconds_of(took),
            "failed": bool(failed),
            "reason": reason,
            "exception_type": kind,
            "exception_message": message,
            "frame": frame,
            "flow_run_ids": runs,
            "trace": whole,
        }
    )


def _runs_of(connection: sqlite3.Connection, pieces: Sequence[int]) -> dict[int, list[UUID]]:
    """The flow runs of pieces, a limited number of each."""
    runs: dict[int, list[UUID]] = {}
    statement = f"SELECT piece, run FROM runs WHERE piece IN ({_marks(pieces)})"  # noqa: S608 -- question marks
    for piece, run in connection.execute(statement, pieces):
        found = runs.setdefault(piece, [])
        if len(found) < _MOST_RUNS:
            found.append(UUID(bytes=run))
    return runs


def _wholes(connection: sqlite3.Connection, trace_ids: Sequence[bytes]) -> dict[bytes, WholeTrace]:
    """The figures of all that is stored of traces."""
    marks = _marks(trace_ids)
    statement = f"""
        SELECT trace_id, min(started), max(ended), sum(spans), sum(roots), sum(lines), sum(failed)
        FROM pieces INDEXED BY pieces_of_trace WHERE trace_id IN ({marks}) GROUP BY trace_id
    """  # noqa: S608 -- question marks
    return {
        trace_id: WholeTrace.trusted(
            {
                "started": instant_of(started),
                "duration": seconds_of(ended - started),
                "spans": spans,
                "roots": roots,
                "lines": lines,
                "failed": failed > 0,
            }
        )
        for trace_id, started, ended, spans, roots, lines, failed in connection.execute(statement, trace_ids)
    }


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def group_failures(
    connection: sqlite3.Connection, *, limit: int, after: int | None = None, before: int | None = None
) -> FailureList:
    """The groups of failures that began in a span of time (in nanoseconds), the one that was seen last first."""
    span = (after or 0, 2**63 - 1 if before is None else before)
    rows = connection.execute(
        "SELECT failure, count(*), min(started), max(started) FROM entries INDEXED BY failures "
        "WHERE failure IS NOT NULL AND started >= ? AND started < ? GROUP BY failure ORDER BY 4 DESC LIMIT ?",
        (*span, limit),
    ).fetchall()
    return FailureList.model_construct(failures=[_group(connection, row, span) for row in rows])


def _group(connection: sqlite3.Connection, row: Sequence[int], span: tuple[int, int]) -> FailureGroup:
    failure, count, first, last = row
    newest = connection.execute(
        "SELECT p.trace_id, e.name, e.service, e.route, e.exception_type, e.exception_message, e.frame "
        "FROM entries e INDEXED BY failures CROSS JOIN pieces p "
        "WHERE e.failure = ? AND e.started >= ? AND e.started < ? AND p.seq = e.seq >> ? "
        "ORDER BY e.started DESC LIMIT ?",
        (failure, *span, ENTRY_BITS, _EXAMPLES),
    ).fetchall()
    _, name, service, route, kind, message, frame = newest[0]
    return FailureGroup.model_construct(
        name=name,
        service=service,
        route=route,
        exception_type=kind,
        exception_message=message,
        frame=frame,
        count=count,
        first_seen=instant_of(first),
        last_seen=instant_of(last),
        trace_ids=list(dict.fromkeys(trace_id.hex() for trace_id, *_ in newest)),
    )


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
