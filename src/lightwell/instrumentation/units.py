"""One unit of database work as telemetry sees it: how long it waited, how long it took, what it asked the database."""

from time import perf_counter_ns
from typing import Final, Literal

from opentelemetry.context import Context

from lightwell.instrumentation import metrics
from lightwell.instrumentation.outcomes import code_of, failed, outcome_of, qualified_name
from lightwell.instrumentation.recording import CURRENT, MOST_ENTRIES, THREAD, Attribute, Entry, Recording
from lightwell.instrumentation.vocabulary import ERROR_TYPE, UNIT_RETRIED

_STATEMENTS: Final = frozenset({"statement", "broken"})


class Unit:
    """Make it where the unit is asked for (in the caller's task); call the rest from the database thread.

    All instants are `time.perf_counter_ns()`. `kind` is `read` or `write`, `name` the verb's or query's
    (`flow_runs.set_state`), `system` the database (`sqlite`, `postgresql`).
    """

    __slots__ = (
        "asked",
        "began",
        "dropped",
        "ended",
        "entries",
        "failed",
        "group",
        "kind",
        "name",
        "outcome",
        "recording",
        "retries",
        "system",
    )

    def __init__(self, kind: Literal["read", "write"], name: str, system: str | None = None) -> None:
        self.kind = kind
        self.name = name
        self.system = system
        self.recording: Recording | None = CURRENT.get()
        self.entries: list[Entry] = []
        self.asked = perf_counter_ns()
        self.began = 0
        self.ended = 0
        self.group = 1
        self.retries = 0
        self.dropped = 0
        self.failed = False
        self.outcome = "ok"

    def begin(self) -> None:
        """The unit starts now, in this thread; what it waited is measured the first time."""
        THREAD.unit = self
        if not self.began:
            self.began = perf_counter_ns()

    def statement(self, text: str, started_ns: int, ended_ns: int) -> None:
        """One statement was executed: its text with placeholders, never values."""
        if len(self.entries) < MOST_ENTRIES:
            self.entries.append(("statement", started_ns, ended_ns, text))
        else:
            self.dropped += 1

    def broken(self, text: str, started_ns: int, ended_ns: int, error: BaseException, *, is_failure: bool) -> None:
        """One statement raised: as `statement`, with the driver's error; no failure is what the caller can mend."""
        if len(self.entries) >= MOST_ENTRIES:
            self.entries.pop()
            self.dropped += 1
        self.entries.append(
            ("broken", started_ns, ended_ns, text, qualified_name(error), code_of(error) or "", is_failure)
        )

    def break_last(self, error: BaseException, *, is_failure: bool) -> None:
        """The last statement turned out to have failed when its rows were fetched."""
        last = self.entries[-1] if self.entries else None
        if last is not None and last[0] == "statement":
            self.entries.pop()
            self.broken(last[3], last[1], perf_counter_ns(), error, is_failure=is_failure)

    def retry(self, error: BaseException) -> None:
        """The unit failed in a way that a new attempt may mend, and will be tried again."""
        self.retries += 1
        if len(self.entries) < MOST_ENTRIES:
            fields: dict[str, Attribute] = {ERROR_TYPE: outcome_of(error)}
            self.entries.append(("word", perf_counter_ns(), UNIT_RETRIED.name, fields))
        if metrics.LIVE:
            metrics.unit_retried(self.kind, outcome_of(error))

    def finish(self, error: BaseException | None, group: int = 1) -> None:
        """The unit is committed, or failed with `error`; `group` units were committed together.

        Call it before the caller is woken; once for each unit, also for one that never began (queue full, cancelled).
        """
        if self.ended:
            return
        self.ended = perf_counter_ns()
        self.group = group
        if error is not None:
            self.outcome = outcome_of(error)
            self.failed = failed(error)
        if THREAD.unit is self:
            THREAD.unit = None
        recording, self.recording = self.recording, None
        if metrics.LIVE:
            statements = self.dropped + sum(entry[0] in _STATEMENTS for entry in self.entries)
            metrics.unit_ended(self.kind, has_begun=bool(self.began), group=group, statements=statements)
            if recording is None:
                self._measure()
            else:
                recording.measure(self._measure, is_failed=self.failed)
        if recording is not None:
            recording.take(self)

    def _measure(self, context: Context | None = None) -> None:
        metrics.unit_took(
            self.kind,
            self.outcome,
            waited_ns=(self.began or self.ended) - self.asked,
            took_ns=self.ended - self.began if self.began else None,
            context=context,
        )
