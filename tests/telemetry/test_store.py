"""The store of traces: what is put in comes out whole, in order and once; old ones make room; nobody ever waits."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from time import monotonic, time_ns
from typing import Any
from uuid import uuid4

import pytest

from lightwell.contract.telemetry import Trace
from lightwell.errors import TimedOut
from lightwell.instrumentation.metrics import GAUGES
from lightwell.telemetry.reading import Wanted, group_failures, select_traces
from lightwell.telemetry.records import StoredEvent, StoredLine, StoredLink, StoredSpan
from lightwell.telemetry.store import TraceStore
from lightwell.telemetry.trees import find_trace
from tests.telemetry.traces import MEBIBYTE, failed, listed, new_id, span, store, until

SECOND = 1_000_000_000


@pytest.fixture(params=["file", "memory"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TraceStore]:
    """A store in a file, and one in memory, in turn."""
    with store(tmp_path / "traces.sqlite3" if request.param == "file" else None) as made:
        yield made


async def found(of: TraceStore, trace_id: str, limit: int = 5000) -> Trace:
    """A trace that is stored."""
    trace = await of.read(find_trace, 10.0, trace_id, limit=limit)
    assert trace is not None
    return trace


def files_in(directory: Path) -> list[str]:
    """The names of what is in a directory."""
    return sorted(file.name for file in directory.iterdir())


async def test_a_span_comes_back_as_it_was(kept: TraceStore) -> None:
    """Every member of a span, its events, its links, and its lines."""
    trace_id = new_id(32)
    given = span(
        trace_id,
        parent_id="00000000000000ff",
        status="error",
        status_message="no",
        attributes={"text": "ä\N{PILE OF POO}", "whole": 2**60, "part": 0.5, "yes": True, "list": ["a", "b"]},
        events=[StoredEvent(time_ns(), "happened", {"k": "v"})],
        links=[StoredLink(new_id(32), new_id(), {"why": "because"})],
        instance="one",
        is_root=True,
    )
    line = StoredLine(trace_id, time_ns(), "warning", "said", given.span_id, {"field": [1, {"deep": None}]})

    assert kept.add([given], [line])
    trace = await found(kept, trace_id)

    [shown] = trace.spans
    assert (shown.span_id, shown.parent_id, shown.depth) == (given.span_id, given.parent_id, 0)
    assert (shown.name, shown.kind, shown.service, shown.instance) == (given.name, "server", "lightwell", "one")
    assert (shown.status, shown.status_message) == ("error", "no")
    assert shown.attributes == given.attributes
    assert [(event.name, event.attributes) for event in shown.events] == [("happened", {"k": "v"})]
    assert [(link.trace_id, link.span_id, link.attributes) for link in shown.links] == [
        (given.links[0].trace_id, given.links[0].span_id, {"why": "because"})
    ]
    assert [(one.level, one.event, one.span_id, one.fields) for one in trace.lines] == [
        ("warning", "said", given.span_id, {"field": [1, {"deep": None}]})
    ]


async def test_a_trace_is_put_together_from_many_processes(kept: TraceStore) -> None:
    """Spans of a client and of the server, in whatever order, are one tree; what comes twice is shown once."""
    trace_id = new_id(32)
    began = time_ns() - 10 * SECOND
    flow = span(trace_id, name="my-flow", kind="internal", service="client", started=began, ended=began + 9 * SECOND)
    call = span(
        trace_id, name="POST", kind="client", service="client", parent_id=flow.span_id, started=began + SECOND,
        ended=began + 2 * SECOND, is_root=False,
    )  # fmt: skip
    request = failed(trace_id=trace_id, parent_id=call.span_id, started=began + SECOND + 1, ended=began + SECOND + 2)

    for part in ([request], [call], [call, flow]):
        kept.add(part)
        await found(kept, trace_id)
    trace = await found(kept, trace_id)

    assert [(one.name, one.depth) for one in trace.spans] == [(flow.name, 0), (call.name, 1), (request.name, 2)]
    assert sorted(trace.services) == ["client", "lightwell"]
    assert (trace.duration, trace.failed) == (9.0, True)
    page, _ = await kept.read(select_traces, 10.0, Wanted(), limit=10)
    [entry] = page.traces
    assert (entry.name, entry.failed, entry.trace.failed, entry.trace.roots) == ("my-flow", False, True, 2)
    assert entry.trace.duration == 9.0
    page, _ = await kept.read(select_traces, 10.0, Wanted(failed=True), limit=10)
    [entry] = page.traces
    assert (entry.route, entry.status, entry.exception_type) == ("/api/things/{id}", 500, "some.Error")


async def test_strange_trees_are_shown(kept: TraceStore) -> None:
    """Orphans, spans that are each other's parents, their own parent, and a nesting of thousands."""
    trace_id = new_id(32)
    one, other, own = new_id(), new_id(), new_id()
    chain = [new_id() for _ in range(3000)]
    spans = [
        span(trace_id, span_id=one, parent_id=other, is_root=False),
        span(trace_id, span_id=other, parent_id=one, is_root=False),
        span(trace_id, span_id=own, parent_id=own, is_root=False),
        span(trace_id, parent_id=new_id(), is_root=False),
        *(
            span(trace_id, span_id=child, parent_id=parent, is_root=False)
            for parent, child in zip([None, *chain], chain, strict=False)
        ),
    ]

    kept.add(spans)
    trace = await found(kept, trace_id)

    assert sorted(one.span_id for one in trace.spans) == sorted(one.span_id for one in spans)
    assert max(one.depth for one in trace.spans) == 2999
    assert trace.model_dump_json()


