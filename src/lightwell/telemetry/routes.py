"""How busy each route was, from the traffic of all processes: truer than any choice of traces."""

import sqlite3
from collections.abc import Mapping
from time import time

from lightwell.contract.telemetry import RouteFigures, RouteTable
from lightwell.instrumentation.traffic import Counts, Route, Traffic, bounds_of, is_failed, is_refused
from lightwell.telemetry import traffic_table
from lightwell.telemetry.times import instant_of, seconds_of

_MINUTE = 60
_SECOND = 1_000_000_000


def route_table(connection: sqlite3.Connection, process: str, live: Traffic, *, minutes: int) -> RouteTable:
    """The last minutes: of this process as they are now, of the others as they wrote them a few seconds ago."""
    now = time()
    since = int(now) // _MINUTE - minutes + 1
    processes, seen = traffic_table.read(connection, since, process)
    own = [(minute, routes) for minute, routes in live.minutes() if minute >= since]
    totals: dict[Route, Counts] = {}
    for _, routes in [*seen, *own]:
        for route, counts in routes.items():
            total = totals.setdefault(route, {})
            for bucket, count in counts.items():
                total[bucket] = total.get(bucket, 0) + count
    first = min((minute for minute, _ in [*seen, *own]), default=since)
    period = now - first * _MINUTE
    figures = [_figures(route, counts, period) for route, counts in totals.items()]
    return RouteTable.model_construct(
        since=instant_of(first * _MINUTE * _SECOND),
        until=instant_of(int(now * _SECOND)),
        processes=len(processes) + 1,
        routes=sorted(figures, key=lambda one: (-one.requests, one.route or "", one.method)),
    )


def _figures(route: Route, counts: Counts, period: float) -> RouteFigures:
    requests = sum(counts.values())
    return RouteFigures.model_construct(
        method=route[0],
        route=route[1],
        requests=requests,
        rate=round(requests / max(period, 1.0), 4),
        errors=sum(count for bucket, count in counts.items() if is_failed(bucket)),
        refused=sum(count for bucket, count in counts.items() if is_refused(bucket)),
        p50=percentile(counts, 0.50),
        p95=percentile(counts, 0.95),
        p99=percentile(counts, 0.99),
    )


def percentile(counts: Mapping[int, int], share: float) -> float:
    """The duration in seconds that `share` of the requests stayed below, between the bounds of its bucket."""
    wanted = share * sum(counts.values())
    passed = 0
    upper = 0.0
    for bucket, count in sorted(counts.items(), key=lambda one: bounds_of(one[0])):
        low, high = bounds_of(bucket)
        if passed + count >= wanted:
            return round(seconds_of(int(low + (high - low) * (wanted - passed) / count)), 9)
        passed += count
        upper = seconds_of(high)
    return upper
