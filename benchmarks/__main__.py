"""The command: starts both servers, alternates between them, and prints how they compare; README.md explains it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import uvloop

from benchmarks import load
from benchmarks.databases import Databases, PostgresDatabases, SqliteFiles
from benchmarks.lifecycle import live
from benchmarks.report import Report
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.seeding import seed
from benchmarks.servers import Recipe, Target, lightwell, reference, serving
from tests.postgres import PostgresServer
from tests.reference.serve import reference_python

_T = TypeVar("_T")
NAMES = ("start", *(scenario.name for scenario in SCENARIOS))


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    only: frozenset[str]
    rounds: int
    seconds: float
    rest: float
    runs: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, measure, print."""
    options = _parser().parse_args(arguments)
    plan = Plan(
        only=frozenset(options.only or NAMES),
        rounds=1 if options.quick else options.rounds,
        seconds=0.7 if options.quick else options.seconds,
        rest=2.0 if options.quick else 10.0,
        runs=options.runs,
    )
    with _databases(options) as databases:
        report = uvloop.run(_measure(_recipes(options), databases, plan))
    print(_machine(options.database, plan))
    print(report.table())
    if options.json:
        Path(options.json).write_text(json.dumps(report.as_json(), indent=1) + "\n")
    missed = list(report.missed())
    if missed and options.check:
        sys.exit("\n".join(missed))


async def _measure(recipes: list[Recipe], databases: Databases, plan: Plan) -> Report:
    report = Report()
    if "start" in plan.only:
        for number in range(plan.rounds):
            for recipe in _alternated(recipes, number):
                _say(f"start {recipe.name}, round {number + 1}")
                report.add_life(recipe.name, await live(recipe, databases, rest=plan.rest))
    scenarios = [scenario for scenario in SCENARIOS if scenario.name in plan.only]
    if scenarios:
        async with AsyncExitStack() as stack:
            targets = []
            for recipe in recipes:
                _say(f"start and seed {recipe.name} with {plan.runs} flow runs")
                target = await stack.enter_async_context(serving(recipe, databases))
                await seed(target, plan.runs)
                targets.append(target)
            for target in targets:
                await target.meter.rest(load.AFTERMATH)
            for scenario in scenarios:
                await _compare(scenario, targets, plan, report)
    return report


async def _compare(scenario: Scenario, targets: list[Target], plan: Plan, report: Report) -> None:
    for target in targets:
        await scenario.measure(target, min(0.3, plan.seconds))  # not counted: caches and lazy imports
    for number in range(plan.rounds):
        for target in _alternated(targets, number):
            batch = await scenario.measure(target, plan.seconds)
            _say(f"{scenario.name} {target.name}, round {number + 1}: {batch}")
            report.add_batch(scenario, target.name, batch)


def _alternated(items: list[_T], number: int) -> list[_T]:
    return items if number % 2 == 0 else items[::-1]


def _recipes(options: argparse.Namespace) -> list[Recipe]:
    recipes = []
    if options.server in {"both", "lightwell"}:
        recipes.append(lightwell(dict(pair.split("=", 1) for pair in options.lightwell_env)))
    if options.server in {"both", "reference"}:
        recipes.append(reference(options.reference_python or reference_python()))
    return recipes


@contextmanager
def _databases(options: argparse.Namespace) -> Iterator[Databases]:
    if options.database == "sqlite":
        yield SqliteFiles()
    elif options.postgres_url:
        yield PostgresDatabases(options.postgres_url)
    else:
        with PostgresServer() as server:
            yield PostgresDatabases(server.url("postgres"))


def _machine(database: str, plan: Plan) -> str:
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, load {load}, Python {platform.python_version()}, {database}; "
        f"{plan.rounds} rounds of {plan.seconds:g} s, {plan.runs} flow runs seeded; medians, min-max of paired rounds"
    )


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--only", nargs="+", choices=NAMES, metavar="SCENARIO", help=f"some of: {', '.join(NAMES)}")
    add("--server", choices=("both", "lightwell", "reference"), default="both", help="measure one of them alone")
    add("--database", choices=("sqlite", "postgresql"), default="sqlite")
    add("--postgres-url", metavar="URL", help="a PostgreSQL to use, as superuser; else one of its own is started")
    add("--rounds", type=int, default=3, help="measured batches per scenario and server")
    add("--seconds", type=float, default=2.0, help="length of a batch")
    add("--runs", type=int, default=20_000, help="flow runs seeded before the first scenario")
    add("--quick", action="store_true", help="a few minutes: one short round; for a first look, too noisy to quote")
    add("--json", metavar="FILE", help="write every value of every round")
    add("--check", action="store_true", help="fail when a goal is missed")
    add("--reference-python", type=Path, metavar="PATH", help="an interpreter that has the reference server")
    add(
        "--lightwell-env", action="append", default=[], metavar="NAME=VALUE", help="a setting for Lightwell, repeatable"
    )
    return parser


if __name__ == "__main__":
    main()
