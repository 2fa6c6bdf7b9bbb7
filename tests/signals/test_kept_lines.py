"""The log lines of a kept trace go with it, as they were written; those of others are forgotten."""

import asyncio
import logging as stdlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.trace import StatusCode

from lightwell.errors import Busy
from lightwell.instrumentation import lines as kept_lines
from lightwell.instrumentation import logging
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.kept import KeptTrace, Line
from lightwell.instrumentation.lines import MOST_LINES
from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.recording import MOST_RUNS
from lightwell.instrumentation.words import log
from tests.signals.conftest import Signals, talk
from tests.signals.toy import make_app

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
MakeSignals = Callable[..., Signals]


class _Sink:
    def __init__(self) -> None:
        self.kept: list[KeptTrace] = []

    def __call__(self, kept: KeptTrace) -> None:
        self.kept.append(kept)

    @property
    def lines(self) -> list[Line]:
        return [line for kept in self.kept for line in kept.lines]

    @property
    def events(self) -> list[str]:
        return [line.event for line in self.lines]


def _sink(signals: Signals) -> _Sink:
    sink = _Sink()
    signals.telemetry.add_sink(sink)
    return sink


@contextmanager
def _held_lines() -> Iterator[None]:
    """What is held in all is the same afterwards as before."""
    before = kept_lines._held.lines  # noqa: SLF001 -- the bound itself is what is tested
    yield
    assert kept_lines._held.lines == before  # noqa: SLF001


async def test_a_failing_request_brings_its_lines(signals: Signals) -> None:
    """The failure with its stack, and the canonical line; each with the time, the trace and what the line says."""
    sink = _sink(signals)
    transport = httpx.ASGITransport(make_app(signals.telemetry.tracing))
    with _held_lines():
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            answer = await client.get("/api/things/fail/unit")

    (kept,) = sink.kept
    failure, canonical = kept.lines
    root = kept.spans[0]
    assert root.context is not None
    assert root.start_time is not None
    assert (failure.event, failure.level) == ("request.failed", "error")
    assert failure.fields["exception_type"] == "ValueError"
    assert failure.fields["exception_message"] == "the disk is on fire"
    assert failure.fields["stack"].endswith("ValueError: the disk is on fire\n")
    assert (canonical.event, canonical.level) == ("http.request", "error")
    assert (canonical.fields["route"], canonical.fields["status"]) == ("/api/things/fail/unit", 500)
    assert canonical.fields["flow_run_id"] == "run-1"
    for line in kept.lines:
        assert line.trace_id == answer.headers["x-trace-id"] == f"{root.context.trace_id:032x}"
        assert line.span_id == f"{root.context.span_id:016x}"
        assert line.at >= root.start_time - 1_000_000
        assert not {"event", "level", "timestamp", "trace_id", "span_id"} & set(line.fields)
    written = [one for one in signals.lines if one["event"] in {"request.failed", "http.request"}]
    for line, said in zip(kept.lines, written, strict=True):
        assert line.fields == {name: said[name] for name in line.fields}


async def test_a_healthy_request_outside_of_the_baseline_leaves_nothing(make_signals: MakeSignals) -> None:
    """Its lines are written, and held no longer than it runs."""
    signals = make_signals(0.0)
    sink = _sink(signals)
    transport = httpx.ASGITransport(make_app(signals.telemetry.tracing))
    with _held_lines():
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            await client.get(f"/api/things/{ID}")

    assert len(signals.events("http.request")) == 1
    assert sink.kept == []


def test_a_tick_brings_lines_of_all_kinds(signals: Signals) -> None:
    """Ours and other libraries', from its own task and from its threads; plain values stay, others are text."""
    sink = _sink(signals)
    some = uuid4()
    with signals.telemetry.ticks.tick("late_runs"):
        log.warning("loop.tick_put_off", some=some, many=[1, some], nothing=None, nested={"a": some})
        stdlib.getLogger("somebody.else").warning("the disk is %d %% full", 99)

    ours, other = sink.lines
    assert dict(ours.fields) == {
        "some": str(some),
        "many": [1, str(some)],
        "nothing": None,
        "nested": {"a": str(some)},
    }
    assert (other.event, other.fields["logger"]) == ("the disk is 99 % full", "somebody.else")


def test_a_tick_that_fails_brings_the_line_that_says_so(signals: Signals) -> None:
    """With its stack, or, where time will mend it, without."""
    sink = _sink(signals)
    for error in (ValueError("x"), Busy("y")):
        with pytest.raises(type(error)), signals.telemetry.ticks.tick("late_runs"):
            raise error

    assert sink.events == ["loop.tick_failed", "loop.tick_put_off"]
    assert ["stack" in line.fields for line in sink.lines] == [True, False]


