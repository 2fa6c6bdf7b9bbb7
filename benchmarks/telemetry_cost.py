"""What the whole telemetry costs a real server: `python -m benchmarks.telemetry_cost`.

Two servers run side by side, one with everything on (traces at a baseline of 1 %, the embedded store, metrics at
`/metrics`, a log line for each request, and a collector that takes traces, metrics and logs, which `--alone` leaves
out), one with `OTEL_SDK_DISABLED=true` and no logs; or, with `--without metrics` or `--without store`, one that lacks
that alone. The same requests go to both in lockstep, one to each in turn, and the CPU of small blocks of them is
compared, so that what else the machine does falls on both. The pieces one by one, in one process and without sockets:
telemetry_overhead.py.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median, quantiles

import uvloop

from benchmarks import calls
from benchmarks.databases import SqliteFiles
from benchmarks.servers import Target, lightwell, serving
from benchmarks.wire import Connection, Request
from tests.signals.collector import collecting

GOAL = 1.15
"""The most that telemetry may multiply the CPU of an operation by."""
OFF = {
    "OTEL_SDK_DISABLED": "true",
    "LIGHTWELL_TELEMETRY_ENABLED": "false",
    "LIGHTWELL_TELEMETRY_LOG_LEVEL": "CRITICAL",
}
WITHOUT = {
    "telemetry": OFF,
    "metrics": {"LIGHTWELL_TELEMETRY_METRICS": "false"},
    "store": {"LIGHTWELL_TELEMETRY_STORE_MODE": "off"},
}
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two servers, a connection to it, and a flow on it."""

    target: Target
    connection: Connection
    flow_id: str

    def cpu(self) -> float:
        """CPU microseconds of the server so far."""
        return self.target.meter.cpu_seconds() * _MICROSECONDS


Settings = dict[str, str]
Plan = Callable[[Side, int], Awaitable[list[Request]]]


async def _health(_side: Side, number: int) -> list[Request]:
    return [Request("GET", "/health")] * number


async def _create(side: Side, number: int) -> list[Request]:
    return [calls.create_run(side.flow_id) for _ in range(number)]


async def _set_state(side: Side, number: int) -> list[Request]:
    now = datetime.now(UTC)
    ids = [await calls.make_run(side.connection, side.flow_id, scheduled_for=now) for _ in range(number // 3)]
    return [calls.to_state(run_id, state) for run_id in ids for state in ("PENDING", "RUNNING", "COMPLETED")]


PLANS: dict[str, Plan] = {"health": _health, "create": _create, "set_state": _set_state}
BOUND = frozenset({"create", "set_state"})
"""The operations that the goal is about: beside next to no work at all, as in `health`, telemetry is most of it."""


async def compare(on: Side, off: Side, plan: Plan, rounds: int, requests: int) -> list[tuple[float, float]]:
    """The costs of one request in so many blocks, on each side; the first block is not counted."""
    pairs = []
    for _ in range(rounds + 1):
        blocks = list(zip(await plan(on, requests), await plan(off, requests), strict=True))
        before = on.cpu(), off.cpu()
        for number, (mine, theirs) in enumerate(blocks):
            turns = [(on, mine), (off, theirs)]
            for side, request in turns if number % 2 else turns[::-1]:
                await calls.call(side.connection, request)
        pairs.append(((on.cpu() - before[0]) / len(blocks), (off.cpu() - before[1]) / len(blocks)))
    return pairs[1:]


async def measure(rounds: int, requests: int, names: list[str], on_by: Settings, off_by: Settings) -> bool:
    """Measure a server with the settings `on_by` against one with `off_by`, and print; whether the goal is reached."""
    async with (
        serving(lightwell(on_by), SqliteFiles()) as with_telemetry,
        serving(lightwell(off_by), SqliteFiles()) as without,
        with_telemetry.connection() as one,
        without.connection() as other,
    ):
        on = Side(with_telemetry, one, await calls.make_flow(one, "bench-telemetry"))
        off = Side(without, other, await calls.make_flow(other, "bench-telemetry"))
        await asyncio.gather(with_telemetry.meter.settled(), without.meter.settled())
        print(f"{'':10} {'with':>9} {'without':>9} {'added':>8}   ratio of CPU (quartiles)")
        reached = True
        for name in names:
            pairs = await compare(on, off, PLANS[name], rounds, requests)
            ratios = [mine / theirs for mine, theirs in pairs]
            low, middle, high = quantiles(ratios, n=4)
            added = median(mine - theirs for mine, theirs in pairs)
            told, silent = (median(of_one) for of_one in zip(*pairs, strict=True))
            verdict = "" if name not in BOUND else f"  goal {GOAL}: {'reached' if middle <= GOAL else 'MISSED'}"
            costs = f"{told:6.0f} µs {silent:6.0f} µs {added:5.0f} µs"
            print(f"{name:10} {costs}   {middle:.3f} ({low:.2f}-{high:.2f}){verdict}")
            reached = reached and (name not in BOUND or middle <= GOAL)
    return reached


def main() -> None:
    """Read the arguments and measure; exit status 1 where `--check` is given and the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.telemetry_cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="pairs of blocks")
    parser.add_argument("--requests", type=int, default=60, help="a block")
    parser.add_argument("--only", nargs="+", choices=PLANS, default=list(PLANS), metavar="OPERATION")
    parser.add_argument("--without", choices=WITHOUT, default="telemetry", help="what the other server lacks")
    parser.add_argument("--alone", action="store_true", help="send nothing to a collector")
    parser.add_argument("--check", action="store_true", help="fail when the goal is missed")
    options = parser.parse_args()
    with collecting() as collector:
        on_by = {} if options.alone else {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
        off_by = WITHOUT[options.without]
        reached = uvloop.run(measure(options.rounds, options.requests, options.only, on_by, off_by))
        if not options.alone and not {"/v1/traces", "/v1/metrics"} <= {path for path, _, _ in collector.requests}:
            sys.exit("the collector was sent nothing")
    sys.exit(1 if options.check and not reached else 0)


if __name__ == "__main__":
    main()
