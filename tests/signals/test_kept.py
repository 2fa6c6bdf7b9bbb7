"""Which traces are kept, and that a kept one is whole."""

import asyncio
import gc
import sys
from collections.abc import Callable
from itertools import pairwise

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import SpanKind, StatusCode

from lightwell.instrumentation.kept import KeptTrace
from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.recording import MOST_ENTRIES
from lightwell.instrumentation.sampling import Baseline, KeepPolicy, Tail
from lightwell.instrumentation.units import Unit
from lightwell.kit.token_bucket import TokenBucket
from tests.signals.conftest import Signals
from tests.signals.toy import make_app

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
MakeSignals = Callable[..., Signals]


def _client(signals: Signals) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(make_app(signals.telemetry.tracing))
    return httpx.AsyncClient(transport=transport, base_url="http://toy")


async def test_a_kept_trace_is_whole(client: httpx.AsyncClient, signals: Signals) -> None:
    """Server span, unit, verb and statements, with their true order, and the verdicts on the verb."""
    await client.post(f"/api/things/{ID}/set_state")

    spans = {span.name: span for span in signals.spans}
    server, unit = spans["POST /api/things/{thing_id}/set_state"], spans["write things.set_state"]
    verb, select, update = spans["toy.set_state"], spans["SELECT"], spans["UPDATE"]
    assert server.context is not None
    assert unit.context is not None
    assert unit.parent is not None
    assert verb.parent is not None
    assert select.parent is not None
    assert update.parent is not None
    assert unit.parent.span_id == server.context.span_id
    assert verb.parent.span_id == select.parent.span_id == update.parent.span_id == unit.context.span_id
    assert {span.context.trace_id for span in spans.values() if span.context} == {server.context.trace_id}
    assert [dict(event.attributes or {}) for event in verb.events] == [
        {"lightwell.rule": "wait_for_scheduled_time", "lightwell.verdict": "ACCEPT"},
        {
            "lightwell.rule": "prevent_duplicates",
            "lightwell.verdict": "REJECT",
            "lightwell.reason": "it was made before",
        },
    ]
    attributes = unit.attributes or {}
    assert (attributes["lightwell.db.unit.statements"], attributes["lightwell.db.unit.group"]) == (2, 3)
    assert (select.attributes or {})["db.query.text"] == "SELECT id FROM thing WHERE id = ?"
    assert (select.attributes or {})["db.system.name"] == "sqlite"
    assert (server.attributes or {})["lightwell.flow_run_id"] == "run-1"
    assert (server.attributes or {})["lightwell.thing_id"] == ID
    for outer, inner in pairwise((server, unit, verb)):
        assert outer.start_time is not None
        assert inner.start_time is not None
        assert outer.end_time is not None
        assert inner.end_time is not None
        assert outer.start_time <= inner.start_time <= inner.end_time <= outer.end_time
    (line,) = signals.events("http.request")
    assert (line["flow_run_id"], line["thing_id"]) == ("run-1", ID)
    assert line["db_ms"] >= 0


async def test_at_ratio_zero_failures_are_kept_whole_and_healthy_ones_are_not(make_signals: MakeSignals) -> None:
    """All 20 failing traces with all their spans, none of 40 healthy ones."""
    signals = make_signals(0.0)
    async with _client(signals) as client:
        for _ in range(20):
            await client.get(f"/api/things/{ID}")
            await client.post(f"/api/things/{ID}/set_state")
            assert (await client.get("/api/things/fail/unit")).status_code == 500

    names = [span.name for span in signals.spans]
    assert {name: names.count(name) for name in set(names)} == {
        "GET /api/things/fail/unit": 20,
        "write things.set_state": 20,
        "toy.set_state": 20,
        "SELECT": 20,
    }
    assert all(
        span.status.status_code is StatusCode.ERROR for span in signals.spans if span.kind is not SpanKind.CLIENT
    )
    assert {(span.attributes or {})["lightwell.kept.reason"] for span in signals.server_spans} == {"error"}


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (KeepPolicy(slow_after=0.0), "slow"),
        (KeepPolicy(slow_by_route={"/api/things/{thing_id}/set_state": 0.0}), "slow"),
        (KeepPolicy(slow_by_route={"POST /api/things/{thing_id}/set_state": 0.0}), "slow"),
        (KeepPolicy(statuses=frozenset({200})), "status"),
        (KeepPolicy(verdicts=frozenset({"REJECT"})), "verdict"),
    ],
    ids=["slow", "slow for its route", "slow for its route and method", "status", "verdict"],
)
async def test_other_reasons_to_keep_a_trace(policy: KeepPolicy, reason: str, make_signals: MakeSignals) -> None:
    """Slow ones, chosen statuses and chosen verdicts are kept, and say why."""
    signals = make_signals(0.0, policy)
    async with _client(signals) as client:
        await client.post(f"/api/things/{ID}/set_state")

    assert [(span.attributes or {})["lightwell.kept.reason"] for span in signals.server_spans] == [reason]


