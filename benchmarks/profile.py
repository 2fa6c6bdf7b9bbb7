"""Shows where Lightwell spends its CPU in a scenario: `python -m benchmarks.profile SCENARIO`; clocking.py measures."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import uvloop

from benchmarks.databases import SqliteFiles
from benchmarks.figures import Batch
from benchmarks.scenarios import SCENARIOS
from benchmarks.seeding import seed
from benchmarks.servers import Recipe, lightwell, reference, serving


@dataclass(frozen=True, slots=True)
class Profile:
    """CPU nanoseconds of one batch by function: spent in it, and spent in it or below it."""

    batch: Batch
    own: Counter[str]
    inclusive: Counter[str]

    def lines(self, top: int) -> list[str]:
        """Packages, then the `top` functions, both by their own CPU in microseconds for one operation."""
        total, operations = self.own.total() or 1, self.batch.accepted or 1
        packages: Counter[str] = Counter()
        for name, spent in self.own.items():
            packages[_package(name)] += spent

        def line(spent: int, *more: str) -> str:
            return f"{spent / total:6.1%} {_microseconds(spent, operations)} {' '.join(more)}"

        head = f"{operations} operations, {self.batch.share:.0%} answered as expected, "
        cost = f"{(self.batch.cpu_milliseconds or 0) * 1000:.0f} us of CPU each (the profiler's included)"
        return [
            head + cost,
            "\n own %    us/op  package",
            *(line(spent, "", name) for name, spent in packages.most_common(20)),
            "\n own %    us/op   +below  function",
            *(
                line(spent, _microseconds(self.inclusive[name], operations), "", name)
                for name, spent in self.own.most_common(top)
            ),
        ]


def _microseconds(nanoseconds: int, operations: int) -> str:
    return f"{nanoseconds / operations / 1000:8.1f}"


def main() -> None:
    """Parse the command line, profile, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("scenario", choices=[scenario.name for scenario in SCENARIOS])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=20_000, help="flow runs seeded first; 0 for none")
    parser.add_argument("--top", type=int, default=40, help="functions to print")
    parser.add_argument("--lightwell-env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--reference-python", type=Path, help="profile the reference server instead")
    options = parser.parse_args()
    extra = dict(pair.split("=", 1) for pair in options.lightwell_env)
    recipe = reference(options.reference_python) if options.reference_python else lightwell(extra)
    profile = uvloop.run(_profile(recipe, options.scenario, options.seconds, options.runs))
    print("\n".join(profile.lines(options.top)))


async def _profile(recipe: Recipe, scenario: str, seconds: float, runs: int) -> Profile:
    measure = next(known.measure for known in SCENARIOS if known.name == scenario)
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as folder:
        result = Path(folder) / "profile.json"
        async with serving(_clocked(recipe, result), SqliteFiles()) as target:
            if runs:
                await seed(target, runs)
            await measure(target, 0.5)
            target.meter.mark = partial(psutil.Process(target.meter.pid).send_signal, signal.SIGUSR1)
            batch = await measure(target, seconds)
            written = json.loads(await _read(result))
    return Profile(batch, Counter(written["own"]), Counter(written["inclusive"]))


def _clocked(recipe: Recipe, result: Path) -> Recipe:
    """The same server inside the clocking: `-m MODULE ...` becomes `-m benchmarks.clocking RESULT MODULE ...`."""
    _, module, *arguments = recipe.arguments
    root = str(Path(__file__).resolve().parent.parent)
    wrapped = ("-m", "benchmarks.clocking", str(result), module, *arguments)
    return Recipe(recipe.name, recipe.python, wrapped, {**recipe.extra, "PYTHONPATH": root})


async def _read(result: Path) -> str:
    deadline = time.monotonic() + 10
    while not await asyncio.to_thread(result.exists):
        if time.monotonic() > deadline:
            sys.exit("The profile was not written.")
        await asyncio.sleep(0.05)
    return await asyncio.to_thread(result.read_text)


def _package(name: str) -> str:
    """`fastapi`, `built-in`, and for our own code the stratum: `lightwell/storage`."""
    if name.startswith("built-in"):
        return "built-in"
    parts = name.split(":", maxsplit=1)[0].split("/")
    return "/".join(parts[:2]) if parts[0] == "lightwell" and len(parts) > 2 else parts[0]  # noqa: PLR2004 - stratum, file


if __name__ == "__main__":
    main()
