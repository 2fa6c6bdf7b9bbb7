"""Trace contexts in the labels of flow runs: so that a run's own trace and the server's are one, or at least linked."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanContext, TraceFlags

from lightwell.instrumentation.recording import Recording, current

LABEL: Final = "__OTEL_TRACEPARENT"
"""The label in which the client keeps, and looks for, the trace context of a flow run."""

_SAMPLED: Final = 1
_MOST_LINKS: Final = 16
_LONGEST: Final = 256
_IDS: Final = RandomIdGenerator()
_SHAPE: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


def make_traceparent() -> str:
    """A W3C `traceparent` for something that continues elsewhere: of the present span, else of a fresh trace.

    The sampled flag is always set: without it a client with an SDK would not trace its run at all, and whether this
    server keeps its own part is not known yet.
    """
    recording = current()
    if recording is not None:
        return f"00-{recording.trace_id}-{recording.span_id}-{_SAMPLED:02x}"
    context = trace.get_current_span().get_span_context()
    trace_id = context.trace_id if context.is_valid else _IDS.generate_trace_id()
    span_id = context.span_id if context.is_valid else _IDS.generate_span_id()
    return f"00-{trace_id:032x}-{span_id:016x}-{_SAMPLED:02x}"


def parse_traceparent(text: object) -> SpanContext | None:
    """What a `traceparent` says; None for anything that is none."""
    match = _SHAPE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    context = SpanContext(
        trace_id=int(match[1], 16),
        span_id=int(match[2], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(match[3], 16) & _SAMPLED),
    )
    return context if context.is_valid else None


def link_run(labels: Mapping[str, object] | None) -> None:
    """Link the present request or tick to the trace that a run's labels hold, if they hold one.

    Works from database threads; what the label says is read only where the trace is kept (`links_of`).
    """
    text = labels.get(LABEL) if labels else None
    recording = current() if isinstance(text, str) and len(text) <= _LONGEST else None
    if recording is not None and len(recording.links) < _MOST_LINKS:
        recording.links[cast("str", text)] = None


def links_of(recording: Recording) -> Iterator[SpanContext]:
    """The traces that were linked, each once, without its own."""
    seen = {recording.trace_id}
    for context in map(parse_traceparent, recording.links):
        if context is not None and (trace_id := f"{context.trace_id:032x}") not in seen:
            seen.add(trace_id)
            yield context