async def test_a_route_can_be_less_slow_than_others(make_signals: MakeSignals) -> None:
    """Its own time counts alone, and a method's before the route's."""
    route = "/api/things/{thing_id}"
    signals = make_signals(0.0, KeepPolicy(slow_after=0.0, slow_by_route={route: 60.0, f"HEAD {route}": 0.0}))
    async with _client(signals) as client:
        await client.get(f"/api/things/{ID}")
        assert signals.spans == []
        await client.post(f"/api/things/{ID}/set_state")

    assert [span.name for span in signals.server_spans] == ["POST /api/things/{thing_id}/set_state"]


def test_a_loop_can_have_its_own_time(make_signals: MakeSignals) -> None:
    """By the name of its ticks."""
    signals = make_signals(0.0, KeepPolicy(slow_after=0.0, slow_by_route={"loop old_logs": 60.0}))
    for loop in ("old_logs", "late_runs"):
        with signals.telemetry.ticks.tick(loop):
            pass

    assert [span.name for span in signals.spans] == ["loop late_runs"]


PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"


async def test_a_sampled_parent_is_honoured_and_continued(make_signals: MakeSignals) -> None:
    """The W3C flag keeps the trace, the span is the parent's child; without the flag failures are kept all the same."""
    signals = make_signals(0.0, remote=TokenBucket(1.0, 10.0))
    async with _client(signals) as client:
        sampled = await client.get(f"/api/things/{ID}", headers={"traceparent": f"{PARENT}-03"})
        await client.get(f"/api/things/{ID}", headers={"traceparent": f"{PARENT}-00"})
        await client.get("/api/things/fail/unforeseen", headers={"traceparent": f"{PARENT}-00"})
        await client.get(f"/api/things/{ID}", headers={"traceparent": "nonsense"})

    assert sampled.headers["x-trace-id"] == "0af7651916cd43dd8448eb211c80319c"
    assert [(span.name, (span.attributes or {})["lightwell.kept.reason"]) for span in signals.server_spans] == [
        ("GET /api/things/{thing_id}", "remote"),
        ("GET /api/things/fail/{kind}", "error"),
    ]
    assert [span.parent.span_id for span in signals.server_spans if span.parent] == [0xB7AD6B7169203331] * 2


async def test_callers_cannot_have_everything_kept(make_signals: MakeSignals) -> None:
    """Past the limit the ratio decides for what they have sampled; failures are kept beyond it."""
    signals = make_signals(0.0, remote=TokenBucket(0.000_001, 3.0))
    headers = {"traceparent": f"{PARENT}-01"}
    async with _client(signals) as client:
        for _ in range(10):
            await client.get(f"/api/things/{ID}", headers=headers)
        await client.get("/api/things/fail/unforeseen", headers=headers)

    reasons = [(span.attributes or {})["lightwell.kept.reason"] for span in signals.server_spans]
    assert reasons == ["remote", "remote", "remote", "error"]


@pytest.mark.parametrize("flags", ["00", "01"])
async def test_the_ratio_holds_for_what_others_began(flags: str, make_signals: MakeSignals) -> None:
    """A caller's trace is in the baseline by its id, whether the caller has sampled it or not."""
    signals = make_signals(0.5)
    async with _client(signals) as client:
        for number in (1, 2**63 - 1, 2**63, 2**64 - 1):
            await client.get(f"/api/things/{ID}", headers={"traceparent": f"00-{number:032x}-{1:016x}-{flags}"})

    kept = {(span.context and span.context.trace_id): (span.attributes or {}) for span in signals.server_spans}
    assert set(kept) == {1, 2**63 - 1}
    assert {attributes["lightwell.kept.reason"] for attributes in kept.values()} == {"baseline"}


