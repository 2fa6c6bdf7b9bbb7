"""Which traces are kept: decided in this process when a local root ends, with bounded memory.

Where kept spans go is in `export.py`; what they are made of in `replay.py`.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, StatusCode, TraceFlags, TraceState, get_current_span
from opentelemetry.util.types import Attributes

from lightwell.instrumentation.kept import KeptTrace, Line, Sink
from lightwell.instrumentation.metrics import GAUGES, count_dropped
from lightwell.instrumentation.recording import Recording
from lightwell.instrumentation.vocabulary import KEPT
from lightwell.kit.token_bucket import TokenBucket

_SERVER_ERROR: Final = 500
REMOTE: Final = "remote"
_LOW_BITS: Final = (1 << 64) - 1
"""Of a trace id, which decide on a ratio everywhere in OpenTelemetry: so services that ask for one ratio agree."""


_APART: Final = create_key("lightwell.apart-from-the-baseline")
DECIDED: Final = create_key("lightwell.decided")
"""In a context: the result that was given for the span that is made in it."""


def apart_from_the_baseline(context: Context) -> Context:
    """A context in which nothing is sampled, whatever its parent says; what fails in it is kept as ever."""
    return set_value(_APART, True, context)  # noqa: FBT003 -- the library's signature


@dataclass(frozen=True, slots=True)
class KeepPolicy:
    """What makes a trace worth keeping, besides failure (always) and the baseline.

    `slow_after` is in seconds, `slow_by_route` the same for single roots, by their name (`POST /api/flow_runs/filter`,
    `loop late_runs`) or by a route for all its methods; `statuses` and `verdicts` keep what was answered so, or where a
    rule of orchestration said so.
    """

    slow_after: float = 1.0
    slow_by_route: Mapping[str, float] = field(default_factory=dict)
    statuses: frozenset[int] = frozenset()
    verdicts: frozenset[str] = frozenset()

    def reason(
        self,
        recording: Recording,
        *,
        seconds: float,
        sampled: bool,
        name: str | None = None,
        status: int | None = None,
        route: str | None = None,
    ) -> str | None:
        """Why the trace of this root is kept; None when it is not."""
        if recording.failure is not None or (status is not None and status >= _SERVER_ERROR):
            return "error"
        if seconds >= (self._threshold(name, route) if self.slow_by_route else self.slow_after):
            return "slow"
        if status in self.statuses:
            return "status"
        if self.verdicts and self._has_verdict(recording):
            return "verdict"
        return "baseline" if sampled else None

    def _threshold(self, name: str | None, route: str | None) -> float:
        by_route = self.slow_by_route
        return by_route.get(name or "", by_route.get(route or "", self.slow_after))

    def _has_verdict(self, recording: Recording) -> bool:
        verdicts = self.verdicts
        for unit in recording.units:
            for entry in unit.entries:
                if entry[0] == "verdict" and entry[3] in verdicts:
                    return True
        return False


class Baseline(Sampler):
    """Records everything, and marks `ratio` of the local roots as sampled, and what callers have sampled.

    The latter as long as `remote` has tokens: then the ratio decides for it as for any other, by the trace's id, so
    that all of a trace's requests fare alike. A caller that has not sampled says nothing about what is kept here.

    Ratio and limit may be changed while it runs. In one step, and not made of the SDK's samplers, because those take
    the attributes away from what they do not sample, and a failure outside of the baseline needs them.
    """

    def __init__(self, ratio: float, remote: TokenBucket | None = None) -> None:
        self.remote = remote
        self.set_ratio(ratio)

    def set_ratio(self, ratio: float) -> None:
        """Mark another share of the traces from now on."""
        self._ratio = ratio
        self._bound = round(ratio * (_LOW_BITS + 1))

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,  # noqa: ARG002 -- the SDK's signature
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002
        trace_state: TraceState | None = None,  # noqa: ARG002 -- a child has its parent's
    ) -> SamplingResult:
        """Decide as described above, unless that was done for a span that is only made now."""
        decided = get_value(DECIDED, parent_context)
        return decided if isinstance(decided, SamplingResult) else self.decide(parent_context, trace_id, attributes)

    def decide(self, parent_context: Context | None, trace_id: int, attributes: Attributes = None) -> SamplingResult:
        """Decide on a span in `parent_context`."""
        parent = get_current_span(parent_context).get_span_context()
        if get_value(_APART, parent_context):
            return _RESULTS[False](attributes, parent.trace_state)
        if not parent.is_valid:
            return _RESULTS[trace_id & _LOW_BITS < self._bound](attributes, None)
        is_marked = bool(parent.trace_flags & TraceFlags.SAMPLED)
        if not parent.is_remote:
            return _RESULTS[is_marked](attributes, parent.trace_state)
        if trace_id & _LOW_BITS < self._bound:
            return _RESULTS[True](attributes, parent.trace_state)
        if is_marked and self.remote is not None and self.remote.take():
            return _RESULTS[True]({**(attributes or {}), KEPT: REMOTE}, parent.trace_state)
        return _RESULTS[False](attributes, parent.trace_state)

    def get_description(self) -> str:
        """What the SDK shows of it."""
        return f"Baseline{{{self._ratio}}}"


_RESULTS: Final = {
    True: partial(SamplingResult, Decision.RECORD_AND_SAMPLE),
    False: partial(SamplingResult, Decision.RECORD_ONLY),
}


class Tail(SpanProcessor):
    """Holds the spans of each local root until it ends, then hands all of them to the sinks, or none.

    A root is kept when its `lightwell.kept.reason` is set, it is sampled, or its status is ERROR. At most `most_spans`
    wait, at most `most_spans_each` for one root, at most `most_roots` are open: past that the oldest is given up, with
    what waits for it. A span that ends after its root follows the decision, and a failed one is kept in any case.
    """

    def __init__(
        self,
        *,
        most_roots: int = 10_000,
        most_spans: int = 20_000,
        most_spans_each: int = 2_000,
        most_decisions: int = 4_096,
    ) -> None:
        self._sinks: tuple[Sink, ...] = ()
        self._most_roots = most_roots
        self._most_spans = most_spans
        self._most_spans_each = most_spans_each
        self._most_decisions = most_decisions
        # One that a thread may take again: garbage that is found while it is held may be a task whose failure is told.
        self._lock = threading.RLock()
        # Ordered ones, because finding a plain dictionary's oldest key takes the longer the more went before it.
        self._live: OrderedDict[int, None] = OrderedDict()
        self._root_of: OrderedDict[int, int] = OrderedDict()
        self._waiting: dict[int, list[ReadableSpan]] = {}
        self._held = 0
        self._kept_roots: OrderedDict[int, None] = OrderedDict()
        self._lines: dict[int, Sequence[Line]] = {}

    @property
    def live_roots(self) -> int:
        """Roots that are open."""
        return len(self._live)

    @property
    def has_sinks(self) -> bool:
        """Whether anybody takes what is kept."""
        return bool(self._sinks)

    def add_sink(self, sink: Sink) -> None:
        """Hand kept traces to one more sink."""
        self._sinks = (*self._sinks, sink)

    def remove_sink(self, sink: Sink) -> None:
        """Hand no more traces to a sink."""
        self._sinks = tuple(one for one in self._sinks if one is not sink)

    def begin(self, root_id: int) -> None:
        """Learn of a root."""
        if not self._sinks or root_id in self._live:
            return
        if len(self._live) >= self._most_roots:
            self._give_up_oldest()
        self._live[root_id] = None

    def bring(self, root_id: int, lines: Sequence[Line]) -> None:
        """Take the log lines of a root that is kept and about to end; one that was given up has its details again."""
        self._lines[root_id] = lines
        self._live[root_id] = None

    def take_late(self, lines: Sequence[Line]) -> None:
        """Hand over log lines that came after the end of their root."""
        self._hand_over((), lines)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 -- the SDK's signature
        """Learn which root a child belongs to."""
        parent, context = span.parent, span.context
        if context is None or not self._sinks:
            return
        if parent is None or parent.is_remote:
            self.begin(context.span_id)
            return
        with self._lock:
            if len(self._root_of) >= self._most_spans:
                self._root_of.popitem(last=False)
            self._root_of[context.span_id] = self._root_of.get(parent.span_id, parent.span_id)

    def on_end(self, span: ReadableSpan) -> None:
        """Hold a child, decide on a root."""
        if not self._sinks or span.context is None:
            self._lines.clear()
            return
        if span.parent is None or span.parent.is_remote:
            self._decide(span, span.context.span_id)
        else:
            self._hold(span, span.context.span_id)

    def pass_by(self, root_id: int) -> None:
        """Let go of a root that is not kept, instead of ending its span: that would make what nobody reads."""
        if not self._sinks:
            return
        with self._lock:
            self._live.pop(root_id, None)
            children = self._take_children(root_id)
        failures = [child for child in children if child.status.status_code is StatusCode.ERROR]
        if failures:
            self._hand_over(failures)

    def _decide(self, root: ReadableSpan, root_id: int) -> None:
        if not _is_kept(root):
            self.pass_by(root_id)
            return
        with self._lock:
            self._live.pop(root_id, None)
            children = self._take_children(root_id)
            if len(self._kept_roots) >= self._most_decisions:
                self._kept_roots.popitem(last=False)
            self._kept_roots[root_id] = None
        self._hand_over([root, *children], self._lines.pop(root_id, ()))

    def _take_children(self, root_id: int) -> Sequence[ReadableSpan]:
        children = self._waiting.pop(root_id, ())
        self._held -= len(children)
        for child in children:
            if child.context is not None:
                self._root_of.pop(child.context.span_id, None)
        return children

    def _give_up_oldest(self) -> None:
        with self._lock:
            if not self._live:
                return
            oldest, _ = self._live.popitem(last=False)
            given_up = len(self._take_children(oldest))
        GAUGES.overflowed += 1
        if given_up:
            count_dropped("traces", "too_many_spans", given_up)

    def _hold(self, span: ReadableSpan, span_id: int) -> None:
        with self._lock:
            root_id = self._root_of.get(span_id, 0)
            if root_id in self._live:
                waiting = self._waiting.setdefault(root_id, [])
                has_room = self._held < self._most_spans or root_id in self._lines  # which is about to end
                if has_room and len(waiting) < self._most_spans_each:
                    waiting.append(span)
                    self._held += 1
                else:
                    self._root_of.pop(span_id, None)
                    count_dropped("traces", "too_many_spans", 1)
                return
            self._root_of.pop(span_id, None)
            follows = root_id in self._kept_roots
        if follows or span.status.status_code is StatusCode.ERROR:
            self._hand_over([span])

    def _hand_over(self, spans: Sequence[ReadableSpan], lines: Sequence[Line] = ()) -> None:
        kept = KeptTrace(spans, lines)
        for sink in self._sinks:
            sink(kept)


def _is_kept(root: ReadableSpan) -> bool:
    if root.attributes and KEPT in root.attributes:
        return True
    return (root.context is not None and bool(root.context.trace_flags & 1)) or (
        root.status.status_code is StatusCode.ERROR
    )
