"""What finding a route costs, by the index and by the framework's own match, paired: `python -m benchmarks.routing`."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRouter
from starlette.routing import Match

from lightwell.api.routing import RouteIndex
from tests.api.operations import contract_app, contract_operations

LIMIT = 60.0
"""Microseconds that finding a route may cost."""
UNKNOWN = ("GET", "/nowhere/at/all")

Scope = dict[str, Any]


def main() -> None:
    """Measure every operation of the contract and an unknown path; exit with 1 when one costs more than the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--times", type=int, default=20, help="repetitions in a round")
    options = parser.parse_args()
    costs = measure(contract_app(), options.rounds, options.times)
    print(f"{'':46}  index us  linear us  ratio (medians of {options.rounds} paired rounds)")
    named = {"first operation": 0, "last operation": -2, "unknown path": -1}
    chosen = {name: list(costs)[place] for name, place in named.items()}
    chosen["POST /flow_runs/{id}/set_state"] = next(key for key in costs if key[1].endswith("/set_state"))
    for name, request in chosen.items():
        _print(name, *costs[request])
    _print("median of all", *(statistics.median(column) for column in zip(*costs.values(), strict=True)))
    slowest = max(costs, key=lambda request: costs[request][0])
    _print(f"slowest: {' '.join(slowest)}"[:46], *costs[slowest])
    if costs[slowest][0] > LIMIT:
        raise SystemExit(f"more than {LIMIT:.0f} us")


def measure(app: FastAPI, rounds: int, times: int) -> dict[tuple[str, str], tuple[float, float]]:
    """Median CPU microseconds by the index and by the linear match, for each method and path."""
    index = RouteIndex(app.router)
    requests = [*((operation.method, operation.path) for operation in contract_operations()), UNKNOWN]
    costs = {}
    for request in requests:
        rounds_of_both = [
            (_cost(index.select, request, times), _cost(lambda scope: linear(app.router, scope), request, times))
            for _ in range(rounds)
        ]
        by_index, by_framework = zip(*rounds_of_both, strict=True)
        costs[request] = (statistics.median(by_index), statistics.median(by_framework))
    return costs


def linear(router: APIRouter, scope: Scope) -> None:
    """The framework's way to a route: each in turn, and all of them again inside the included router that has it."""
    for route in router.routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            within = getattr(route, "_match", None)
            if within is not None:
                within(scope)
            return
    slashed = {**scope, "path": scope["path"] + "/"}
    for route in router.routes:
        if route.matches(slashed)[0] is not Match.NONE:
            return


def _cost(find: Callable[[Scope], object], request: tuple[str, str], times: int) -> float:
    method, path = request
    scopes: list[Scope] = [{"type": "http", "method": method, "path": path, "root_path": ""} for _ in range(times)]
    began = time.thread_time()
    for scope in scopes:
        find(scope)
    return (time.thread_time() - began) / times * 1e6


def _print(name: str, by_index: float, by_framework: float) -> None:
    print(f"{name:46}  {by_index:8.1f}  {by_framework:9.1f}  {by_framework / by_index:5.1f}x")


if __name__ == "__main__":
    main()