async def test_a_linked_run_is_linked(client: httpx.AsyncClient, signals: Signals) -> None:
    """A request about a run whose label holds a trace has a link to it."""
    await client.get("/api/things/linked/run")

    (span,) = signals.server_spans
    assert [f"{link.context.trace_id:032x}" for link in span.links] == ["0af7651916cd43dd8448eb211c80319c"]


async def test_concurrent_requests_keep_to_themselves(client: httpx.AsyncClient, signals: Signals) -> None:
    """Each of 30 requests at once has its own trace, with its own unit in it."""
    answers = await asyncio.gather(*(client.post(f"/api/things/{ID}/set_state") for _ in range(30)))

    traces = {f"{span.context.trace_id:032x}": 0 for span in signals.spans if span.context}
    for span in signals.spans:
        assert span.context is not None
        traces[f"{span.context.trace_id:032x}"] += 1
    assert traces == {answer.headers["x-trace-id"]: 5 for answer in answers}


def test_the_statement_that_failed_is_there_however_many_came_before() -> None:
    """It takes the last one's place."""
    unit = Unit("read", "things.all")
    unit.begin()
    for _ in range(MOST_ENTRIES):
        unit.statement("SELECT 1", 1, 2)
    unit.broken("SELECT 2", 3, 4, ValueError("x"), is_failure=True)
    unit.finish(ValueError("x"))

    assert (len(unit.entries), unit.dropped, unit.entries[-1][:4]) == (MOST_ENTRIES, 1, ("broken", 3, 4, "SELECT 2"))


def test_a_unit_holds_a_bounded_number_of_entries() -> None:
    """A unit with a million statements holds the first ones, and counts the rest."""
    unit = Unit("read", "things.all")
    unit.begin()
    for _ in range(MOST_ENTRIES + 10):
        unit.statement("SELECT 1", 1, 2)
    unit.finish(None)

    assert (len(unit.entries), unit.dropped) == (MOST_ENTRIES, 10)


class _Sink:
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def __call__(self, kept: KeptTrace) -> None:
        self.spans.extend(kept.spans)

    @property
    def names(self) -> list[str]:
        return sorted(span.name for span in self.spans)


def _tracer(tail: Tail, ratio: float = 0.0) -> trace.Tracer:
    provider = TracerProvider(sampler=Baseline(ratio), shutdown_on_exit=False)
    provider.add_span_processor(tail)
    return provider.get_tracer("test")


def test_spans_of_other_libraries_follow_their_root() -> None:
    """Children of any depth are held until the root ends, and go with it; those of a healthy root are dropped."""
    tail, sink = Tail(), _Sink()
    tail.add_sink(sink)
    tracer = _tracer(tail)
    for fails in (True, False):
        root = tracer.start_span("root", Context())
        within = trace.set_span_in_context(root, Context())
        child = tracer.start_span("child", within)
        tracer.start_span("grandchild", trace.set_span_in_context(child, Context())).end()
        child.end()
        late = tracer.start_span("late", within)
        broken = tracer.start_span("late and broken", within)
        if fails:
            root.set_status(StatusCode.ERROR)
        assert sink.names == ([] if fails else ["child", "grandchild", "late", "late and broken", "root"])
        root.end()
        late.end()
        broken.set_status(StatusCode.ERROR)
        broken.end()

    assert sink.names == ["child", "grandchild", "late", "late and broken", "late and broken", "root"]


def test_spans_past_the_limit_of_their_root_are_dropped_and_counted() -> None:
    """The first ones are held, the others counted, and those of other roots are not touched."""
    tail, sink = Tail(most_spans_each=50), _Sink()
    tail.add_sink(sink)
    tracer = _tracer(tail)
    before = GAUGES.dropped.get(("traces", "too_many_spans"), 0)
    for children in (70, 3):
        root = tracer.start_span("root", Context())
        for _ in range(children):
            tracer.start_span("child", trace.set_span_in_context(root, Context())).end()
        root.set_status(StatusCode.ERROR)
        root.end()

    assert GAUGES.dropped["traces", "too_many_spans"] - before == 20
    assert sink.names == ["child"] * 53 + ["root"] * 2


