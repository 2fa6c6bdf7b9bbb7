"""The log lines of a local root: held as they were written while it runs, and given away with its trace if it is kept.

What is held is the very mapping that was rendered: holding a line costs less than a microsecond, and a line is made
presentable (`line_of`) only when it is kept.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lightwell.instrumentation.kept import Line
from lightwell.instrumentation.metrics import count_dropped
from lightwell.instrumentation.recording import Recording

MOST_LINES: Final = 200
"""Lines that one recording holds at most."""

MOST_LINES_IN_ALL: Final = 20_000
"""Lines that all recordings together hold at most."""

Take = Callable[[Line], object]


class Outlet:
    """Where lines of some levels go as soon as they are written, whatever becomes of their trace."""

    levels: frozenset[str] = frozenset()
    take: Take = staticmethod(lambda _line: None)

    def bind(self, levels: frozenset[str] = frozenset(), take: Take = lambda _line: None) -> None:
        """Send lines of these levels there, and no more to where they went before."""
        self.levels, self.take = levels, take


OUTLET: Final = Outlet()

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
_PLAIN: Final = (str, int, float, bool)
_OWN: Final = frozenset({"event", "level", "timestamp", "trace_id", "span_id"})


class _Held:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.lines = 0


_held: Final = _Held()


def levels_from(least: str) -> frozenset[str]:
    """The names of a level and of those above it; none for `none`."""
    return frozenset(_LEVELS[_LEVELS.index(least.lower()) :]) if least.lower() in _LEVELS else frozenset()


def hold(recording: Recording, said: Mapping[str, Any]) -> None:
    """Hold a finished line, which nobody changes any more; one that comes after the root's end follows the decision."""
    if recording.closed:
        if recording.late is not None:
            recording.late.take_line(recording, said)
        return
    lines = recording.lines
    if lines is None:
        return
    with _held.lock:
        has_room = len(lines) < MOST_LINES and _held.lines < MOST_LINES_IN_ALL
        if has_room:
            _held.lines += 1
            lines.append(said)
    if not has_room:
        count_dropped("logs", "too_many_lines", 1)


def release(recording: Recording) -> Sequence[Mapping[str, Any]]:
    """Give away what a recording holds."""
    lines, recording.lines = recording.lines, None
    if not lines:
        return ()
    with _held.lock:
        _held.lines -= len(lines)
    return lines


def line_of(said: Mapping[str, Any]) -> Line:
    """A line as sinks get it."""
    return Line(
        at=(said["timestamp"] - _EPOCH) // _MICROSECOND * 1000,
        level=said["level"],
        event=str(said["event"]),
        fields={str(name): _plain(value) for name, value in said.items() if name not in _OWN},
        trace_id=said.get("trace_id", ""),
        span_id=said.get("span_id", ""),
    )


def _plain(value: Any) -> Any:
    """As the written line shows it: what JSON has no form for is text."""
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)
