"""Failures of work that nobody waits for (after an answer, after a handshake, of the bus): roots of their own."""

from collections.abc import Sequence
from time import perf_counter_ns

from opentelemetry import context as otel
from opentelemetry.trace import Link, SpanContext

from lightwell.instrumentation.failures import mark_reported, put_on_span
from lightwell.instrumentation.outcomes import qualified_name
from lightwell.instrumentation.recording import CURRENT, Attribute
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.vocabulary import HTTP_ROUTE, LogEvent
from lightwell.instrumentation.words import log


def fail_apart(
    tracing: Tracing,
    error: BaseException,
    event: LogEvent,
    *,
    name: str,
    route: str | None = None,
    causes: Sequence[SpanContext] = (),
) -> None:
    """Tell a failure as a trace of its own, linked to what caused the work, with its log line."""
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
    said = {"route": route} if "route" in event.fields else {}
    getattr(log, event.level)(event.name, exception_type=recording.outcome, exc_info=error, **said)
    CURRENT.reset(token)
    tracing.close_root(recording, ended=perf_counter_ns(), describe=dict, is_failed=True)
