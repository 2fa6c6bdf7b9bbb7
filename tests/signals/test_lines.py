"""Log lines: one pipeline for ours, the standard library's and uvicorn's; each with its trace; a traceback once."""

import asyncio
import io
import json
import logging as stdlib
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest
import sqlalchemy
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel, ValidationError
from structlog.testing import capture_logs

from lightwell.instrumentation import logging
from lightwell.instrumentation.failures import mark_reported
from lightwell.instrumentation.outcomes import message_of, stack_of
from lightwell.instrumentation.words import log
from tests.signals.conftest import Signals

Lines = Callable[[], list[str]]


def _last(lines: Lines) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(lines()[-1])
    return answer


def test_a_line_of_ours_is_json(log_lines: Lines) -> None:
    """Event, level, time and fields."""
    log.warning("loop.tick_failed", loop="late_runs", items=3)

    line = _last(log_lines)
    assert (line["event"], line["level"], line["loop"], line["items"]) == (
        "loop.tick_failed",
        "warning",
        "late_runs",
        3,
    )
    assert line["timestamp"].endswith("+00:00")


@pytest.mark.parametrize("value", ["\ud800", float("nan"), b"\xff", object(), 2**80, {1: "a", ("b",): 2}])
def test_no_value_breaks_a_line(value: object, log_lines: Lines) -> None:
    """What JSON has no form for is made readable, and the line is written."""
    log.info("http.request", value=value)

    assert _last(log_lines)["event"] == "http.request"


def test_lines_below_the_level_are_not_written(log_lines: Lines) -> None:
    """Debug is off at INFO, for ours and for the standard library."""
    before = len(log_lines())
    log.debug("loop.tick")
    stdlib.getLogger("somebody").debug("hello")

    assert len(log_lines()) == before


def test_the_standard_library_goes_through_the_pipeline(log_lines: Lines) -> None:
    """A record of any library is a line like ours, with its logger."""
    stdlib.getLogger("somebody.else").warning("disk %s is %d %% full", "a", 99)

    line = _last(log_lines)
    assert (line["event"], line["logger"], line["level"]) == ("disk a is 99 % full", "somebody.else", "warning")


def test_uvicorn_goes_through_the_pipeline_without_its_chatter(log_lines: Lines) -> None:
    """Its handlers are gone; the canonical line replaces its access log, and what it says of websockets."""
    for name in ("uvicorn", "uvicorn.error"):
        stdlib.getLogger(name).addHandler(stdlib.StreamHandler(sys.stderr))
    logging.configure("INFO", "json")
    stdlib.getLogger("uvicorn.error").info("connection open")
    stdlib.getLogger("uvicorn.error").error("Application startup failed. Exiting.")
    stdlib.getLogger("uvicorn.access").info("GET / 200")

    lines = [json.loads(line) for line in log_lines()]
    assert [line["event"] for line in lines if line.get("logger", "").startswith("uvicorn")] == [
        "Application startup failed. Exiting."
    ]


def test_a_line_inside_a_span_carries_its_trace(log_lines: Lines) -> None:
    """Ours and the standard library's alike, also for a span that is no request."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("work") as span:
        log.info("http.request")
        stdlib.getLogger("somebody").warning("hello")

    trace_ids = [json.loads(line)["trace_id"] for line in log_lines()[-2:]]
    assert trace_ids == [f"{span.get_span_context().trace_id:032x}"] * 2


def test_an_exception_that_was_told_is_not_told_again(log_lines: Lines) -> None:
    """The line of uvicorn's own about an exception that a handler has reported is left out; another one is written."""
    told, untold = RuntimeError("told"), RuntimeError("untold")
    mark_reported(told)
    for error in (told, untold):
        stdlib.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=error)

    lines = [json.loads(line) for line in log_lines() if "ASGI" in line]
    assert [line["exception_message"] for line in lines] == ["untold"]


def test_the_sdks_complaints_are_passed_on_once_a_minute(log_lines: Lines) -> None:
    """A collector that is away gives one line, not thirty."""
    for attempt in range(30):
        stdlib.getLogger("opentelemetry.exporter.otlp").warning("failed, retrying (%d)", attempt)

    assert len([line for line in log_lines() if "retrying" in line]) == 1


