"""What is kept of one local root: its spans and its log lines, as every sink gets them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan


@dataclass(frozen=True, slots=True)
class Line:
    """A log line: `at` in nanoseconds since 1970, `level` in small letters, a static `event`, and its fields.

    An exception is three of the fields: `exception_type`, `exception_message` and `stack`.
    """

    at: int
    level: str
    event: str
    fields: Mapping[str, Any]
    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class KeptTrace:
    """The spans of a kept local root, itself first, and the log lines that were written for it.

    Spans and lines that came after the root's end follow by themselves, without their root.
    """

    spans: Sequence[ReadableSpan]
    lines: Sequence[Line] = ()


Sink = Callable[[KeptTrace], None]
"""Takes a kept trace, or what came late of one; returns at once and never raises."""
