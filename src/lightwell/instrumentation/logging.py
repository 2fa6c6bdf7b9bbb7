"""One pipeline for every log line of the process: ours by structlog, the standard library's and uvicorn's by a handler.

JSON on standard error, or text for reading when that is a terminal; each line carries the trace it belongs to.
"""

import json
import logging
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final, Literal, cast

import orjson
import structlog
from opentelemetry import trace

from lightwell.instrumentation.apart import apart
from lightwell.instrumentation.complaints import COMPLAINTS
from lightwell.instrumentation.failures import is_reported
from lightwell.instrumentation.lines import OUTLET, hold, line_of
from lightwell.instrumentation.outcomes import failed, message_of, qualified_name, stack_of
from lightwell.instrumentation.recording import current
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.words import Target, log

Format = Literal["auto", "json", "console"]
Event = MutableMapping[str, Any]

LEVELS: Final[Mapping[str, int]] = {
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}

_BETWEEN_REPEATS: Final = 60.0
_RUNNERS: Final = ("uvicorn", "uvicorn.error", "uvicorn.asgi")
_QUIET: Final = ("httpx", "httpcore", "asyncio", "urllib3", "alembic", "uvicorn.error", "websockets")
"""Loggers that speak from WARNING on, at any level of ours: below it uvicorn's tell the query of each websocket's URL,
and what is in its frames."""
_MOST_REPEATS: Final = 1000


def configure(level: str = "INFO", form: Format = "auto") -> None:
    """Send every log line of the process through the pipeline; called again, the last call counts."""
    render = _Console() if form == "console" or (form == "auto" and sys.stderr.isatty()) else to_json
    least = LEVELS[level.upper()]
    _PROCESSORS[:] = [stamp, cast("structlog.types.Processor", render)]
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=_Writer,
        cache_logger_on_first_use=True,
    )
    log.bind_to(cast("Target", structlog.get_logger("lightwell").bind()))
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, PipelineHandler)]:
        root.removeHandler(handler)
    root.addHandler(PipelineHandler(render))
    root.setLevel(least)
    for name in _RUNNERS:
        runner = logging.getLogger(name)
        runner.handlers.clear()
        runner.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(least, logging.WARNING))
    logging.getLogger("uvicorn.access").disabled = True


def stamp(_logger: Any, method: str, event: Event) -> Event:
    """Put the time, the level and the present trace on a line, and an exception as type, message and stack.

    The line is held for that trace, too (`lines.py`).
    """
    event["level"] = method
    event["timestamp"] = datetime.now(UTC)
    recording = current()
    if recording is not None:
        event["trace_id"] = recording.trace_id
        event["span_id"] = recording.span_id
    else:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = trace.format_trace_id(context.trace_id)
            event["span_id"] = trace.format_span_id(context.span_id)
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["exception_type"] = qualified_name(error)
        event["exception_message"] = message_of(error)
        event["stack"] = stack_of(error)
    if recording is not None:
        hold(recording, event)
    if method in OUTLET.levels:
        OUTLET.take(line_of(event))
    return event


def to_json(_logger: Any, _method: str, event: Event) -> bytes:
    """One line of JSON."""
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return json.dumps(event, default=str, skipkeys=True).encode("ascii")


class _Console:
    """Lines for a person: colours on a terminal, the stack below the line."""

    def __init__(self) -> None:
        self._render = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24)

    def __call__(self, logger: Any, method: str, event: Event) -> bytes:
        shown = dict(event)  # the line itself may be held for its trace
        shown["timestamp"] = event["timestamp"].astimezone().strftime("%H:%M:%S.%f")[:-3]
        stack = shown.pop("stack", None)
        line = self._render(logger, method, shown)
        text = f"{line}\n{stack.rstrip()}" if stack else line
        return text.encode("utf-8", "backslashreplace")


class _Writer:
    """Writes finished lines to what standard error is at that moment, one write a line."""

    def __init__(self, *_names: str) -> None:
        return

    def msg(self, line: bytes) -> None:
        """Write one line; a standard error that is closed or full is no reason to fail a request."""
        write(line)

    debug = info = warning = error = critical = exception = log = msg


_lock: Final = threading.RLock()
"""One that a thread may take again: a task that is found dead while a line is written is said by a line."""


def write(line: bytes) -> None:
    """Write one line to standard error."""
    try:
        stream = sys.stderr
        buffer = getattr(stream, "buffer", None)
        with _lock:
            if buffer is not None:
                buffer.write(line + b"\n")
                buffer.flush()
            elif stream is not None:
                stream.write(line.decode("utf-8", "replace") + "\n")
    except (OSError, ValueError):
        return


_PROCESSORS: Final[list[structlog.types.Processor]] = []
"""One list for the life of the process: loggers that were cached, and `structlog.testing`, hold on to it."""


class _Unhandled:
    tracing: Tracing | None = None


_unhandled: Final = _Unhandled()


def tell_unhandled(tracing: Tracing | None) -> None:
    """Make a trace of each failure of a task that nobody awaits, which asyncio finds and says."""
    _unhandled.tracing = tracing


class PipelineHandler(logging.Handler):
    """Brings records of the standard library into the pipeline.

    What the SDK says of a collector that is away is passed on once a minute; what failed and was told already is not
    told again, nor what a client's octets were: the close of its connection says that.
    """

    def __init__(self, render: Callable[[Any, str, Event], bytes]) -> None:
        super().__init__()
        self._render = render
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record as a line."""
        try:
            error = record.exc_info[1] if record.exc_info else None
            if (
                COMPLAINTS.hears(record)
                or is_reported(error)
                or (record.name.startswith("opentelemetry") and self._is_repeated(record))
            ):
                return
            if record.name in _RUNNERS and isinstance(error, UnicodeDecodeError):
                return
            tracing = _unhandled.tracing if record.name == "asyncio" else None
            if tracing is None or not failed(error):
                self._tell(record, error)
            elif error is not None:
                # Wherever the task was found dead, that request or tick has nothing to do with it.
                with apart(tracing, error, name="task"):
                    self._tell(record, error)
        except Exception:  # noqa: BLE001 -- the standard library's contract for handlers
            self.handleError(record)

    def _tell(self, record: logging.LogRecord, error: BaseException | None) -> None:
        event: Event = {"event": _message_of(record, error), "logger": record.name, "exc_info": error}
        write(self._render(None, "", stamp(None, record.levelname.lower(), event)))

    def _is_repeated(self, record: logging.LogRecord) -> bool:
        now = monotonic()
        if now - self._said.get(record.name, -_BETWEEN_REPEATS) < _BETWEEN_REPEATS:
            return True
        if len(self._said) < _MOST_REPEATS:
            self._said[record.name] = now
        return False


def _message_of(record: logging.LogRecord, error: BaseException | None) -> str:
    """What a record says; where asyncio goes on after it with the `repr` of a failed task or callback, not that."""
    text = record.getMessage().rstrip()
    return text.partition("\n")[0] if record.name == "asyncio" and error is not None else text