async def test_work_after_the_answer_brings_its_line(signals: Signals) -> None:
    """The line of what failed in the background is of that root, not of the request's."""
    sink = _sink(signals)
    transport = httpx.ASGITransport(make_app(signals.telemetry.tracing))
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
        await client.get("/api/things/background/true")

    assert [(kept.spans[0].name, [line.event for line in kept.lines]) for kept in sink.kept] == [
        ("GET /api/things/background/{fails}", ["http.request"]),
        ("background /api/things/background/{fails}", ["background.failed"]),
    ]


async def test_a_task_that_nobody_awaits_is_a_trace_of_its_own(make_signals: MakeSignals) -> None:
    """Kept, with the line that says it; whatever request or tick was going on when it was found is left alone."""
    signals = make_signals(0.0)
    sink = _sink(signals)
    logging.tell_unhandled(signals.telemetry.tracing)
    try:
        with signals.telemetry.ticks.tick("late_runs"):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "Task exception was never retrieved", "exception": RuntimeError("a defect")}
            )
    finally:
        logging.tell_unhandled(None)

    (kept,) = sink.kept
    (root,) = kept.spans
    assert (root.name, root.status.status_code) == ("background task", StatusCode.ERROR)
    (line,) = kept.lines
    assert (line.event, line.fields["exception_message"]) == ("Task exception was never retrieved", "a defect")
    assert root.context is not None
    assert line.trace_id == f"{root.context.trace_id:032x}"


@pytest.mark.parametrize(("ratio", "expected"), [(1.0, ["websocket.closed"]), (0.0, [])])
async def test_a_late_line_follows_the_decision(ratio: float, expected: list[str], make_signals: MakeSignals) -> None:
    """The line of a websocket's end comes long after its handshake: with the handshake's trace, if that was kept."""
    signals = make_signals(ratio)
    sink = _sink(signals)
    async with talk(make_app(signals.telemetry.tracing), "prefect") as session:
        await session.say("auth")

    assert len(signals.events("websocket.closed")) == 1
    assert sink.events == expected


async def test_a_late_error_is_kept_in_any_case(make_signals: MakeSignals) -> None:
    """As a late span that failed is."""
    signals = make_signals(0.0)
    sink = _sink(signals)
    session = talk(make_app(signals.telemetry.tracing), "prefect")
    await session.__aenter__()
    await session.say("auth")
    await session.say("crash")
    with pytest.raises(RuntimeError, match="crashed"):
        await session.__aexit__()

    assert "websocket.failed" in sink.events


def test_lines_are_bounded_for_a_trace(signals: Signals) -> None:
    """The first ones are held, the others counted, and all written."""
    sink = _sink(signals)
    before = GAUGES.dropped.get(("logs", "too_many_lines"), 0)
    with _held_lines(), signals.telemetry.ticks.tick("late_runs"):
        for _ in range(MOST_LINES + 10):
            log.info("http.request")

    assert len(sink.lines) == MOST_LINES
    assert GAUGES.dropped["logs", "too_many_lines"] - before == 10
    assert len(signals.events("http.request")) == MOST_LINES + 10


def test_lines_are_bounded_in_all(signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many roots that say much hold no more together than the limit; who comes later has room again."""
    monkeypatch.setattr(kept_lines, "MOST_LINES_IN_ALL", 30)
    sink = _sink(signals)

    def speak(barrier: threading.Barrier) -> None:
        with signals.telemetry.ticks.tick("late_runs"):
            for _ in range(10):
                log.info("http.request")
            barrier.wait(10)

    with _held_lines():
        for _ in range(2):
            sink.kept.clear()
            barrier = threading.Barrier(5)
            threads = [threading.Thread(target=speak, args=(barrier,)) for _ in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(sink.lines) == 30


def test_a_root_remembers_the_runs_that_it_touched(signals: Signals) -> None:
    """All of them in a list beside the last one, up to a limit; a single one needs no list."""
    runs = [UUID(int=number) for number in range(MOST_RUNS + 10)]
    for touched in (runs[:1], runs[:3], runs):
        with signals.telemetry.ticks.tick("late_runs"):
            for run in (*touched, touched[-1]):
                annotate(flow_run_id=run)

    one, three, many = (span.attributes or {} for span in signals.spans)
    assert one["lightwell.flow_run_id"] == str(runs[0])
    assert "lightwell.flow_run_ids" not in one
    assert three["lightwell.flow_run_id"] == str(runs[2])
    assert three["lightwell.flow_run_ids"] == tuple(map(str, runs[:3]))
    assert many["lightwell.flow_run_ids"] == tuple(map(str, runs[:MOST_RUNS]))


async def test_spans_and_lines_of_one_root_lie_inside_of_it(app: FastAPI, signals: Signals) -> None:
    """The canonical line is written before the decision, and does not move the end that was measured."""
    sink = _sink(signals)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as client:
        await client.post(f"/api/things/{ID}/set_state")

    (kept,) = sink.kept
    root = kept.spans[0]
    assert root.start_time is not None
    assert root.end_time is not None
    assert {line.event for line in kept.lines} == {"http.request"}
    took = kept.lines[0].fields["duration_ms"] * 1e6
    assert abs(root.end_time - root.start_time - took) < 1_001
