"""All requests of the last hour, route by route and minute by minute: how many, how many failed, how long they took.

Kept traces are a biased choice; this is what a table of routes is made of. 0.5 µs a request, and a few hundred numbers
a minute.
"""

from collections import deque
from collections.abc import Mapping
from time import time_ns
from typing import Final

MINUTES: Final = 60
"""How far back it reaches."""

_MINUTE: Final = 60_000_000_000
_REFUSED_FROM: Final = 400
_OK, _REFUSED, _FAILED = 0, 1, 2

Route = tuple[str, str | None]
"""Method and template; None where no route matched."""

Counts = dict[int, int]
"""How many requests by bucket: `bucket_of` has what is in one."""

Minute = Mapping[Route, Counts]


def bucket_of(took: int, *, refused: bool = False, failed: bool = False) -> int:
    """The bucket of a duration in nanoseconds and an outcome; four to each doubling of the duration."""
    bits = took.bit_length()
    place = (bits << 2 | (took >> (bits - 3)) & 3) if bits > 3 else 16  # noqa: PLR2004 -- what four buckets need
    return place << 2 | (_FAILED if failed else _REFUSED if refused else _OK)


def bounds_of(bucket: int) -> tuple[int, int]:
    """From which duration on, and below which, in nanoseconds."""
    bits, quarter = bucket >> 4, (bucket >> 2) & 3
    width = 1 << (bits - 3)
    return (4 + quarter) * width, (5 + quarter) * width


def is_failed(bucket: int) -> bool:
    """Whether requests of this bucket failed: 5xx."""
    return bucket & 3 == _FAILED


def is_refused(bucket: int) -> bool:
    """Whether requests of this bucket were refused: 4xx."""
    return bucket & 3 == _REFUSED


class Traffic:
    """What this process was asked."""

    def __init__(self) -> None:
        self._minute = 0
        self._until = 0
        self._present: dict[Route, Counts] = {}
        self._past: deque[tuple[int, Minute]] = deque(maxlen=MINUTES)

    def note(self, route: Route, status: int | None, *, took: int, ended: int, failed: bool) -> None:
        """One request was answered; `took` and `ended` are in nanoseconds of `perf_counter_ns`."""
        if ended >= self._until:
            self._turn(ended)
        bucket = bucket_of(took, refused=status is not None and status >= _REFUSED_FROM, failed=failed)
        counts = self._present.get(route)
        if counts is None:
            counts = self._present[route] = {}
        counts[bucket] = counts.get(bucket, 0) + 1

    def minutes(self) -> list[tuple[int, Minute]]:
        """A copy of each minute that something was asked in, by its number since 1970; the present one last."""
        present = {route: dict(counts) for route, counts in list(self._present.items())}
        return [*self._past, (self._minute, present)] if present else [*self._past]

    def _turn(self, ended: int) -> None:
        now = time_ns()
        minute = now // _MINUTE
        if minute != self._minute:
            if self._present:
                self._past.append((self._minute, self._present))
            self._minute, self._present = minute, {}
        self._until = ended + _MINUTE - now % _MINUTE


TRAFFIC: Final = Traffic()
"""Of this process."""
