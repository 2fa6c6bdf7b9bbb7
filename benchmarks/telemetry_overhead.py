"""What telemetry costs a request, in CPU time: `python -m benchmarks.telemetry_overhead`.

In one process, without sockets: a request with one verb in one write unit with five statements and six verdicts,
through the middleware, against the same application with telemetry off. Blocks of requests alternate between the
variants; what is printed is the median of the paired differences, so that what else the machine does falls on all of
them.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns, process_time
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from lightwell.instrumentation import logging, metrics
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.cells import CellMeter
from lightwell.instrumentation.decisions import observe_verdict
from lightwell.instrumentation.http import instrument
from lightwell.instrumentation.operation import operation
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.sampling import KeepPolicy
from lightwell.instrumentation.setup import assemble
from lightwell.instrumentation.units import Unit

_OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
_MICROSECONDS = 1e6
_RULES = ("first", "second", "third", "fourth", "fifth", "sixth")
_STATEMENT = "SELECT flow_run.id, flow_run.name FROM flow_run WHERE flow_run.id = ?"

router = APIRouter(prefix="/flow_runs")


@operation
def set_state(_tx: object) -> bool:
    """A verb that decides."""
    for rule in _RULES:
        observe_verdict(rule, "ACCEPT", None)
    return True


def bare_set_state() -> bool:
    """The same work without telemetry."""
    return bool(_RULES)


@router.post("/{flow_run_id}/set_state")
async def observed(flow_run_id: str) -> bool:
    """As an endpoint does it with telemetry."""
    annotate(flow_run_id=flow_run_id)
    unit = Unit("write", "flow_runs.set_state", "sqlite")
    unit.begin()
    for _ in range(5):
        started = perf_counter_ns()
        unit.statement(_STATEMENT, started, perf_counter_ns())
    answer = set_state(None)
    unit.finish(None)
    return answer


@router.post("/{flow_run_id}/bare")
async def bare(flow_run_id: str) -> bool:
    """The same endpoint without a word of telemetry in it."""
    del flow_run_id
    return bare_set_state()


@dataclass(frozen=True)
class Variant:
    """A way to run the request; `prepare` makes it the process's."""

    name: str
    app: FastAPI
    path: str
    prepare: Callable[[], None]


def application(tracing: Tracing | None) -> FastAPI:
    """The application as the server builds it."""
    child = FastAPI(telemetry=_OFF)
    child.include_router(router)
    parent = FastAPI(openapi_url=None, telemetry=_OFF)
    parent.mount("/api", child)
    if tracing is not None:
        instrument(parent, tracing)
    return parent


def scope_of(path: str) -> dict[str, Any]:
    """The scope of one request, as uvicorn makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1:4200"),
            (b"user-agent", b"prefect/3.8.8 (API 0.8.4)"),
            (b"accept", b"*/*"),
            (b"accept-encoding", b"gzip"),
            (b"x-prefect-api-version", b"0.8.4"),
            (b"content-length", b"0"),
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 4200),
    }


async def nobody(_message: Any) -> None:
    """Where answers go."""


async def empty() -> dict[str, Any]:
    """A request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def block(variant: Variant, requests: int) -> float:
    """CPU microseconds a request, over some of them."""
    variant.prepare()
    started = process_time()
    for _ in range(requests):
        await variant.app(scope_of(variant.path), empty, nobody)
    return (process_time() - started) / requests * _MICROSECONDS


def variants(ratio: float) -> list[Variant]:
    """Everything off first, then one piece more each time."""
    path, bare_path = "/api/flow_runs/1/set_state", "/api/flow_runs/1/bare"

    def use(*, lines: bool, meter: bool) -> Callable[[], None]:
        def prepare() -> None:
            logging.configure("INFO" if lines else "CRITICAL", "json")
            metrics.bind(own_meter if meter else None)

        return prepare

    logging.configure("CRITICAL", "json")
    telemetry = assemble(version="0", ratio=ratio, policy=KeepPolicy(slow_after=60))
    own_meter = CellMeter(NoOpMeter("benchmark"), InstrumentationScope("benchmark"))
    telemetry.add_sink(forget)
    sinkless = assemble(version="0", ratio=ratio, policy=KeepPolicy(slow_after=60))
    off, traced = application(Tracing()), application(telemetry.tracing)
    return [
        Variant("no middleware, no seams", application(None), bare_path, use(lines=False, meter=False)),
        Variant("middleware and seams, all off", off, path, use(lines=False, meter=False)),
        Variant("+ spans, kept ones forgotten", traced, path, use(lines=False, meter=False)),
        Variant("+ log line", traced, path, use(lines=True, meter=False)),
        Variant("+ metrics: everything", traced, path, use(lines=True, meter=True)),
        Variant("no collector: spans, log line", application(sinkless.tracing), path, use(lines=True, meter=False)),
    ]


def forget(_spans: object) -> None:
    """A sink that costs nothing."""


async def measure(ratio: float, rounds: int, requests: int) -> None:
    """Alternate, and print what each variant adds."""
    all_variants = variants(ratio)
    for variant in all_variants:
        await block(variant, requests)
    results: dict[str, list[float]] = {variant.name: [] for variant in all_variants}
    for _ in range(rounds):
        for variant in all_variants:
            results[variant.name].append(await block(variant, requests))
    base = results[all_variants[0].name]
    print(f"{'':34} {'µs/request':>10} {'added':>8} {'ratio':>7}", file=sys.stdout)
    for name, times in results.items():
        added = median(mine - theirs for mine, theirs in zip(times, base, strict=True))
        ratio_of = median(mine / theirs for mine, theirs in zip(times, base, strict=True))
        print(f"{name:34} {median(times):10.1f} {added:8.1f} {ratio_of:7.2f}", file=sys.stdout)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratio", type=float, default=0.01, help="share of healthy traces that are kept")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=1000, help="a block")
    arguments = parser.parse_args()
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 -- the null device
        told, sys.stderr = sys.stderr, nowhere
        try:
            asyncio.run(measure(arguments.ratio, arguments.rounds, arguments.requests))
        finally:
            sys.stderr = told


if __name__ == "__main__":
    main()