async def test_what_json_cannot_hold_is_stored_all_the_same(kept: TraceStore) -> None:
    """Integers past 64 bits, lone surrogates, keys that are no text, times before 1970: readable, never an error."""
    trace_id = new_id(32)

    kept.add(
        [
            span(
                trace_id,
                name="\ud800 name",
                started=-5,
                ended=2**80,
                attributes={"big": 2**70, "broken": "\udcff", "object": object(), "nan": float("nan")},
            )
        ],
        [StoredLine(trace_id, -1, "info", "\ud800", None, {"x": "\ud800"})],
    )
    trace = await found(kept, trace_id)

    assert trace.spans[0].name == "? name"
    assert trace.spans[0].attributes["broken"] == "?"
    assert trace.model_dump_json()
    assert await listed(kept) == [trace_id]


async def test_wrong_ids_are_refused_and_nothing_is_stored(kept: TraceStore) -> None:
    """An id that is none is the caller's to mend."""
    with pytest.raises(ValueError, match="32 digits"):
        kept.add([span("abcd")])
    with pytest.raises(ValueError, match="hexadecimal"):
        kept.add([span("x" * 32)])
    assert await listed(kept) == []


async def test_failures_are_grouped_by_where_they_happen(kept: TraceStore) -> None:
    """The first cause's own frame decides, whatever libraries and plumbing stand above it; ids in messages do not."""
    stack = """Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/sqlalchemy/engine/base.py", line 1, in execute
    cursor.execute(statement)
sqlite3.OperationalError: SQLITE_ERROR

which led to

Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/fastapi/routing.py", line 5, in app
  File "/srv/src/lightwell/api/things.py", line 7, in read
  File "/srv/src/lightwell/storage/things.py", line {line}, in find
  File "/srv/src/lightwell/storage/transaction.py", line 52, in execute
  File "/venv/lib/python3.11/site-packages/sqlalchemy/engine/base.py", line 1, in execute
sqlalchemy.exc.OperationalError: SQLITE_ERROR
"""
    foreign = 'Traceback (most recent call last):\n  File "/home/me/flows/etl.py", line 3, in load\nValueError: x\n'
    for number in range(3):
        kept.add([failed(stack=stack.replace("{line}", "41"), message=f"no {number}")])
    kept.add([failed(stack=stack.replace("{line}", "99"))])
    kept.add([failed(stack=foreign, service="client", attributes={}, name="my-flow")])

    groups = (await kept.read(group_failures, 10.0, limit=10)).failures

    by_frame = {group.frame: group for group in groups}
    assert set(by_frame) == {
        "lightwell/storage/things.py:41 find",
        "lightwell/storage/things.py:99 find",
        "flows/etl.py:3 load",
    }
    largest = by_frame["lightwell/storage/things.py:41 find"]
    assert (largest.count, largest.exception_message, len(largest.trace_ids)) == (3, "no 2", 3)
    assert by_frame["flows/etl.py:3 load"].name == "my-flow"
    assert largest.first_seen < largest.last_seen


