"""Measures what a server costs before anyone asks it for anything: starting on a fresh database, and being idle."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from benchmarks.databases import Databases
from benchmarks.servers import Recipe, serving

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Life:
    """One start and the rest after it."""

    start_cpu_seconds: float
    start_wall_seconds: float
    idle_cpu_milliseconds: float
    """CPU used in one second of rest."""
    idle_megabytes: float


async def live(recipe: Recipe, databases: Databases, *, rest: float) -> Life:
    """Start a server on a fresh database, let it settle, watch it rest for `rest` seconds, stop it."""
    async with serving(recipe, databases) as target:
        await target.meter.settled()
        cpu, wall = target.meter.cpu_seconds(), time.perf_counter()
        await asyncio.sleep(rest)
        used = target.meter.cpu_seconds() - cpu
        elapsed = time.perf_counter() - wall
        return Life(
            start_cpu_seconds=target.started_cpu,
            start_wall_seconds=target.started_wall,
            idle_cpu_milliseconds=used * 1000 / elapsed,
            idle_megabytes=target.meter.resident_bytes() / MEGABYTE,
        )
