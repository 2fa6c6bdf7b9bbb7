"""Local roots: a request, a tick, a handshake or a batch; how one begins, and how it ends kept or not."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NoOpTracer, Span, StatusCode, Tracer

from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.recording import Attribute, Recording, Work
from lightwell.instrumentation.replay import replay, replay_late
from lightwell.instrumentation.sampling import KeepPolicy, Tail
from lightwell.instrumentation.vocabulary import ENTRIES_DROPPED, ERROR_TYPE, KEPT


@dataclass(slots=True)
class Tracing:
    """How this process traces.

    `server_tracer` makes server spans, `tracer` everything else; `tail` decides, and is None where a host application's
    own provider does; `live` is False where spans are not recorded at all.
    """

    server_tracer: Tracer = field(default_factory=NoOpTracer)
    tracer: Tracer = field(default_factory=NoOpTracer)
    policy: KeepPolicy = field(default_factory=KeepPolicy)
    tail: Tail | None = None
    live: bool = False

    def open_root(self, span: Span) -> Recording:
        """Begin to record for a local root; one that has no span gets a trace id all the same."""
        context = span.get_span_context()
        if context is INVALID_SPAN_CONTEXT or not context.is_valid:
            return Recording(span, f"{random.getrandbits(128):032x}", f"{random.getrandbits(64):016x}", live=False)
        recording = Recording(
            span,
            trace.format_trace_id(context.trace_id),
            trace.format_span_id(context.span_id),
            live=self.live and span.is_recording(),
        )
        recording.late = self._replay_late
        return recording

    def close_root(
        self,
        recording: Recording,
        *,
        seconds: float,
        describe: Callable[[], Mapping[str, Attribute]],
        name: str | None = None,
        status: int | None = None,
        route: str | None = None,
        is_failed: bool = False,
        ended_at: int | None = None,
    ) -> None:
        """End a local root: decide, and only then describe it and make its children."""
        recording.closed = True
        span = recording.span
        if not recording.live:
            return
        sampled = bool(span.get_span_context().trace_flags & 1)
        reason = self.policy.reason(recording, seconds=seconds, sampled=sampled, status=status, route=route)
        if reason is None:
            GAUGES.passed += 1
        else:
            GAUGES.kept[reason] = GAUGES.kept.get(reason, 0) + 1
        recording.kept = reason is not None and (self.tail is None or self.tail.has_sinks)
        if recording.kept or self.tail is None:
            if name is not None:
                span.update_name(name)
            span.set_attributes(describe())
            self._complete(recording, reason)
            if is_failed:
                span.set_status(StatusCode.ERROR)
        span.end(ended_at)

    def _complete(self, recording: Recording, reason: str | None) -> None:
        span = recording.span
        facts = {key if "." in key else f"lightwell.{key}": value for key, value in recording.facts.items()}
        if facts:
            span.set_attributes(facts)
        if recording.outcome is not None:
            span.set_attribute(ERROR_TYPE, recording.outcome)
        if reason is not None:
            span.set_attribute(KEPT, reason)
        if recording.dropped:
            span.set_attribute(ENTRIES_DROPPED, recording.dropped)
        for context in recording.links:
            span.add_link(context)
        if reason is not None:
            replay(self.tracer, recording)

    def _replay_late(self, recording: Recording, unit: Work) -> None:
        replay_late(self.tracer, recording, unit)
