"""Failures of work that nobody waits for (after an answer, after a handshake, of the bus): roots of their own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter_ns

from opentelemetry import context as otel
from opentelemetry.trace import Link, SpanContext

from lightwell.instrumentation.failures import mark_reported, put_on_span
from lightwell.instrumentation.outcomes import qualified_name
from lightwell.instrumentation.recording import CURRENT, Attribute, Recording
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.vocabulary import HTTP_ROUTE, LogEvent
from lightwell.instrumentation.words import log


@contextmanager
def apart(
    tracing: Tracing, error: BaseException, *, name: str, route: str | None = None, causes: Sequence[SpanContext] = ()
) -> Iterator[Recording]:
    """Make a trace of a failure, linked to what caused the work; log lines that are written meanwhile are its own."""
    started = perf_counter_ns()
    attributes: dict[str, Attribute] = {HTTP_ROUTE: route} if route else {}
    links = [Link(cause) for cause in causes]
    span = tracing.tracer.start_span(f"background {name}", otel.Context(), links=links, attributes=attributes)
    recording = tracing.open_root(span, started)
    recording.failure = error
    recording.outcome = qualified_name(error)
    put_on_span(span, error)
    mark_reported(error)
    token = CURRENT.set(recording)
    try:
        yield recording
    finally:
        CURRENT.reset(token)
        tracing.close_root(recording, ended=perf_counter_ns(), describe=dict, is_failed=True)


def fail_apart(
    tracing: Tracing,
    error: BaseException,
    event: LogEvent,
    *,
    name: str,
    route: str | None = None,
    causes: Sequence[SpanContext] = (),
) -> None:
    """Tell a failure as a trace of its own, with the log line of an event."""
    said = {"route": route} if "route" in event.fields else {}
    with apart(tracing, error, name=name, route=route, causes=causes) as recording:
        getattr(log, event.level)(event.name, exception_type=recording.outcome, exc_info=error, **said)
