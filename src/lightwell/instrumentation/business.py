"""The instruments of runs, events and logs, and of what the process has: fed by facts, or read when they are collected.

What is counted in the database by the clock is in `figures.py`.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal, Protocol, get_args

from opentelemetry.metrics import Meter, NoOpMeter

from lightwell.instrumentation import figures, metrics, process
from lightwell.instrumentation import vocabulary as names
from lightwell.instrumentation.metrics import Attributes, histogram, observe
from lightwell.instrumentation.tally import Tally
from lightwell.instrumentation.vocabulary import business as declared


class Load(Protocol):
    """Units of database work that wait and that run, by kind, and the connections that they share."""

    @property
    def waiting(self) -> Mapping[str, int]: ...  # noqa: D102 -- said above
    @property
    def running(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def connections(self) -> int: ...  # noqa: D102


DropReason = Literal["duplicate", "invalid", "refused"]

_transitions: Final = Tally(names.TRANSITIONS)
_facts: Final = Tally(names.FACTS, [()])
_events: Final = Tally(declared.EVENTS_INGESTED, [("client",), ("server",)])
_dropped: Final = Tally(declared.EVENTS_DROPPED, [(reason,) for reason in get_args(DropReason)])
_lines: Final = Tally(declared.LOG_LINES, [()])


class _Watched:
    """What is asked when metrics are collected: the parts of the server that runs."""

    def __init__(self) -> None:
        self.load: Callable[[], Load] | None = None
        self.streams: dict[str, Callable[[], int]] = {}
        self.home: Path | None = None


_WATCHED: Final = _Watched()


def _present(load: Callable[[], Load] | None) -> Iterable[Callable[[], Load]]:
    return () if load is None else (load,)


def _units(state: Literal["waiting", "running"]) -> Iterable[tuple[float, Attributes]]:
    for load in _present(_WATCHED.load):
        for kind, number in getattr(load(), state).items():
            yield number, {names.UNIT_KIND: kind}


def _backlogs() -> Iterable[tuple[float, Attributes]]:
    for stream, backlog in _WATCHED.streams.items():
        yield backlog(), {names.STREAM: stream}


def _disk(which: Literal["free", "total"]) -> Iterable[tuple[float, Attributes]]:
    home = _WATCHED.home
    if home is not None:
        with suppress(OSError):
            yield getattr(shutil.disk_usage(home), which), {}


def _cpu_time() -> Iterable[tuple[float, Attributes]]:
    for mode, seconds in process.cpu_seconds().items():
        yield seconds, {names.CPU_MODE: mode}


def _known(value: int | None) -> Iterable[tuple[float, Attributes]]:
    return () if value is None else ((value, {}),)


class _Instruments:
    def __init__(self, meter: Meter) -> None:
        self.run_duration = histogram(meter, declared.RUN_DURATION)
        self.start_delay = histogram(meter, declared.RUN_START_DELAY)
        self.events_delay = histogram(meter, declared.EVENTS_DELAY)
        self.loop_lag = histogram(meter, declared.EVENT_LOOP_LAG)
        observe(meter, declared.STREAM_BACKLOG, _backlogs)
        observe(meter, declared.UNITS_WAITING, lambda: _units("waiting"))
        observe(meter, declared.UNITS_RUNNING, lambda: _units("running"))
        observe(meter, declared.POOL_SIZE, lambda: [(load().connections, {}) for load in _present(_WATCHED.load)])
        observe(meter, declared.DISK_FREE, lambda: _disk("free"))
        observe(meter, declared.DISK_SIZE, lambda: _disk("total"))
        observe(meter, declared.CPU_TIME, _cpu_time)
        observe(meter, declared.MEMORY, lambda: _known(process.memory()))
        observe(meter, declared.FILE_DESCRIPTORS, lambda: _known(process.file_descriptors()))
        observe(meter, declared.THREADS, lambda: _known(process.threads()))
        observe(meter, declared.START_TIME, lambda: [(process.STARTED, {})])


_instruments = _Instruments(NoOpMeter("lightwell"))


def _make(meter: Meter) -> None:
    global _instruments  # noqa: PLW0603 -- the instruments of the process
    _instruments = _Instruments(meter)
    for tally in (_transitions, _facts, _events, _dropped, _lines):
        tally.make(meter)


metrics.also_make(_make)


def watch(*, load: Callable[[], Load], streams: Mapping[str, Callable[[], int]], home: Path) -> Callable[[], None]:
    """Tell of a server's database, of its live streams by name, and of the disk of its home directory.

    Calling what is returned ends that, unless another server of this process is told of by now.
    """
    _WATCHED.load, _WATCHED.streams, _WATCHED.home = load, dict(streams), home

    def forget() -> None:
        if _WATCHED.load is load:
            _WATCHED.load, _WATCHED.streams, _WATCHED.home = None, {}, None
            figures.forget()

    return forget


def run_moved(
    kind: str, previous: str | None, present: str, ran: timedelta | None, start_delay: timedelta | None
) -> None:
    """A run (`flow_run` or `task_run`) went from one type of state to another.

    `ran` is how long it had run, if it ended, `start_delay` how late it began, if it began.
    """
    _transitions.add(1, kind, previous or "NONE", present)
    if ran is not None:
        attributes: Attributes = {names.RUN_KIND: kind, names.STATE_TYPE: present}
        _instruments.run_duration.record(max(0.0, ran.total_seconds()), attributes)
    if start_delay is not None:
        _instruments.start_delay.record(max(0.0, start_delay.total_seconds()), {names.RUN_KIND: kind})


def events_stored(stated: int, delays: Sequence[float]) -> None:
    """So many events of this server were stored, and those of clients so many seconds after they happened."""
    _facts.add(stated + len(delays))
    _events.add(stated, "server")
    _events.add(len(delays), "client")
    for delay in delays:
        _instruments.events_delay.record(max(0.0, delay))


def count_dropped_events(reason: DropReason, number: int) -> None:
    """Events of clients came and were not stored."""
    if metrics.LIVE:
        _dropped.add(number, reason)


def count_lines(number: int) -> None:
    """Log lines of runs were stored."""
    if metrics.LIVE:
        _lines.add(number)


def loop_called_back(seconds_late: float) -> None:
    """The event loop called back so much later than asked."""
    _instruments.loop_lag.record(seconds_late)
