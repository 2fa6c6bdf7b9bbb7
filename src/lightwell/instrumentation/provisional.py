"""The span of a root while nobody knows yet whether its trace is kept.

One trace in a hundred is, and the SDK's span is the dearest piece of a request's telemetry. So a root begins with its
context alone, and what is said of it is noted; the SDK makes the span, with the same ids and times, when it is kept.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import time_ns
from typing import Any, Final

from opentelemetry.context import Context, set_value
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, SamplingResult
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer, get_current_span
from opentelemetry.util.types import Attributes, AttributeValue

from lightwell.instrumentation.recording import MOST_ENTRIES
from lightwell.instrumentation.sampling import DECIDED, Baseline, Tail

_FLAGS: Final = tuple(TraceFlags(bits) for bits in range(4))


class Ids(RandomIdGenerator):
    """Random ids, but for a span that has its own already."""

    def __init__(self) -> None:
        self._given = threading.local()

    def generate_trace_id(self) -> int:
        """A trace's id."""
        given: SpanContext | None = getattr(self._given, "context", None)
        return super().generate_trace_id() if given is None else given.trace_id

    def generate_span_id(self) -> int:
        """A span's id."""
        given: SpanContext | None = getattr(self._given, "context", None)
        return super().generate_span_id() if given is None else given.span_id

    @contextmanager
    def given(self, context: SpanContext) -> Iterator[None]:
        """What the present thread makes inside has the ids of `context`."""
        self._given.context = context
        try:
            yield
        finally:
            self._given.context = None


class Roots:
    """Begins local roots for the tracer of a provider that has these `ids`, this `sampler` and this `tail`."""

    def __init__(self, tracer: Tracer, ids: Ids, sampler: Baseline, tail: Tail) -> None:
        self._tracer = tracer
        self._ids = ids
        self._sampler = sampler
        self._tail = tail

    def begin(self, name: str, context: Context, kind: SpanKind) -> Span:
        """A span that has begun; one inside of another of this process is none to wait for, and the SDK's at once."""
        parent = get_current_span(context).get_span_context()
        if not parent.is_valid:
            trace_id, bits = self._ids.generate_trace_id(), TraceFlags.RANDOM_TRACE_ID
        elif parent.is_remote:
            trace_id, bits = parent.trace_id, parent.trace_flags & TraceFlags.RANDOM_TRACE_ID
        else:
            return self._tracer.start_span(name, context, kind)
        decided = self._sampler.decide(context, trace_id)
        own = SpanContext(
            trace_id,
            self._ids.generate_span_id(),
            is_remote=False,
            trace_flags=_FLAGS[bits | (decided.decision is Decision.RECORD_AND_SAMPLE)],
            trace_state=decided.trace_state,
        )
        self._tail.begin(own.span_id)
        return ProvisionalSpan(self, own, decided, name, context, kind)

    def make(self, span: "ProvisionalSpan") -> Span:
        """The SDK's span for one that was begun."""
        context = set_value(DECIDED, span.decided, span.within)
        with self._ids.given(span.get_span_context()):
            return self._tracer.start_span(
                span.name, context, span.kind, span.decided.attributes, start_time=span.start_time
            )


class ProvisionalSpan(Span):
    """Notes what is said of it (as much as a recording holds) until `made`, and then hands it to the SDK's span.

    `attributes` are those that the sampler gave it; `start_time` is in nanoseconds since 1970.
    """

    __slots__ = ("_context", "_made", "_roots", "_said", "decided", "kind", "name", "start_time", "within")

    def __init__(
        self, roots: Roots, own: SpanContext, decided: SamplingResult, name: str, within: Context, kind: SpanKind
    ) -> None:
        self._roots = roots
        self._context = own
        self._said: list[tuple[str, tuple[Any, ...]]] = []
        self._made: Span | None = None
        self.decided = decided
        self.name = name
        self.within = within
        self.kind = kind
        self.start_time = time_ns()

    @property
    def attributes(self) -> Mapping[str, AttributeValue]:
        """What the sampler has said."""
        return self.decided.attributes

    def made(self) -> Span:
        """The SDK's span, which has been told all that was said; the same each time."""
        if self._made is None:
            self._made = self._roots.make(self)
            for method, arguments in self._said:
                getattr(self._made, method)(*arguments)
            self._said.clear()
        return self._made

    def get_span_context(self) -> SpanContext:
        """Its ids."""
        return self._context

    def is_recording(self) -> bool:
        """As the SDK's span: until it has ended."""
        return self._made is None or self._made.is_recording()

    def end(self, end_time: int | None = None) -> None:
        """End it, whoever asks for that: then it is one to be made."""
        self.made().end(end_time)

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set several."""
        self._say("set_attributes", dict(attributes))

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set one."""
        self._say("set_attribute", key, value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Say that something happened, now where no time is given."""
        self._say("add_event", name, attributes, timestamp or time_ns())

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Point at another span."""
        self._say("add_link", context, attributes)

    def update_name(self, name: str) -> None:
        """Give it another name."""
        self._say("update_name", name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say how it went."""
        self._say("set_status", status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 -- the API's signature
    ) -> None:
        """Say what was raised."""
        self._say("record_exception", exception, attributes, timestamp or time_ns(), escaped)

    def _say(self, method: str, *arguments: Any) -> None:
        if self._made is not None:
            getattr(self._made, method)(*arguments)
        elif len(self._said) < MOST_ENTRIES:
            self._said.append((method, arguments))


def made(span: Span) -> Span:
    """The SDK's span for any span."""
    return span.made() if isinstance(span, ProvisionalSpan) else span
