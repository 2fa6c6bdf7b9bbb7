"""Ticks of loops: a root span each, with lag, items and the age of the last success."""

import threading

import pytest
from opentelemetry.trace import StatusCode

from lightwell.errors import Busy, Defect
from lightwell.instrumentation.failures import fail
from lightwell.instrumentation.units import Unit
from lightwell.instrumentation.vocabulary import TICK_FAILED
from tests.signals.conftest import Signals
from tests.signals.toy import work


def test_a_tick_is_a_root_with_its_work_in_it(signals: Signals) -> None:
    """Loop, lag and items on the span; units of database work below; a link to what caused it."""
    cause = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with signals.telemetry.ticks.tick("late_runs", lag=0.5, causes=[cause, "nonsense"]) as tick:
        unit = Unit("write", "late_runs.mark")
        thread = threading.Thread(target=work, args=(unit,))
        thread.start()
        thread.join()
        tick.items = 7

    spans = {span.name: span for span in signals.spans}
    root = spans["loop late_runs"]
    attributes = root.attributes or {}
    assert root.parent is None
    assert (attributes["lightwell.loop"], attributes["lightwell.loop.lag"]) == ("late_runs", 0.5)
    assert attributes["lightwell.loop.items"] == 7
    assert [f"{link.context.trace_id:032x}" for link in root.links] == ["0af7651916cd43dd8448eb211c80319c"]
    assert spans["write late_runs.mark"].parent == root.context
    assert [point.value for point in signals.points("lightwell.loop.items")] == [7]
    (point,) = signals.points("lightwell.loop.tick.duration")
    assert point.attributes == {"lightwell.loop": "late_runs", "lightwell.outcome": "ok"}


def test_a_tick_that_fails_is_told_once_and_goes_on_up(signals: Signals) -> None:
    """ERROR with the exception, one line with the stack, and the age of the last success grows."""
    signals.telemetry.ticks.watch("late_runs", 75.0)
    with pytest.raises(ValueError, match="x"), signals.telemetry.ticks.tick("late_runs"):
        raise ValueError("x")

    (span,) = signals.spans
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]
    assert (span.attributes or {})["error.type"] == "ValueError"
    (line,) = signals.events("loop.tick_failed")
    assert "stack" in line
    assert span.context is not None
    assert line["trace_id"] == f"{span.context.trace_id:032x}"


def test_what_time_can_mend_is_a_warning(signals: Signals) -> None:
    """The span says it all; the line has no stack, and is no alarm."""
    with pytest.raises(Busy), signals.telemetry.ticks.tick("late_runs"):
        raise Busy("x")

    (span,) = signals.spans
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "lightwell.errors.Busy"
    assert not signals.events("loop.tick_failed")
    (line,) = signals.events("loop.tick_put_off")
    assert line["level"] == "warning"
    assert (line["exception_type"], line["exception_message"]) == ("lightwell.errors.Busy", "x")
    assert "stack" not in line


def test_a_tick_that_reports_a_part_and_goes_on_has_succeeded(signals: Signals) -> None:
    """The part is an alarm and counts as what it is; the age of the last success begins anew."""
    with signals.telemetry.ticks.tick("late_runs") as tick:
        fail(Defect("broken"), TICK_FAILED, loop="late_runs")
        tick.items = 3

    (span,) = signals.spans
    assert span.status.status_code is StatusCode.ERROR
    assert len(signals.events("loop.tick_failed")) == 1
    (point,) = signals.points("lightwell.loop.tick.duration")
    assert point.attributes == {"lightwell.loop": "late_runs", "lightwell.outcome": "Defect"}
    assert signals.telemetry.ticks.last_success_age("late_runs") is not None
    signals.telemetry.ticks.forget("late_runs")


def test_a_loop_that_is_started_again_is_an_alarm(signals: Signals) -> None:
    """With what it had ended of, where there is such a thing."""
    signals.telemetry.ticks.restarted("late_runs", None)
    signals.telemetry.ticks.restarted("late_runs", ValueError("x"))
    first, second = signals.events("loop.restarted")
    assert (first["level"], first["loop"]) == ("error", "late_runs")
    assert "stack" not in first
    assert "stack" in second


def test_the_age_of_the_last_success_is_told_while_a_loop_runs(signals: Signals) -> None:
    """From its start, until it is stopped on purpose; beside it how old it may become."""
    ticks = signals.telemetry.ticks
    assert ticks.last_success_age("cleanup") is None
    ticks.watch("cleanup", 75.0)
    age = ticks.last_success_age("cleanup")
    assert age is not None
    assert age >= 0
    ages = signals.points("lightwell.loop.last_success.age")
    assert {"lightwell.loop": "cleanup"} in [point.attributes for point in ages]
    patiences = {point.attributes["lightwell.loop"]: point.value for point in signals.points("lightwell.loop.patience")}
    assert patiences["cleanup"] == 75.0
    ticks.forget("cleanup")
    assert ticks.last_success_age("cleanup") is None
