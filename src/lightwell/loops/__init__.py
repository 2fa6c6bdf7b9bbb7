"""In, by the clock: one `tick` a module; `LOOPS` is the contents page, `runner.py` supervises."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Protocol

from lightwell.loops import (
    cancellation_cleanup,
    deleted_logs,
    exporter_names,
    late_runs,
    lease_expiry,
    old_events,
    old_flow_runs,
    old_logs,
    pause_expirations,
    statistics,
)
from lightwell.loops.runner import Loop, Tick
from lightwell.orchestration.transition import Tuning


class Timing(Protocol):
    """Whether and how often a loop looks, and how much it does in one transaction at most."""

    @property
    def enabled(self) -> bool: ...  # noqa: D102 -- a setting
    @property
    def period(self) -> timedelta: ...  # noqa: D102
    @property
    def batch_size(self) -> int: ...  # noqa: D102


class LateRuns(Timing, Protocol):
    """When a run is late."""

    @property
    def after(self) -> timedelta: ...  # noqa: D102 -- a setting


class CancellationCleanup(Timing, Protocol):
    """When a cancellation that nobody confirms is over."""

    @property
    def cancelling_timeout(self) -> timedelta: ...  # noqa: D102 -- a setting


class Retention(Timing, Protocol):
    """At what age things are deleted; None keeps them."""

    @property
    def runs(self) -> timedelta | None: ...  # noqa: D102 -- a setting
    @property
    def logs(self) -> timedelta | None: ...  # noqa: D102
    @property
    def events(self) -> timedelta | None: ...  # noqa: D102


class Statistics(Protocol):
    """Whether and how often things are counted for metrics, and how often the sizes of tables at most."""

    @property
    def enabled(self) -> bool: ...  # noqa: D102 -- a setting
    @property
    def period(self) -> timedelta: ...  # noqa: D102
    @property
    def sizes_period(self) -> timedelta: ...  # noqa: D102


class ExporterNames(Protocol):
    """Whether and how often metrics by the names of prometheus-prefect-exporter are made, and of what."""

    @property
    def enabled(self) -> bool: ...  # noqa: D102 -- a setting
    @property
    def period(self) -> timedelta: ...  # noqa: D102
    @property
    def window(self) -> timedelta: ...  # noqa: D102
    @property
    def most_series(self) -> int: ...  # noqa: D102


class LoopOptions(Protocol):
    """What the loops must be told: `settings.loops` has it."""

    @property
    def enabled(self) -> bool: ...  # noqa: D102 -- a setting
    @property
    def late_runs(self) -> LateRuns: ...  # noqa: D102
    @property
    def pause_expirations(self) -> Timing: ...  # noqa: D102
    @property
    def cancellation_cleanup(self) -> CancellationCleanup: ...  # noqa: D102
    @property
    def lease_expiry(self) -> Timing: ...  # noqa: D102
    @property
    def retention(self) -> Retention: ...  # noqa: D102
    @property
    def statistics(self) -> Statistics: ...  # noqa: D102
    @property
    def exporter_names(self) -> ExporterNames: ...  # noqa: D102


def _late_runs(options: LoopOptions, tuning: Tuning) -> Loop | None:
    own = options.late_runs
    return _loop("late_runs", own, partial(late_runs.tick, after=own.after, batch_size=own.batch_size, tuning=tuning))


def _pause_expirations(options: LoopOptions, tuning: Tuning) -> Loop | None:
    own = options.pause_expirations
    return _loop("pause_expirations", own, partial(pause_expirations.tick, batch_size=own.batch_size, tuning=tuning))


def _cancellation_cleanup(options: LoopOptions, tuning: Tuning) -> Loop | None:
    own = options.cancellation_cleanup
    tick = partial(
        cancellation_cleanup.tick, cancelling_timeout=own.cancelling_timeout, batch_size=own.batch_size, tuning=tuning
    )
    return _loop("cancellation_cleanup", own, tick)


def _lease_expiry(options: LoopOptions, _: Tuning) -> Loop | None:
    own = options.lease_expiry
    return _loop("lease_expiry", own, partial(lease_expiry.tick, batch_size=own.batch_size))


def _old_flow_runs(options: LoopOptions, _: Tuning) -> Loop | None:
    own = options.retention
    if own.runs is None:
        return None
    return _loop("old_flow_runs", own, partial(old_flow_runs.tick, age=own.runs, batch_size=own.batch_size))


def _old_logs(options: LoopOptions, _: Tuning) -> Loop | None:
    own = options.retention
    if own.logs is None:
        return None
    return _loop("old_logs", own, partial(old_logs.tick, age=own.logs, batch_size=own.batch_size))


def _old_events(options: LoopOptions, _: Tuning) -> Loop | None:
    own = options.retention
    if own.events is None:
        return None
    return _loop("old_events", own, partial(old_events.tick, age=own.events, batch_size=own.batch_size))


def _deleted_logs(options: LoopOptions, _: Tuning) -> Loop:
    # Somebody has asked for it, whatever is kept for how long.
    own = options.retention
    return Loop(name="deleted_logs", period=own.period, tick=partial(deleted_logs.tick, batch_size=own.batch_size))


def _statistics(options: LoopOptions, _: Tuning) -> Loop | None:
    own = options.statistics
    counted = statistics.Statistics(late_after=options.late_runs.after, sizes_period=own.sizes_period)
    return Loop(name="statistics", period=own.period, tick=counted.tick) if own.enabled else None


def _exporter_names(options: LoopOptions, _: Tuning) -> Loop | None:
    own = options.exporter_names
    counted = exporter_names.ExporterNames(window=own.window, most_series=own.most_series)
    return Loop(name="exporter_names", period=own.period, tick=counted.tick) if own.enabled else None


def _loop(name: str, timing: Timing, tick: Tick) -> Loop | None:
    return Loop(name=name, period=timing.period, tick=tick) if timing.enabled else None


LOOPS: tuple[Callable[[LoopOptions, Tuning], Loop | None], ...] = (
    _late_runs,
    _pause_expirations,
    _cancellation_cleanup,
    _lease_expiry,
    _old_flow_runs,
    _old_logs,
    _old_events,
    _deleted_logs,
    _statistics,
    _exporter_names,
)
"""Every loop there is."""


def loops_of(options: LoopOptions, tuning: Tuning) -> list[Loop]:
    """The loops that these settings ask for."""
    if not options.enabled:
        return []
    return [loop for make in LOOPS if (loop := make(options, tuning)) is not None]
