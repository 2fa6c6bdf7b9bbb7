"""How busy the routes are is told of all requests of all processes, and to a tenth of each duration."""

from pathlib import Path
from time import perf_counter_ns

import pytest

from lightwell.instrumentation.traffic import Traffic, bounds_of, bucket_of
from lightwell.telemetry.routes import percentile
from lightwell.telemetry.store import TraceStore
from lightwell.telemetry.writing import Ring

READ, WRITE = ("GET", "/api/things/{id}"), ("POST", "/api/things/")
MILLISECOND = 1_000_000


def served(*requests: tuple[tuple[str, str | None], int, int]) -> Traffic:
    """What a process saw: route, status and milliseconds of each request."""
    traffic = Traffic()
    for route, status, took in requests:
        traffic.note(
            route, status, took=took * MILLISECOND, ended=perf_counter_ns(), failed=status >= 500
        )  # fmt: skip
    return traffic


async def test_processes_are_added_by_the_file(tmp_path: Path) -> None:
    """What one process wrote is in the answer of another, beside what that one has seen itself."""
    path, ring = tmp_path / "traces.sqlite3", Ring(1000, 2**30, 3600.0)
    first = TraceStore(path, ring, traffic=served((READ, 200, 1), (READ, 503, 5), (WRITE, 422, 2)))
    first.start()
    assert first.close(10.0)
    second = TraceStore(path, ring, traffic=served((READ, 200, 3), (("GET", None), 404, 1)))
    second.start()
    await second.routes(10.0, minutes=60)
    table = await second.routes(10.0, minutes=60)
    assert second.close(10.0)

    assert table.processes == 2
    figures = {(row.method, row.route): (row.requests, row.errors, row.refused) for row in table.routes}
    assert figures == {READ: (3, 1, 0), WRITE: (1, 0, 1), ("GET", None): (1, 0, 1)}
    assert (table.routes[0].method, table.routes[0].route) == READ
    assert table.since < table.until


@pytest.mark.parametrize("took", [0, 1, 7, 8, 9, 999, 10**3, 10**6, 123_456_789, 10**10, 2**62])
def test_a_duration_is_told_to_a_tenth(took: int) -> None:
    """Four buckets to each doubling: the middle of one is never further from what is in it."""
    low, high = bounds_of(bucket_of(took))

    assert took < 8 or low <= took < high
    assert took < 8 or (high - low) / 2 <= took / 8


def test_percentiles_of_known_durations() -> None:
    """A hundred requests of 1 to 100 ms."""
    counts: dict[int, int] = {}
    for number in range(1, 101):
        bucket = bucket_of(number * MILLISECOND)
        counts[bucket] = counts.get(bucket, 0) + 1

    for share in (0.5, 0.95, 0.99):
        assert percentile(counts, share) == pytest.approx(share * 0.1, rel=0.1)
    assert percentile({}, 0.5) == 0.0
