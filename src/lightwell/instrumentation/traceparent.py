"""Trace contexts in the labels of flow runs: so that a run's own trace and the server's are one, or at least linked."""

import re
from collections.abc import Mapping
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanContext, TraceFlags

from lightwell.instrumentation.recording import current

LABEL: Final = "__OTEL_TRACEPARENT"
"""The label in which the client keeps, and looks for, the trace context of a flow run."""

_SAMPLED: Final = 1
_MOST_LINKS: Final = 16
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

    Works from database threads; a second link to the same trace is left out.
    """
    text = labels.get(LABEL) if labels else None
    recording = current() if text is not None else None
    if recording is None or len(recording.links) >= _MOST_LINKS:
        return
    context = parse_traceparent(text)
    if context is None or f"{context.trace_id:032x}" == recording.trace_id:
        return
    if all(link.trace_id != context.trace_id for link in recording.links):
        recording.links.append(context)
