"""Collects what the rounds gave and prints it: a table for people, a dictionary for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import Batch, Figure, Spread, advantages, format_ratio, format_value, spread
from benchmarks.lifecycle import Life
from benchmarks.scenarios import Scenario
from benchmarks.servers import Name

HEADINGS = ("scenario", "figure", "lightwell", "reference", "times better (min-max)", "goal")
ENOUGH = 0.99
"""The share of expected answers below which a server's figures are marked: it was not doing the work."""
BUSY = 0.8
"""The share of the wall time above which the load generator itself limited the throughput."""


@dataclass(slots=True)
class Row:
    """One figure of one scenario, a value per round and server; None where a server did none of the work."""

    scenario: str
    figure: Figure
    values: dict[Name, list[float | None]] = field(default_factory=lambda: {"lightwell": [], "reference": []})
    notes: set[str] = field(default_factory=set)

    @property
    def ratio(self) -> Spread | None:
        """How many times better Lightwell is, over the rounds that have both."""
        return spread(advantages(self.values["lightwell"], self.values["reference"], self.figure.better))

    @property
    def met(self) -> bool | None:
        """Whether the promise holds; None without one, or without the values to tell."""
        if self.figure.limit is not None:
            ours = spread(self.values["lightwell"])
            return ours.median <= self.figure.limit if ours else None
        ratio = self.ratio
        return ratio.median >= self.figure.goal if ratio and self.figure.goal is not None else None


class Report:
    """All rows, in the order in which they were first written."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: dict[tuple[str, str], Row] = {}

    def add_batch(self, scenario: Scenario, name: Name, batch: Batch) -> None:
        """Write what one batch of a scenario cost a server."""
        cpu = self._row(scenario.name, Figure("CPU", f"ms/{scenario.unit}", goal=scenario.goal))
        rate = self._row(scenario.name, Figure("throughput", "/s", "higher"))
        share = self._row(scenario.name, Figure("answered", "%", "higher"))
        cpu.values[name].append(batch.cpu_milliseconds)
        rate.values[name].append(batch.throughput)
        share.values[name].append(batch.share * 100)
        if batch.share < ENOUGH:
            cpu.notes.add(f"{name} refused some")
        if batch.generator_seconds > batch.wall_seconds * BUSY:
            rate.notes.add("limited by the load generator")

    def add_life(self, name: Name, life: Life) -> None:
        """Write what one start of a server cost."""
        figures = (
            (Figure("CPU to healthy", "s", limit=1.5), life.start_cpu_seconds),
            (Figure("wall to healthy", "s"), life.start_wall_seconds),
            (Figure("idle CPU", "ms/s"), life.idle_cpu_milliseconds),
            (Figure("idle memory", "MB", goal=2), life.idle_megabytes),
        )
        for figure, value in figures:
            self._row("start", figure).values[name].append(value)

    def table(self) -> str:
        """The table; columns are as wide as their widest cell."""
        lines = [HEADINGS, *(_cells(row) for row in self._rows.values())]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)

    def as_json(self) -> list[dict[str, Any]]:
        """Every value of every round."""
        return [
            {
                "scenario": row.scenario,
                "figure": row.figure.name,
                "unit": row.figure.unit,
                "values": row.values,
                "times_better": ratio.median if (ratio := row.ratio) else None,
                "met": row.met,
                "notes": sorted(row.notes),
            }
            for row in self._rows.values()
        ]

    def missed(self) -> Iterator[str]:
        """Promises that do not hold, in words."""
        for row in self._rows.values():
            if row.met is False:
                yield f"{row.scenario}: {row.figure.name} is {format_ratio(row.ratio)}, {_goal(row)}"

    def _row(self, scenario: str, figure: Figure) -> Row:
        return self._rows.setdefault((scenario, figure.name), Row(scenario, figure))


def _cells(row: Row) -> tuple[str, ...]:
    notes = f" [{'; '.join(sorted(row.notes))}]" if row.notes else ""
    return (
        row.scenario,
        f"{row.figure.name} ({row.figure.unit})",
        format_value(spread(row.values["lightwell"])),
        format_value(spread(row.values["reference"])),
        format_ratio(row.ratio),
        _goal(row) + notes,
    )


def _goal(row: Row) -> str:
    if row.figure.goal is None and row.figure.limit is None:
        return ""
    wanted = f"{row.figure.goal:g}x" if row.figure.goal is not None else f"at most {row.figure.limit:g}"
    return wanted + {True: " met", False: " MISSED", None: ""}[row.met]
