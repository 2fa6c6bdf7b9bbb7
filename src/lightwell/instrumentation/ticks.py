"""The seam of the clock: each tick of a loop is a root span, with lag, items and the age of the last success."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic, perf_counter_ns
from typing import Final

from opentelemetry import context as otel
from opentelemetry import trace

from lightwell.errors import Unavailable
from lightwell.instrumentation import metrics
from lightwell.instrumentation import vocabulary as names
from lightwell.instrumentation.failures import mark_reported, put_on_span
from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.outcomes import OK, message_of, outcome_of, qualified_name
from lightwell.instrumentation.recording import CURRENT, Attribute
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.traceparent import parse_traceparent
from lightwell.instrumentation.words import log

_MOST_LINKS: Final = 32


class Ticks:
    """Observes ticks; `tracing` is the process's (`setup.configure(...).tracing`)."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def watch(self, loop: str, patience: float) -> None:
        """Say that a loop has started: from now on the age of its last success is told, and from when it is stale."""
        GAUGES.last_success.setdefault(loop, monotonic())
        GAUGES.patience[loop] = patience

    def forget(self, loop: str) -> None:
        """Say that a loop has stopped on purpose."""
        GAUGES.last_success.pop(loop, None)
        GAUGES.patience.pop(loop, None)

    def last_success_age(self, loop: str) -> float | None:
        """Seconds since the loop's last tick that succeeded (or since it started); None for one that does not run."""
        instant = GAUGES.last_success.get(loop)
        return None if instant is None else monotonic() - instant

    def restarted(self, loop: str, error: BaseException | None) -> None:
        """Say that a loop had ended without being asked to, of an error or (None) cancelled, and runs again."""
        log.error(names.LOOP_RESTARTED.name, loop=loop, exc_info=error)

    @contextmanager
    def tick(self, loop: str, *, lag: float = 0.0, causes: Iterable[str] = ()) -> Iterator["Tick"]:
        """Observe one tick; set `items` on what is yielded.

        `lag` is how many seconds later than planned it began, `causes` are `traceparent`s of what caused its work. An
        exception goes on up; a failure is told here, with its traceback, and nowhere else. What time can mend is only
        a warning. A tick that reports a failure of a part of its work (`failures.fail`) and goes on has succeeded.
        """
        tracing = self._tracing
        started = perf_counter_ns()
        contexts = [context for context in map(parse_traceparent, causes) if context is not None]
        links = [trace.Link(context) for context in contexts[:_MOST_LINKS]]
        span = tracing.tracer.start_span(f"loop {loop}", otel.Context(), links=links)
        recording = tracing.open_root(span, started)
        span_token = otel.attach(trace.set_span_in_context(span, otel.Context()))
        recording_token = CURRENT.set(recording)
        tick = Tick()
        outcome = OK
        try:
            yield tick
            GAUGES.last_success[loop] = monotonic()
        except BaseException as error:
            outcome = outcome_of(error)
            if isinstance(error, Exception):
                recording.failure = error
                recording.outcome = qualified_name(error)
                put_on_span(span, error)
                _tell(loop, error)
                mark_reported(error)
            raise
        finally:
            ended = perf_counter_ns()
            took = ended - started
            log.debug(names.TICK_DONE.name, loop=loop, items=tick.items, duration_ms=took // 1000 / 1000)
            CURRENT.reset(recording_token)
            otel.detach(span_token)
            attributes: dict[str, Attribute] = {names.LOOP: loop, names.LOOP_LAG: lag, names.LOOP_ITEMS: tick.items}
            tracing.close_root(
                recording,
                ended=ended,
                name=f"loop {loop}",
                describe=lambda: attributes,
                is_failed=recording.failure is not None,
            )
            if outcome == OK:
                outcome = outcome_of(recording.failure)
            if metrics.LIVE:
                metrics.tick_ended(loop, outcome, took_ns=took, lag=lag, items=tick.items, context=recording.pointing)


class Tick:
    """One tick while it runs; `items` is what it worked on."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items = 0


def _tell(loop: str, error: Exception) -> None:
    if isinstance(error, Unavailable):
        kind, message = qualified_name(error), message_of(error)
        log.warning(names.TICK_PUT_OFF.name, loop=loop, exception_type=kind, exception_message=message)
    else:
        log.error(names.TICK_FAILED.name, loop=loop, exc_info=error)
