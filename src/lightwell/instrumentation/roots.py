"""Local roots: a request, a tick, a handshake or a batch; how one begins, and how it ends kept or not."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NoOpTracer, Span, SpanKind, StatusCode, Tracer

from lightwell.instrumentation.lines import line_of, release
from lightwell.instrumentation.metrics import GAUGES, SECOND
from lightwell.instrumentation.provisional import Roots, made
from lightwell.instrumentation.recording import Attribute, Recording, Work
from lightwell.instrumentation.replay import offset_of, replay, replay_late
from lightwell.instrumentation.sampling import KeepPolicy, Tail
from lightwell.instrumentation.traceparent import links_of
from lightwell.instrumentation.vocabulary import ENTRIES_DROPPED, ERROR_TYPE, FLOW_RUNS, KEPT

_ERRORS = frozenset({"error", "critical"})


@dataclass(slots=True)
class Tracing:
    """How this process traces.

    `server_tracer` makes server spans, `tracer` everything else; `tail` decides, and is None where a host application's
    own provider does, and so is `roots`, which begins requests; `live` is False where spans are not recorded at all.
    """

    server_tracer: Tracer = field(default_factory=NoOpTracer)
    tracer: Tracer = field(default_factory=NoOpTracer)
    policy: KeepPolicy = field(default_factory=KeepPolicy)
    tail: Tail | None = None
    roots: Roots | None = None
    live: bool = False

    def begin_request(self, name: str, context: Context, attributes: Mapping[str, Attribute] | None) -> Span:
        """The server span of a request; `attributes` are for a provider that decides at the start."""
        if self.roots is not None:
            return self.roots.begin(name, context, SpanKind.SERVER)
        return self.server_tracer.start_span(name, context, SpanKind.SERVER, attributes)

    def open_root(self, span: Span, started: int) -> Recording:
        """Begin to record for a local root, `started` just before its span; without one it gets a trace id as well."""
        context = span.get_span_context()
        if context is INVALID_SPAN_CONTEXT or not context.is_valid:
            trace_id, span_id = f"{random.getrandbits(128):032x}", f"{random.getrandbits(64):016x}"
            return Recording(span, trace_id, span_id, live=False, started=started)
        recording = Recording(
            span,
            trace.format_trace_id(context.trace_id),
            trace.format_span_id(context.span_id),
            live=self.live and span.is_recording(),
            started=started,
        )
        recording.late = self
        recording.kept = bool(context.trace_flags & 1) and recording.live and (self.tail is None or self.tail.has_sinks)
        if recording.live and self.tail is not None and self.tail.has_sinks:
            recording.lines = []
        return recording

    def close_root(
        self,
        recording: Recording,
        *,
        ended: int,
        describe: Callable[[], Mapping[str, Attribute]],
        name: str | None = None,
        status: int | None = None,
        route: str | None = None,
        is_failed: bool = False,
        may_be_slow: bool = True,
    ) -> None:
        """End a local root that `ended` at an instant of `time.perf_counter_ns()`.

        Decides, and only then describes it and makes its children.
        """
        span = recording.span
        if not recording.live:
            recording.closed = True
            return
        seconds = (ended - recording.started) / SECOND if may_be_slow else 0.0
        sampled = bool(span.get_span_context().trace_flags & 1)
        policy = self.policy
        reason = policy.reason(recording, seconds=seconds, sampled=sampled, name=name, status=status, route=route)
        if reason == "baseline" and (given := getattr(span, "attributes", None)):
            reason = str(given.get(KEPT, reason))  # the sampler has said why it was not the baseline
        if reason is None:
            GAUGES.passed += 1
        else:
            GAUGES.kept[reason] = GAUGES.kept.get(reason, 0) + 1
        recording.kept = reason is not None and (self.tail is None or self.tail.has_sinks)
        recording.closed = True
        lines = release(recording)
        for record in recording.deferred:
            record(recording.pointing)
        if self.tail is not None and not recording.kept:
            self.tail.pass_by(span.get_span_context().span_id)
            return
        if self.tail is not None:
            self.tail.bring(span.get_span_context().span_id, [line_of(said) for said in lines])
        span = recording.span = made(span)
        if name is not None:
            span.update_name(name)
        span.set_attributes(describe())
        self._complete(recording, reason)
        if is_failed:
            span.set_status(StatusCode.ERROR)
        span.end(ended + offset_of(recording))

    def _complete(self, recording: Recording, reason: str | None) -> None:
        span = recording.span
        facts = {key if "." in key else f"lightwell.{key}": value for key, value in recording.facts.items()}
        if facts:
            span.set_attributes(facts)
        if len(recording.runs) > 1:
            span.set_attribute(FLOW_RUNS, tuple(recording.runs))
        if recording.outcome is not None:
            span.set_attribute(ERROR_TYPE, recording.outcome)
        if reason is not None:
            span.set_attribute(KEPT, reason)
        if recording.dropped:
            span.set_attribute(ENTRIES_DROPPED, recording.dropped)
        for context in links_of(recording):
            span.add_link(context)
        if reason is not None:
            replay(self.tracer, recording)

    def take_unit(self, recording: Recording, unit: Work) -> None:
        """A unit that ends after its root follows the decision, and a failed one is kept."""
        replay_late(self.tracer, recording, unit)

    def take_line(self, recording: Recording, said: Mapping[str, Any]) -> None:
        """A log line that comes after its root's end follows the decision, and one of an error is kept."""
        if self.tail is not None and self.tail.has_sinks and (recording.kept or said["level"] in _ERRORS):
            self.tail.take_late([line_of(said)])