def test_structlogs_own_capture_sees_our_lines(signals: Signals) -> None:
    """`structlog.testing.capture_logs` works on the pipeline, whatever was cached."""
    assert signals is not None
    with capture_logs() as captured:
        log.info("http.request", status=200)

    assert captured == [{"event": "http.request", "status": 200, "log_level": "info"}]


def test_the_console_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text with the stack below, where that is asked for."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", stream)
    logging.configure("INFO", "console")
    log.error("request.failed", exc_info=ValueError("broken"))
    stream.seek(0)
    text = stream.read()
    logging.configure("WARNING", "json")

    assert "request.failed" in text
    assert text.rstrip().endswith("ValueError: broken")
    assert not text.startswith("{")


class _Thing(BaseModel):
    size: int


def _sqlite_error(statement: str) -> sqlite3.Error:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE thing (name TEXT UNIQUE)")
    database.execute("INSERT INTO thing VALUES ('hunter2')")
    with closing(database), pytest.raises(sqlite3.Error) as raised:
        database.execute(statement)
    return raised.value


def test_a_validation_error_is_told_without_its_input() -> None:
    """An unforeseen validation error reaches telemetry with places and types alone, also as a cause."""
    sent = {"size": "hunter2"}
    with pytest.raises(ValidationError) as invalid:
        _Thing.model_validate(sent)
    error = RuntimeError("no good")
    error.__cause__ = invalid.value
    text = stack_of(error) + message_of(invalid.value)

    assert "hunter2" not in text
    assert "size: int_parsing" in text
    assert "RuntimeError: no good" in text


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            _sqlite_error("INSERT INTO thing VALUES ('hunter2')"),
            "SQLITE_CONSTRAINT_UNIQUE: UNIQUE constraint failed: thing.name",
        ),
        (_sqlite_error("SELECT * FROM runs"), "SQLITE_ERROR: no such table: runs"),
        (_sqlite_error("SELECT hunter2 hunter2 hunter2"), "SQLITE_ERROR"),
        (
            psycopg.errors.UndefinedTable('relation "log" does not exist\nLINE 1: hunter2'),
            'SQLSTATE 42P01: relation "log" does not exist',
        ),
        (psycopg.errors.UniqueViolation("hunter2"), "SQLSTATE 23505"),
        (sqlalchemy.exc.OperationalError("hunter2", {}, psycopg.errors.DeadlockDetected("hunter2")), "SQLSTATE 40P01"),
        (ValueError("'hunter2' is not a valid StateType"), "'*' is not a valid StateType"),
        (KeyError("it's \\ hunter2"), "'*'"),
        (AttributeError("'NoneType' object has no attribute 'id'"), "'NoneType' object has no attribute 'id'"),
        (RuntimeError("the 'disk' is on fire"), "the 'disk' is on fire"),
    ],
)
def test_a_message_quotes_no_data(error: Exception, message: str) -> None:
    """Drivers are told by codes and by what they say of the schema, errors of value without what they quote."""
    assert message_of(error) == message


def _deep(depth: int) -> None:
    if depth:
        _deep(depth - 1) if depth % 2 else _deeper(depth - 1)
    else:
        raise RuntimeError("x" * 10_000_000)


def _deeper(depth: int) -> None:
    _deep(depth)


def test_a_failure_is_told_on_a_few_pages_at_most() -> None:
    """A long stack shows where it began and where it ended, a long message its beginning."""
    with pytest.raises(RuntimeError) as raised:
        _deep(300)
    text = stack_of(raised.value)

    assert len(text) < 17_000
    assert text.startswith("Traceback (most recent call last):\n")
    assert "RuntimeError: xxx" in text
    assert len(message_of(raised.value)) < 4_100


async def test_a_task_that_nobody_awaits_is_told_without_its_repr(log_lines: Lines) -> None:
    """What asyncio says of it holds the exception's text, which may quote anything."""
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task exception was never retrieved", "future": "hunter2", "exception": KeyError("hunter2")}
    )

    line = _last(log_lines)
    assert (line["event"], line["exception_message"]) == ("Task exception was never retrieved", "'*'")
    assert "hunter2" not in str(line)


def test_a_standard_error_that_is_closed_harms_nobody(monkeypatch: pytest.MonkeyPatch, log_lines: Lines) -> None:
    """Writing a line to a closed stream is given up silently."""
    assert log_lines() is not None
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    log.info("http.request")
