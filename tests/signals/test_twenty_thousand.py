"""20,000 requests, one in twenty failing, a baseline of 1 %: every failure is kept whole, and about the baseline."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from lightwell.instrumentation import metrics
from lightwell.instrumentation.kept import KeptTrace
from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.sampling import KeepPolicy
from lightwell.instrumentation.setup import assemble
from tests.signals.conftest import http_scope
from tests.signals.toy import make_app

REQUESTS = 20_000
ONE_FAILS_IN = 20
BASELINE = 0.01
HEALTHY = "/api/things/01890a5d-ac96-774b-bcce-b302099a8057"
FAILING = "/api/things/fail/unit"
SEED = 4
"""Of the trace ids, which decide on the baseline: so the share is the same each time."""


@pytest.fixture(autouse=True)
def _lines(log_lines: Callable[[], list[str]]) -> Iterator[None]:
    assert log_lines is not None
    yield
    metrics.bind(None)


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def _check_whole(kept: KeptTrace, trace_id: str) -> None:
    """The request, its unit, its verb and its statement; the exception with its stack; its lines: all of one trace."""
    root, *_ = kept.spans
    assert {f"{span.context.trace_id:032x}" for span in kept.spans if span.context} == {trace_id}
    assert Counter(span.name for span in kept.spans) == {
        "GET /api/things/fail/unit": 1,
        "write things.set_state": 1,
        "toy.set_state": 1,
        "SELECT": 1,
    }
    assert root.status.status_code is StatusCode.ERROR
    (exception,) = [event for event in root.events if event.name == "exception"]
    assert str((exception.attributes or {})["exception.stacktrace"]).endswith("ValueError: the disk is on fire\n")
    assert [line.event for line in kept.lines] == ["request.failed", "http.request"]
    assert {line.trace_id for line in kept.lines} == {trace_id}


@pytest.mark.timeout(300)
async def test_every_failure_is_kept_whole_and_about_the_baseline() -> None:
    """1,000 of 1,000 failing traces, each once and whole; of 19,000 healthy ones from 0.7 to 1.3 %."""
    telemetry = assemble(version="0", ratio=BASELINE, policy=KeepPolicy(slow_after=600.0))
    kept: dict[str, list[KeptTrace]] = {}

    def take(trace: KeptTrace) -> None:
        context = trace.spans[0].context
        assert context is not None
        kept.setdefault(f"{context.trace_id:032x}", []).append(trace)

    telemetry.add_sink(take)
    app = make_app(telemetry.tracing)
    failed: list[str] = []
    passed, counted = GAUGES.passed, dict(GAUGES.kept)
    random.seed(SEED)
    for number in range(REQUESTS):
        told: list[Any] = []

        async def send(message: Any, told: list[Any] = told) -> None:
            told.append(message)

        fails = number % ONE_FAILS_IN == 0
        await app(http_scope("GET", FAILING if fails else HEALTHY), _nothing, send)
        if fails:
            assert told[0]["status"] == 500
            failed.append(dict(told[0]["headers"])[b"x-trace-id"].decode())

    assert len(set(failed)) == REQUESTS // ONE_FAILS_IN
    for trace_id in failed:
        (trace,) = kept.pop(trace_id)
        _check_whole(trace, trace_id)
    healthy = REQUESTS - len(failed)
    assert 0.007 <= len(kept) / healthy <= 0.013
    assert {len(traces) for traces in kept.values()} == {1}
    assert {(traces[0].spans[0].attributes or {})["lightwell.kept.reason"] for traces in kept.values()} == {"baseline"}
    assert GAUGES.kept["error"] - counted.get("error", 0) == len(failed)
    assert GAUGES.kept["baseline"] - counted.get("baseline", 0) == len(kept)
    assert GAUGES.passed - passed == healthy - len(kept)
