"""Log lines to a collector: those of kept traces at every level, and of everything else those that matter; none twice.

A line from the level on that was chosen goes out when it is written; the others of a kept trace follow with it.
"""

from collections.abc import Sequence
from typing import Final

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import TraceFlags
from opentelemetry.util.types import AnyValue

from lightwell.instrumentation.export import Queue
from lightwell.instrumentation.kept import KeptTrace, Line
from lightwell.instrumentation.vocabulary import SCOPE

_SEVERITIES: Final = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
_NAMES: Final = {
    "exception_type": "exception.type",
    "exception_message": "exception.message",
    "stack": "exception.stacktrace",
}
_LOGGER: Final = "logger"
_PLAIN: Final = (str, int, float, bool)
_LARGEST: Final = 1 << 63


class LineQueue:
    """Exports log lines; as a sink, those of kept traces that were not sent `at_once`, when they were written."""

    def __init__(
        self,
        exporter: LogRecordExporter,
        resource: Resource,
        *,
        at_once: frozenset[str],
        most_lines: int = 2048,
        batch: int = 512,
        every: float = 1.0,
    ) -> None:
        scope = InstrumentationScope(SCOPE)

        def send(lines: Sequence[Line]) -> bool:
            records = [ReadableLogRecord(record_of(line), resource, scope) for line in lines]
            return exporter.export(records) is LogRecordExportResult.SUCCESS

        self.at_once = at_once
        self.queue = Queue("logs", send, exporter.shutdown, most=most_lines, batch=batch, every=every)

    def __call__(self, kept: KeptTrace) -> None:
        """Take the lines of one trace."""
        self.queue.put([line for line in kept.lines if line.level not in self.at_once])

    def take(self, line: Line) -> None:
        """Take a line that was just written."""
        self.queue.put((line,))


def record_of(line: Line) -> LogRecord:
    """A line as OpenTelemetry has it: the event is body and name, the fields are attributes."""
    attributes = {_NAMES.get(name, name): _value(value) for name, value in line.fields.items() if value is not None}
    record = LogRecord(
        timestamp=line.at,
        observed_timestamp=line.at,
        trace_id=int(line.trace_id or "0", 16),
        span_id=int(line.span_id or "0", 16),
        trace_flags=TraceFlags(TraceFlags.DEFAULT),
        severity_text=line.level.upper(),
        severity_number=_SEVERITIES.get(line.level, SeverityNumber.UNSPECIFIED),
        body=line.event,
        attributes=attributes,
    )
    if _LOGGER not in line.fields:
        record.event_name = line.event  # another library's words are no name
    return record


def _value(value: object) -> AnyValue:
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    return str(value)
