"""What one request or one tick did, as cheap tuples; they become spans only if its trace is kept (`replay.py`).

A `Recording` is shared by everything that runs for its local root: the event loop's task and the database threads,
which get a copy of the context but the same object. `list.append` is atomic, so nothing here needs a lock.
"""

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, Literal, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, set_span_in_context

Attribute = str | int | float | bool
"""What an attribute of a span or a member of a log line may be; anything else is turned into text."""

Enter = tuple[Literal["enter"], int, str]
Leave = tuple[Literal["leave"], int, str, bool]
Statement = tuple[Literal["statement"], int, int, str]
Broken = tuple[Literal["broken"], int, int, str, str, str, bool]
Verdict = tuple[Literal["verdict"], int, str, str, str]
Word = tuple[Literal["word"], int, str, dict[str, Attribute]]
Entry = Enter | Leave | Statement | Broken | Verdict | Word
"""What happened and when (`time.perf_counter_ns()`): a verb began (name) or ended (outcome, failed), a statement ran
from one instant to another (text), or raised (text, `error.type`, the database's code, failed), a rule gave its verdict
(rule, verdict, reason), something else was said."""

MOST_ENTRIES: Final = 1000
"""Entries that one unit or one recording holds at most."""

MOST_UNITS: Final = 200
"""Units that one recording holds at most."""

MOST_RUNS: Final = 100
"""Flow runs that one recording remembers at most."""


class Work(Protocol):
    """A finished unit of database work (`units.Unit`)."""

    kind: Literal["read", "write"]
    name: str
    system: str | None
    asked: int
    began: int
    ended: int
    group: int
    retries: int
    dropped: int
    outcome: str
    failed: bool
    entries: list[Entry]
    recording: "Recording | None"


class Late(Protocol):
    """Where goes what comes after the end of a root."""

    def take_unit(self, recording: "Recording", unit: Work) -> None:
        """A unit of database work has ended."""
        ...

    def take_line(self, recording: "Recording", said: Mapping[str, Any]) -> None:
        """A log line was written."""
        ...


NOWHERE: Final = Context()
"""The context to record metrics in where no trace is kept: an exemplar points at a sampled span, and none is here."""


class Recording:
    """What is known of one local root while it runs.

    `span` is the root's span (maybe one that does not record), `started` when it began (`time.perf_counter_ns()`),
    `facts` is what was annotated and `runs` the ids of flow runs among it, `failure` the exception that was reported
    for it and `outcome` the `error.type` that goes with it, `lines` the log lines that were written for it (None where
    nobody would take them), `dropped` what was too much to hold; `kept` is whether its trace is, as far as is known,
    and `deferred` are metrics that wait until it is, to be recorded in the context they are called with.
    """

    __slots__ = (
        "_pointing",
        "closed",
        "deferred",
        "dropped",
        "entries",
        "facts",
        "failure",
        "kept",
        "late",
        "lines",
        "links",
        "live",
        "outcome",
        "runs",
        "span",
        "span_id",
        "started",
        "trace_id",
        "units",
    )

    def __init__(self, span: Span, trace_id: str, span_id: str, *, live: bool, started: int) -> None:
        self.span = span
        self.live = live
        self.trace_id = trace_id
        self.span_id = span_id
        self.started = started
        self.facts: dict[str, Attribute] = {}
        self.entries: list[Entry] = []
        self.units: list[Work] = []
        self.links: dict[str, None] = {}
        self.lines: list[Mapping[str, Any]] | None = None
        self.runs: dict[str, None] = {}
        self.failure: BaseException | None = None
        self.outcome: str | None = None
        self.dropped = 0
        self.closed = False
        self.kept = False
        self.late: Late | None = None
        self.deferred: list[Callable[[Context], None]] = []
        self._pointing: Context | None = None

    @property
    def pointing(self) -> Context:
        """The context to record metrics in, so that their exemplars point at the root if its trace is kept."""
        if not self.kept:
            return NOWHERE
        if self._pointing is None:
            root = self.span.get_span_context()
            here = SpanContext(root.trace_id, root.span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
            self._pointing = set_span_in_context(NonRecordingSpan(here), NOWHERE)
        return self._pointing

    def measure(self, record: Callable[[Context], None], *, is_failed: bool) -> None:
        """Record metrics about a part of the work; those of a failed one as soon as it is known whether it is kept."""
        if is_failed and self.live and not self.closed and len(self.deferred) < MOST_UNITS:
            self.deferred.append(record)
        else:
            record(self.pointing)

    def take(self, unit: Work) -> None:
        """Hold a finished unit; one that ends after the root's own end follows the decision about it."""
        if not self.live:
            return
        if self.closed:
            if self.late is not None:
                self.late.take_unit(self, unit)
        elif len(self.units) < MOST_UNITS:
            self.units.append(unit)
        else:
            self.dropped += 1


CURRENT: Final[ContextVar[Recording | None]] = ContextVar("lightwell_recording", default=None)


class _Thread(threading.local):
    unit: Work | None = None


THREAD: Final = _Thread()
"""The unit that the present (database) thread is working on."""


def current() -> Recording | None:
    """The recording of the present request or tick, in its task and in the database threads that work for it."""
    recording = CURRENT.get()
    if recording is None and THREAD.unit is not None:
        return THREAD.unit.recording
    return recording


def recording_to() -> list[Entry] | None:
    """Where the present thread's entries go: its unit's list, else the recording's, else nowhere."""
    holder = THREAD.unit or CURRENT.get()
    return None if holder is None or len(holder.entries) >= MOST_ENTRIES else holder.entries
