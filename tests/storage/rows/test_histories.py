"""Histories and average lateness, against the same sums in plain Python, on both databases."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from lightwell.contract.flow_runs import FlowRunFilter, FlowRunResponse
from lightwell.contract.history import HistoryInterval
from lightwell.storage import flow_run_figures, flow_runs
from lightwell.storage.database import Database
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making
from tests.storage.rows.making import NOON, state

KINDS = ("SCHEDULED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED")


def _populate(tx: Transaction) -> None:
    chance = Random(7)  # noqa: S311 -- the same runs every time
    flow_id = making.flow(tx)
    for number in range(300):
        kind = chance.choice(KINDS)
        due = NOON + timedelta(microseconds=chance.randrange(-600_000_000, 4_000_000_000))
        values: dict[str, Any] = {"expected_start_time": due, "name": f"run-{number}"}
        if kind not in ("SCHEDULED", "CANCELLED"):
            values["start_time"] = due + timedelta(microseconds=chance.randrange(-5_000_000, 60_000_000))
            values["total_run_time"] = timedelta(microseconds=chance.randrange(90_000_000))
        making.flow_run(tx, flow_id, state(kind, due), **values)
    making.flow_run(tx, flow_id, name="without state", expected_start_time=NOON)


def _drawn(
    reader: Reader, start: datetime, end: datetime, interval: timedelta
) -> tuple[list[HistoryInterval], list[FlowRunResponse], float | None]:
    drawn = flow_run_figures.history(reader, start=start, end=end, interval=interval)
    return drawn, flow_runs.select(reader), flow_run_figures.lateness(reader)


@pytest.mark.parametrize("seconds", [7.5, 60, 3600])
async def test_a_history_is_the_sum_of_its_runs(store: Database, seconds: float) -> None:
    """Each run counts once, in the interval of its expected start, with its run time and its lateness as of now."""
    await store.write(_populate)
    start, interval = NOON + timedelta(microseconds=123), timedelta(seconds=seconds)
    end = start + timedelta(minutes=31, seconds=1)
    drawn, runs, average = await store.read(_drawn, start, end, interval)
    assert len(drawn) == -((start - end) // interval)
    assert [one.interval_start for one in drawn] == [start + index * interval for index in range(len(drawn))]
    assert all(one.interval_end - one.interval_start == interval for one in drawn)
    expected: dict[tuple[int, str], list[Any]] = defaultdict(lambda: [0, timedelta(0), timedelta(0)])
    for run in runs:
        assert run.expected_start_time is not None
        index = (run.expected_start_time - start) // interval
        if 0 <= index < len(drawn) and run.state_type is not None:
            sums = expected[index, run.state_type.value]
            sums[0] += 1
            sums[1] += run.estimated_run_time
            sums[2] += run.estimated_start_time_delta
    found = {
        (index, one.state_type.value): [one.count_runs, one.sum_estimated_run_time, one.sum_estimated_lateness]
        for index, part in enumerate(drawn)
        for one in part.states
    }
    assert found == expected
    late = sum((run.estimated_start_time_delta for run in runs if run.state_type is not None), timedelta(0))
    assert average == pytest.approx(late.total_seconds() / len(runs), rel=1e-9)


async def test_a_history_has_an_end(store: Database) -> None:
    """At most 500 intervals, and none at all where the end is not after the start."""
    second = timedelta(seconds=1)
    now = datetime.now(UTC)
    assert len((await store.read(_drawn, now, now + 5000 * second, second))[0]) == 500
    assert (await store.read(_drawn, now, now, second))[0] == []
    assert (await store.read(_drawn, now, now - second, second))[0] == []


async def test_no_runs_have_no_lateness(store: Database) -> None:
    """An average over nothing is nothing."""
    await store.write(_populate)
    nobody = FlowRunFilter.model_validate({"name": {"any_": ["nobody"]}})
    assert await store.read(flow_run_figures.lateness, flow_runs=nobody) is None
