"""The arithmetic of a comparison: one batch, paired batches, medians with their noise; report.py makes the table."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What is measured: its name, its unit, and whether less or more of it is better."""

    name: str
    unit: str
    better: Better = "lower"
    goal: float | None = None
    """How many times better than the reference Lightwell has to be; None where nothing is promised."""
    limit: float | None = None
    """The most that Lightwell may need, whatever the reference needs; None where nothing is promised."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the smallest and the largest value: the noise of the machine as it was during the run."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch cost: CPU and wall time in seconds, answers as they were expected and others."""

    accepted: int
    refused: int
    cpu_seconds: float
    wall_seconds: float
    generator_seconds: float = 0.0
    """CPU of the load generator itself: near `wall_seconds` it, not the server, was the bottleneck."""

    @property
    def share(self) -> float:
        """Answers that were as expected, of all: 0 to 1."""
        total = self.accepted + self.refused
        return self.accepted / total if total else 0.0

    @property
    def cpu_milliseconds(self) -> float | None:
        """CPU of the server for one accepted operation, which pays for the refused ones too; None without any."""
        return self.cpu_seconds * 1000 / self.accepted if self.accepted else None

    @property
    def throughput(self) -> float | None:
        """Accepted operations in a second, None without any."""
        return self.accepted / self.wall_seconds if self.accepted and self.wall_seconds > 0 else None


def spread(values: Iterable[float | None]) -> Spread | None:
    """Median, minimum and maximum of the values that exist, None when none does."""
    known = [value for value in values if value is not None]
    return Spread(statistics.median(known), min(known), max(known)) if known else None


def advantages(ours: Sequence[float | None], theirs: Sequence[float | None], better: Better) -> list[float]:
    """Per round, how many times better ours is than theirs; rounds without both values are left out."""
    pairs = zip(ours, theirs, strict=False)
    ordered = ((other, own) if better == "lower" else (own, other) for own, other in pairs)
    return [above / below for above, below in ordered if above is not None and below]


def format_ratio(ratio: Spread | None) -> str:
    """`12.3x (11.8-13.0)`, or a dash."""
    if ratio is None:
        return "-"
    return f"{_short(ratio.median)}x ({_short(ratio.low)}-{_short(ratio.high)})"


def format_value(value: Spread | None) -> str:
    """The median with three significant digits, or a dash."""
    return "-" if value is None else _short(value.median)


def _short(value: float) -> str:
    magnitude = abs(value)
    decimals = 0 if magnitude >= 100 else 1 if magnitude >= 10 else 2 if magnitude >= 1 else 3  # noqa: PLR2004 - digits
    return f"{value:,.{decimals}f}"