async def test_what_failed_inside_of_a_clients_run_is_found(kept: TraceStore) -> None:
    """A task that failed under a flow that went well, in whatever batches they come; a refused call is no failure."""
    ids = []
    for is_together in (True, False):
        flow = span(name="proud-otter", kind="internal", service="client", attributes={"prefect.run.type": "flow"})
        run = {"prefect.run.type": "task"}
        inner: dict[str, Any] = {"trace_id": flow.trace_id, "parent_id": flow.span_id, "kind": "internal"}
        task = failed("builtins.ValueError", name=f"load-{new_id()}", attributes=run, **inner)
        call = span(status="error", is_root=False, **(inner | {"kind": "client", "name": "GET"}))
        for part in [[call, task, flow]] if is_together else [[call], [task], [flow]]:
            kept.add(part)
            assert kept.settle(10.0)
        ids.append(flow.trace_id)

    assert await listed(kept, failed=True) == ids[::-1]
    groups = (await kept.read(group_failures, 10.0, limit=10)).failures
    assert [(group.exception_type, group.count) for group in groups if group.exception_type] == [
        ("builtins.ValueError", 2)
    ]
    assert all(group.trace_ids != [] for group in groups)


async def test_runs_of_clients_are_found(kept: TraceStore) -> None:
    """By what the server annotates, and by what the client's own spans say of their flow run."""
    run = uuid4()
    trace_ids = []
    for attributes in (
        {"lightwell.flow_run_id": str(run)},
        {"lightwell.flow_run_ids": [str(uuid4()), str(run)]},
        {"prefect.run.type": "flow", "prefect.run.id": str(run)},
        {"lightwell.flow_run_id": "no id", "prefect.run.type": "task", "prefect.run.id": str(run)},
    ):
        one = span(attributes=attributes)
        trace_ids.append(one.trace_id)
        kept.add([one])

    assert await listed(kept, flow_run=run) == trace_ids[2::-1]


async def test_the_ring_is_bounded_by_spans(tmp_path: Path) -> None:
    """The oldest go, the newest stay, and what is left of a trace is whole."""
    with store(tmp_path / "traces.sqlite3", spans=1000) as small:
        ids = []
        for _ in range(60):
            one = span()
            ids.append(one.trace_id)
            small.add([one, *(span(one.trace_id, parent_id=one.span_id, is_root=False) for _ in range(49))])
            small.settle(10.0)
        left = await listed(small)

        assert left == ids[: -len(left) - 1 : -1]
        assert 15 <= len(left) <= 21
        assert len((await found(small, left[-1])).spans) == 50


async def test_the_ring_is_bounded_by_bytes(tmp_path: Path) -> None:
    """The file does not grow past its size, whatever comes."""
    path = tmp_path / "traces.sqlite3"
    with store(path, size=MEBIBYTE) as small:
        for _ in range(100):
            small.add([span(attributes={"noise": os.urandom(2000).hex()}) for _ in range(40)])
            assert small.settle(10.0)
        assert 0 < GAUGES.store.size <= 1.2 * MEBIBYTE
        assert len(await listed(small)) > 100
    assert path.stat().st_size <= 1.5 * MEBIBYTE


async def test_a_ring_that_became_smaller_gives_the_disk_back(tmp_path: Path) -> None:
    """A server that starts with a smaller limit cuts the file it finds."""
    path = tmp_path / "traces.sqlite3"
    with store(path) as large:
        for _ in range(50):
            large.add([span(attributes={"noise": os.urandom(2000).hex()}) for _ in range(40)])
            large.settle(10.0)
    before = path.stat().st_size
    with store(path, size=MEBIBYTE) as small:
        small.add([span()])
        assert small.settle(10.0)
    assert path.stat().st_size < before / 2


async def test_what_is_too_old_goes(tmp_path: Path) -> None:
    """By when it was stored, whatever times a client claims."""
    with store(tmp_path / "traces.sqlite3", age=0.0) as brief:
        old = span(ended=2**62)
        brief.add([old])
        brief.settle(10.0)
        end = monotonic() + 15
        while await listed(brief):
            brief.add([span()])
            assert monotonic() < end
            await asyncio.sleep(0.1)


