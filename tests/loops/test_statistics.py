"""The loops that count for metrics: only where somebody reads, seldom enough, and never a reason to be not ready."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import NoReturn

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from lightwell.errors import Busy, TimedOut
from lightwell.instrumentation import figures, metrics
from lightwell.loops.exporter_names import ExporterNames
from lightwell.loops.readings import Reading, renew
from lightwell.loops.statistics import Statistics
from lightwell.storage.database import Database
from lightwell.storage.transaction import Reader
from tests.timed import MovingClock

NEVER = timedelta(days=1)


@pytest.fixture
def read() -> Iterator[None]:
    """Somebody reads metrics."""
    metrics.bind(MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False).get_meter("lightwell"))
    yield
    metrics.bind(None)
    figures.forget()


@pytest.fixture
def nobody_reads() -> None:
    """Nobody does."""
    metrics.bind(None)
    figures.forget()


def _statistics(sizes_period: timedelta = NEVER) -> Statistics:
    return Statistics(late_after=timedelta(seconds=15), sizes_period=sizes_period)


@pytest.mark.usefixtures("nobody_reads")
async def test_where_nobody_reads_nothing_is_counted(store: Database, clock: MovingClock) -> None:
    """The tick does no work, and nothing is held."""
    assert await _statistics().tick(store, clock) == 0
    assert await ExporterNames(window=NEVER, most_series=10).tick(store, clock) == 0
    assert figures.read("lightwell.runs") == []


@pytest.mark.usefixtures("read")
async def test_everything_is_counted_at_once_at_first(store: Database, clock: MovingClock) -> None:
    """And all of it is told, with zeros where there is nothing."""
    assert await _statistics().tick(store, clock) == 5
    assert await ExporterNames(window=NEVER, most_series=10).tick(store, clock) == 1

    runs = figures.read("lightwell.runs")
    assert len(runs) == 2 * 10
    assert {number for number, _ in runs} == {0}
    assert {number for number, _ in figures.read("lightwell.runs.late")} == {0}
    assert figures.read("lightwell.leases.held") == [(0, {})]
    assert figures.read("prefect_flows_total") == [(0, {})]
    assert figures.read("lightwell.exporter_names.dropped") == [(0, {})]
    assert figures.read("lightwell.db.size")[0][0] > 0


async def _again(reading: Reading[int], database: Database, seconds: float) -> float:
    """After how many seconds it was asked again."""
    time = asyncio.get_running_loop().time
    began = time()
    while not await renew([reading], database, "test"):
        assert time() - began < seconds + 5, "it was not asked again"
        await asyncio.sleep(0.005)
    return time() - began


@pytest.mark.usefixtures("read")
async def test_what_takes_long_rests_for_longer(store: Database) -> None:
    """A hundred times as long as it took."""

    def slow(reader: Reader) -> int:
        for _ in range(200):
            reader.connection.exec_driver_sql("SELECT 1")
        return 1

    told: list[int] = []
    reading = Reading(slow, told.append)
    assert await renew([reading], store, "test") == 1
    assert await renew([reading], store, "test") == 0
    assert await _again(reading, store, 30) > 0.1
    assert told == [1, 1]


@pytest.mark.usefixtures("read")
async def test_some_are_asked_no_more_often_than_they_are_to_be(store: Database) -> None:
    """However quick they are."""
    told: list[int] = []
    often, seldom = Reading(lambda _: 1, told.append), Reading(lambda _: 2, told.append, NEVER)
    assert await renew([often, seldom], store, "test") == 2
    await _again(often, store, 1)
    assert await renew([seldom], store, "test") == 0
    assert told == [1, 2, 1]


def _time_out(_: Reader) -> NoReturn:
    raise TimedOut("The statement took too long")


def _refuse(_: Reader) -> NoReturn:
    raise Busy("Too many wait")


@pytest.mark.usefixtures("read")
async def test_one_that_takes_too_long_does_not_stop_the_others(store: Database) -> None:
    """It is reported and left alone for a while; what time will mend soon is the loop's to try again."""
    told: list[int] = []
    too_slow, quick = Reading(_time_out, told.append), Reading(lambda _: 1, told.append)
    assert await renew([too_slow, quick], store, "test") == 1
    assert await renew([too_slow], store, "test") == 0
    with pytest.raises(Busy):
        await renew([Reading(_refuse, told.append)], store, "test")
    assert told == [1]