def test_the_oldest_root_is_given_up_when_too_many_are_open() -> None:
    """With what waits for it, which is counted; a failure of its own is kept all the same, and so are others."""
    tail, sink = Tail(most_roots=10), _Sink()
    tail.add_sink(sink)
    tracer = _tracer(tail)
    overflowed, dropped = GAUGES.overflowed, GAUGES.dropped.get(("traces", "too_many_spans"), 0)
    oldest = tracer.start_span("oldest", Context())
    tracer.start_span("child", trace.set_span_in_context(oldest, Context())).end()
    others = [tracer.start_span("other", Context()) for _ in range(10)]
    assert GAUGES.overflowed - overflowed == 1
    assert GAUGES.dropped["traces", "too_many_spans"] - dropped == 1
    for span in (oldest, others[-1]):
        span.set_status(StatusCode.ERROR)
        span.end()

    assert sink.names == ["oldest", "other"]


async def test_a_failure_is_whole_however_many_roots_are_open(make_signals: MakeSignals) -> None:
    """What a request did is made into spans when it is kept, so having been given up costs it nothing."""
    signals = make_signals(0.0)
    tail = signals.telemetry.tracing.tail
    assert tail is not None
    tail._most_roots = 1  # noqa: SLF001 -- each root gives the one before up
    async with _client(signals) as client:
        await asyncio.gather(*(client.get("/api/things/fail/unit") for _ in range(5)))

    names = [span.name for span in signals.spans]
    assert [names.count(name) for name in ("GET /api/things/fail/unit", "SELECT", "toy.set_state")] == [5, 5, 5]


async def test_a_failure_is_whole_however_many_spans_wait(make_signals: MakeSignals) -> None:
    """Spans that wait for roots which never end take no room from what is kept."""
    signals = make_signals(0.0)
    tail = signals.telemetry.tracing.tail
    assert tail is not None
    tail._most_spans = 3  # noqa: SLF001 -- the bound itself is what is tested
    tracer = signals.telemetry.tracing.tracer
    within = trace.set_span_in_context(tracer.start_span("never ended", Context()), Context())
    for _ in range(5):
        tracer.start_span("waits", within).end()
    async with _client(signals) as client:
        await client.get("/api/things/fail/unit")

    names = [span.name for span in signals.spans]
    assert sorted(names) == ["GET /api/things/fail/unit", "SELECT", "toy.set_state", "write things.set_state"]


def test_memory_stays_at_its_cap_whatever_is_never_ended() -> None:
    """100,000 spans that never end, and some that wait for a root of those: what is held does not grow."""
    tail = Tail(most_roots=1_000, most_spans=2_000)
    tail.add_sink(_Sink())
    tracer = _tracer(tail)

    def blocks_after(roots: int) -> int:
        for number in range(roots):
            within = trace.set_span_in_context(tracer.start_span("never ended", Context()), Context())
            tracer.start_span("never ended either", within)
            if number % 10 == 0:
                tracer.start_span("ended", within).end()
        gc.collect()
        return sys.getallocatedblocks()

    early, late = blocks_after(5_000), blocks_after(45_000)

    assert tail.live_roots == 1_000
    assert late - early < 5_000, "a root and its spans are some hundred blocks"


def test_the_baseline_is_a_share_of_the_healthy_ones() -> None:
    """At 0.5 about half of 400 traces are kept."""
    tail, sink = Tail(), _Sink()
    tail.add_sink(sink)
    tracer = _tracer(tail, 0.5)
    for _ in range(400):
        tracer.start_span("root", Context()).end()

    assert 130 < len(sink.spans) < 270


@pytest.mark.parametrize(("ratio", "fails", "is_kept"), [(1.0, False, True), (0.0, False, False), (0.0, True, True)])
async def test_a_unit_that_ends_after_its_root_follows_the_decision(
    ratio: float,
    fails: bool,  # noqa: FBT001 -- a parameter of the test
    is_kept: bool,  # noqa: FBT001 -- the same
    make_signals: MakeSignals,
) -> None:
    """What still runs when the answer is out is kept with its trace; a failed one in any case."""
    signals = make_signals(ratio)
    with signals.telemetry.ticks.tick("late_runs"):
        unit = Unit("write", "things.late")
        unit.begin()
    unit.finish(ValueError("too late") if fails else None)

    assert ("write things.late" in [span.name for span in signals.spans]) is is_kept