async def test_a_full_queue_loses_the_oldest_and_counts_them(tmp_path: Path) -> None:
    """Nobody waits for a writer that cannot keep up."""
    path = tmp_path / "traces.sqlite3"
    with store(path, most_waiting=10) as slow:
        assert slow.settle(10.0)
        before = GAUGES.store.dropped.get("queue_full", 0)
        ids = [new_id(32) for _ in range(200)]
        with_lock = sqlite3.connect(path, isolation_level=None)
        with_lock.execute("BEGIN IMMEDIATE")
        began = monotonic()
        for trace_id in ids:
            assert slow.add([span(trace_id)])
        assert monotonic() - began < 1.0
        with_lock.execute("ROLLBACK")
        with_lock.close()
        assert slow.settle(10.0)
        left = await listed(slow)
    lost = GAUGES.store.dropped["queue_full"] - before
    assert lost + len(left) == 200
    assert left[:10] == ids[:-11:-1]


async def test_a_question_has_a_deadline(kept: TraceStore) -> None:
    """A store that is too large for a question stops asking it."""

    def endless(connection: sqlite3.Connection) -> object:
        numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT sum(x) FROM n"
        return connection.execute(numbers).fetchone()

    began = monotonic()
    with pytest.raises(TimedOut):
        await kept.read(endless, 0.3)
    assert monotonic() - began < 3.0
    kept.add([one := span()])
    assert await listed(kept) == [one.trace_id]


async def test_what_was_taken_is_there_after_closing_and_opening(tmp_path: Path) -> None:
    """Closing writes what waits; the next server reads it."""
    path = tmp_path / "traces.sqlite3"
    spans = [span() for _ in range(50)]
    with store(path) as first:
        for one in spans:
            first.add([one])
    with store(path) as second:
        assert await listed(second) == [one.trace_id for one in reversed(spans)]
    assert files_in(tmp_path) == ["traces.sqlite3"]


_WRITER = """
import sys
from pathlib import Path
from tests.telemetry.traces import span, store
with store(Path(sys.argv[1])) as made:
    print("ready", flush=True)
    written = 0
    while written < int(sys.argv[2]):
        made.add([span(f"{int(sys.argv[3]) + written:032x}") for _ in range(5)])
        written += 1
        if written % 10 == 0:
            assert made.settle(10.0)
            print(written, flush=True)
"""


def writing(path: Path, traces: int, first: int) -> subprocess.Popen[str]:
    """Another process that writes traces of five spans, with ids from `first` on."""
    command = [sys.executable, "-c", _WRITER, str(path), str(traces), str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    return process


async def test_several_processes_write_one_file(tmp_path: Path) -> None:
    """Server processes that start together on no file at all lose nothing."""
    path = tmp_path / "traces.sqlite3"
    writers = [writing(path, 200, number * 1_000_000) for number in (1, 2, 3)]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    with store(path) as reader:
        for number in (1, 2, 3):
            for trace in (0, 100, 199):
                assert len((await found(reader, f"{number * 1_000_000 + trace:032x}")).spans) == 5
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT sum(spans), (SELECT spans FROM totals) FROM pieces").fetchone() == (
            3000,
            3000,
        )


async def test_a_killed_writer_leaves_a_store_that_opens(tmp_path: Path) -> None:
    """Kill -9 in the middle of writing: what was settled is there, and it goes on."""
    path = tmp_path / "traces.sqlite3"
    for round_number in range(3):
        writer = writing(path, 10_000_000, (round_number + 1) * 1_000_000)
        assert writer.stdout is not None
        settled = 0
        while settled < 50:
            text = writer.stdout.readline().strip()
            settled = int(text) if text.isdigit() else 0
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate(timeout=10)
        with store(path) as reader:
            for trace in range(settled):
                assert len((await found(reader, f"{(round_number + 1) * 1_000_000 + trace:032x}")).spans) == 5
            assert reader.trouble is None
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_many_threads_may_add_and_ask_at_once(kept: TraceStore) -> None:
    """Everything arrives, and answers are given meanwhile."""

    def add() -> None:
        for _ in range(100):
            kept.add([span()])

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        await asyncio.gather(*(listed(kept, limit=10) for _ in range(4)))
    for thread in threads:
        thread.join()
    until(lambda: kept.settle(1.0), "the last ones to be written")
    assert len(await listed(kept, limit=500)) == 400


def test_a_span_says_what_it_needs() -> None:
    """The plain type that receivers fill has defaults for all that is optional."""
    bare = StoredSpan(new_id(32), new_id(), "name", 1, 2)

    assert (bare.kind, bare.status, bare.parent_id, bare.is_root) == ("internal", "unset", None, None)
