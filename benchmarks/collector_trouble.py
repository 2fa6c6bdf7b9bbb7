"""What a collector's troubles cost the requests of a real server: `python -m benchmarks.collector_trouble`.

Servers run side by side, each with a collector of its own: one that is well, one that is dead, one that accepts and
never answers, one that dies and lives in turns. The same requests go to all of them in lockstep, one to each in turn;
the CPU of small blocks and the time of each request are compared with those beside the collector that is well, so that
what else the machine does falls on all. One trace in twenty is kept, which is what a server with many failures has.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Final

import uvloop

from benchmarks import calls
from benchmarks.databases import SqliteFiles
from benchmarks.servers import Target, lightwell, serving
from benchmarks.wire import Connection, Request
from tests.troubled_collector import TroubledCollector, troubled_collector

WELL: Final = "well"
TROUBLES: Final = ("dead", "stalled", "flapping")
GOAL: Final = 1.05
"""The most that a trouble may multiply CPU and median time of a request by; the measurement itself is as rough."""
SETTINGS: Final = {
    "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "0.05",
    "OTEL_METRIC_EXPORT_INTERVAL": "5000",
}
_MICROSECONDS: Final = 1e6


@dataclass(frozen=True, slots=True)
class Side:
    """One server with its collector."""

    name: str
    target: Target
    connection: Connection
    flow_id: str
    cpu: list[float] = field(default_factory=list)
    times: list[list[float]] = field(default_factory=list)

    def used(self) -> float:
        """CPU microseconds of the server so far."""
        return self.target.meter.cpu_seconds() * _MICROSECONDS


async def _block(side: Side, runs: int) -> list[Request]:
    now = datetime.now(UTC)
    ids = [await calls.make_run(side.connection, side.flow_id, scheduled_for=now) for _ in range(runs)]
    return [calls.to_state(run_id, state) for run_id in ids for state in ("PENDING", "RUNNING", "COMPLETED")]


async def _round(sides: list[Side], runs: int) -> None:
    blocks = [await _block(side, runs) for side in sides]
    before = [side.used() for side in sides]
    for side in sides:
        side.times.append([])
    for number, requests in enumerate(zip(*blocks, strict=True)):
        turns = list(zip(sides, requests, strict=True))
        shift = number % len(turns)
        for side, request in turns[shift:] + turns[:shift]:
            began = time.perf_counter()
            await calls.call(side.connection, request)
            side.times[-1].append((time.perf_counter() - began) * _MICROSECONDS)
    for side, start in zip(sides, before, strict=True):
        side.cpu.append((side.used() - start) / len(blocks[0]))


async def _begin(stack: AsyncExitStack, name: str, collector: TroubledCollector) -> Side:
    recipe = lightwell(SETTINGS | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address})
    target = await stack.enter_async_context(serving(recipe, SqliteFiles()))
    connection = await stack.enter_async_context(target.connection())
    if name == "dead":
        collector.die()
    elif name == "stalled":
        collector.live("stalls")
    elif name == "flapping":
        stack.enter_context(collector.flapping(2.0))
    return Side(name, target, connection, await calls.make_flow(connection, "bench-trouble"))


def _compared(side: Side, well: Side) -> tuple[float, float, float]:
    """The medians of the paired ratios: CPU, a block's median time, and its 95th percentile."""
    cpu = median(mine / theirs for mine, theirs in zip(side.cpu, well.cpu, strict=True))
    blocks = list(zip(side.times, well.times, strict=True))
    middle = median(median(mine) / median(theirs) for mine, theirs in blocks)
    tail = median(quantiles(mine, n=20)[-1] / quantiles(theirs, n=20)[-1] for mine, theirs in blocks)
    return cpu, middle, tail


async def measure(rounds: int, runs: int) -> bool:
    """Measure and print; whether the goal is reached."""
    async with AsyncExitStack() as stack:
        sides = []
        for name in (WELL, *TROUBLES):
            collector = stack.enter_context(troubled_collector())
            sides.append(await _begin(stack, name, collector))
        await asyncio.gather(*(side.target.meter.settled() for side in sides))
        resident = [side.target.meter.resident_bytes() for side in sides]
        for _ in range(rounds + 1):
            await _round(sides, runs)
        for side in sides:  # the first block warms up
            del side.cpu[0], side.times[0]
        reached = True
        print(f"{'collector':10} {'CPU µs':>8} {'median µs':>10} {'memory':>9}   ratios: CPU, median, 95 %")
        for side, before in zip(sides, resident, strict=True):
            cpu, middle, tail = _compared(side, sides[0])
            reached = reached and cpu <= GOAL and middle <= GOAL
            grown = (side.target.meter.resident_bytes() - before) / 2**20
            typical = median(median(times) for times in side.times)
            costs = f"{median(side.cpu):8.0f} {typical:10.0f} {grown:+6.1f} MB"
            print(f"{side.name:10} {costs}   {cpu:.3f}, {middle:.3f}, {tail:.3f}")
    print(f"goal {GOAL}: {'reached' if reached else 'MISSED'}")
    return reached


def main() -> None:
    """Read the arguments and measure; exit status 1 where `--check` is given and the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collector_trouble", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="blocks on each server")
    parser.add_argument("--runs", type=int, default=15, help="runs of a block, with three transitions each")
    parser.add_argument("--check", action="store_true", help="fail when the goal is missed")
    options = parser.parse_args()
    reached = uvloop.run(measure(options.rounds, options.runs))
    sys.exit(1 if options.check and not reached else 0)


if __name__ == "__main__":
    main()
