"""Loops are started, watched and started again; told in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from lightwell.errors import Busy, Defect, Unavailable
from lightwell.instrumentation import logging
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.ticks import Ticks
from lightwell.kit.clock import Clock, SystemClock
from lightwell.loops.runner import Loop, Runner
from lightwell.storage.database import Database
from tests.loops.virtual_time import live, now

PERIOD = 10.0
NO_DATABASE = cast("Database", object())


class Recorder:
    """A tick that notes when it was called, and does what it is told to: `do[n]` the n-th time, else nothing."""

    def __init__(self, *do: Callable[[], Awaitable[int]]) -> None:
        self._do = iter(do)
        self.at: list[float] = []

    async def __call__(self, _database: Database, _clock: Clock) -> int:
        """The tick."""
        self.at.append(now())
        act = next(self._do, None)
        return 0 if act is None else await act()


def raising(error: BaseException) -> Callable[[], Awaitable[int]]:
    """What fails."""

    async def act() -> int:
        raise error

    return act


async def hanging() -> int:
    """What never comes back."""
    await asyncio.Event().wait()
    return 0


@asynccontextmanager
async def running(tick: Any, **options: Any) -> AsyncIterator[Runner]:
    """A runner of one loop."""
    loop = Loop(name="test", period=timedelta(seconds=PERIOD), tick=tick, **options)
    runner = Runner([loop], NO_DATABASE, SystemClock(), Ticks(Tracing()))
    runner.start()
    try:
        yield runner
    finally:
        await runner.stop()


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The log lines that came out."""
    logging.configure("INFO", "json")
    yield lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    logging.configure("WARNING", "json")


def _named(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(line["level"], line["event"]) for line in lines]


def test_a_loop_looks_once_a_period() -> None:
    """Give or take a tenth, so that several servers do not look at the same time; the first time within a second."""
    tick = Recorder()

    async def story() -> None:
        async with running(tick):
            await asyncio.sleep(101)

    live(story())
    assert 0 <= tick.at[0] <= 1
    pauses = [after - before for before, after in zip(tick.at, tick.at[1:], strict=False)]
    assert len(pauses) in (9, 10, 11)
    assert all(0.9 * PERIOD <= pause <= 1.1 * PERIOD for pause in pauses)
    assert len({round(pause, 3) for pause in pauses}) > 1


def test_what_fails_is_told_and_goes_on(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """A defect is an alarm with its traceback, and the next tick comes as it would have."""
    tick = Recorder(raising(Defect("broken")), raising(ValueError("odd")))

    async def story() -> None:
        async with running(tick) as runner:
            await asyncio.sleep(45)
            assert runner.stale() == []

    live(story())
    assert 4 <= len(tick.at) <= 5
    assert _named(lines()) == [("error", "loop.tick_failed")] * 2


def test_what_time_can_mend_is_tried_again_soon_and_without_an_alarm(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    """After 1, 2, 4, 8 and 10 seconds, then every 10; after a success once a period again."""
    tick = Recorder(*[raising(Unavailable("no database"))] * 6, raising(Busy("full")))

    async def story() -> None:
        async with running(tick):
            await asyncio.sleep(80)

    live(story())
    pauses = [after - before for before, after in zip(tick.at, tick.at[1:], strict=False)]
    expected = [1, 2, 4, 8, 10, 10, 10, PERIOD]
    assert all(abs(pause - wanted) <= 0.1 * wanted for pause, wanted in zip(pauses, expected, strict=False))
    told = lines()
    assert _named(told) == [("warning", "loop.tick_put_off")] * 7
    assert told[0]["exception_message"] == "no database"


def test_what_takes_too_long_is_broken_off(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """At its deadline; then it waits for at least a period."""
    tick = Recorder(hanging)

    async def story() -> None:
        async with running(tick, deadline=timedelta(seconds=5)):
            await asyncio.sleep(30)

    live(story())
    assert 0.9 * PERIOD + 5 <= tick.at[1] - tick.at[0] <= 1.1 * PERIOD + 5
    (line,) = lines()
    assert line["exception_message"] == "The loop test took longer than 5 s"


def test_a_timeout_of_the_ticks_own_is_not_the_deadline(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """Nobody else foresaw it: it is a defect."""
    tick = Recorder(raising(TimeoutError()))

    async def story() -> None:
        async with running(tick):
            await asyncio.sleep(5)

    live(story())
    assert _named(lines()) == [("error", "loop.tick_failed")]


@pytest.mark.parametrize("when", ["between", "within"])
def test_a_loop_that_dies_is_started_again(when: str, lines: Callable[[], list[dict[str, Any]]]) -> None:
    """Also when somebody cancels its task, whatever it is doing; and that is told."""
    tick = Recorder(*([hanging] if when == "within" else []))

    async def story() -> None:
        async with running(tick):
            await asyncio.sleep(2)
            (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "loop test"]
            task.cancel()
            await asyncio.sleep(2)
            assert task.done()
            assert [task.get_name() for task in asyncio.all_tasks()].count("loop test") == 1

    live(story())
    assert len(tick.at) == 2
    assert _named(lines()) == [("error", "loop.restarted")]


def test_a_loop_tells_how_long_ago_it_succeeded() -> None:
    """Since its start where it never has, and whether that is too long; nothing of one that does not run."""
    tick = Recorder(*[raising(ValueError())] * 99)

    async def story() -> None:
        async with running(tick, deadline=timedelta(seconds=20)) as runner:
            await asyncio.sleep(45)
            assert runner.ages()["test"].since_success.total_seconds() == pytest.approx(45, abs=1)
            assert not runner.ages()["test"].stale
            await asyncio.sleep(20)
            assert runner.ages()["test"].stale
        assert runner.ages() == {}

    live(story())


def test_a_loop_without_success_becomes_stale() -> None:
    """After three periods (half a minute at least) and a deadline; it is well again as soon as it succeeds."""
    tick = Recorder(*[raising(ValueError())] * 9)

    async def story() -> list[float]:
        stale = []
        async with running(tick, deadline=timedelta(seconds=20)) as runner:
            for _ in range(130):
                await asyncio.sleep(1)
                if runner.stale() == ["test"]:
                    stale.append(now())
        assert runner.stale() == []
        return stale

    stale = live(story())
    assert stale[0] == pytest.approx(51, abs=1)
    assert stale[-1] == pytest.approx(tick.at[9], abs=1)


def test_a_tick_that_cannot_be_broken_off_does_not_keep_the_server_from_stopping() -> None:
    """It is given a few seconds."""
    release: list[asyncio.Event] = []

    async def stubborn(_database: Database, _clock: Clock) -> int:
        release.append(asyncio.Event())
        while not release[0].is_set():
            try:
                await release[0].wait()
            except asyncio.CancelledError:
                continue
        return 0

    async def story() -> float:
        async with running(stubborn):
            await asyncio.sleep(2)
        stopped = now()
        release[0].set()
        return stopped

    assert live(story()) == pytest.approx(7, abs=1)


def test_a_loop_that_was_stopped_stays_so() -> None:
    """Its end is not taken for a death."""
    tick = Recorder()

    async def story() -> None:
        async with running(tick):
            await asyncio.sleep(2)
        await asyncio.sleep(60)

    live(story())
    assert len(tick.at) == 1
