"""The instruments, made from `vocabulary/`, and the few functions that feed them.

Attributes are cached dictionaries from bounded values only: a name of ours, an outcome, a route's template.
Where nobody reads metrics, `LIVE` is False and nothing is counted.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic, time
from typing import Final, Literal, cast

from opentelemetry.context import Context
from opentelemetry.metrics import (
    CallbackOptions,
    Counter,
    Histogram,
    Meter,
    NoOpMeter,
    Observation,
)

from lightwell.instrumentation import vocabulary as names
from lightwell.instrumentation.vocabulary import Metric
from lightwell.instrumentation.words import log

Attributes = dict[str, str | int]
Observe = Callable[[], Iterable[tuple[float, Attributes]]]

LIVE = False
"""Whether somebody reads metrics; read it as `metrics.LIVE` before measuring."""

SECOND: Final = 1e9

_MOST_SETS: Final = 2000


@dataclass(slots=True)
class StoreFigures:
    """What the embedded store of traces knows of itself; `on` is None where there is none, `oldest` is a Unix time."""

    on: bool | None = None
    stored: int = 0
    spans: int = 0
    size: int = 0
    oldest: float | None = None
    dropped: dict[str, int] = field(default_factory=dict)

    def drop(self, reason: str, spans: int) -> None:
        """Spans were lost for `reason`."""
        self.dropped[reason] = self.dropped.get(reason, 0) + spans


class Gauges:
    """What is known at any time and read when metrics are collected."""

    def __init__(self) -> None:
        self.active: dict[tuple[str, str], int] = {}
        self.sockets: dict[str, int] = {}
        self.last_success: dict[str, float] = {}
        self.patience: dict[str, float] = {}
        self.kept: dict[str, int] = {}
        self.passed = 0
        self.overflowed = 0
        self.exported: dict[str, int] = {}
        self.dropped: dict[tuple[str, str], int] = {}
        self.queued: dict[str, Callable[[], int]] = {}
        self.live_roots: Callable[[], int] = lambda: 0
        self.received: dict[str, int] = {}
        self.store = StoreFigures()
        self.live_apps: Callable[[], int] = lambda: 0


GAUGES: Final = Gauges()


def count_dropped(signal: str, reason: str, items: int) -> None:
    """Spans, points of metrics or log lines were lost for `reason`."""
    GAUGES.dropped[signal, reason] = GAUGES.dropped.get((signal, reason), 0) + items


def count_received(result: str, spans: int) -> None:
    """Spans of a client came, and this is what became of them."""
    if spans:
        GAUGES.received[result] = GAUGES.received.get(result, 0) + spans


def _active_requests() -> Iterable[tuple[float, Attributes]]:
    for (method, scheme), number in list(GAUGES.active.items()):
        yield number, {names.HTTP_METHOD: method, names.URL_SCHEME: scheme}


def _open_sockets() -> Iterable[tuple[float, Attributes]]:
    for route, number in list(GAUGES.sockets.items()):
        yield number, {names.HTTP_ROUTE: route}


def _observe_store(meter: Meter) -> None:
    store = GAUGES.store
    reasons = names.STORE_DROP_REASON
    observe(meter, names.STORE_ON, lambda: [] if store.on is None else [(int(store.on), {})])
    observe(meter, names.STORE_STORED, lambda: [(store.stored, {})])
    observe(meter, names.STORE_DROPPED, lambda: [(n, {reasons: why}) for why, n in list(store.dropped.items())])
    observe(meter, names.STORE_SPANS, lambda: [] if store.on is None else [(store.spans, {})])
    observe(meter, names.STORE_SIZE, lambda: [] if store.on is None else [(store.size, {})])
    observe(meter, names.STORE_OLDEST, lambda: [] if store.oldest is None else [(max(0.0, time() - store.oldest), {})])


def _last_success_ages() -> Iterable[tuple[float, Attributes]]:
    now = monotonic()
    for loop, instant in list(GAUGES.last_success.items()):
        yield now - instant, {names.LOOP: loop}


def _patiences() -> Iterable[tuple[float, Attributes]]:
    for loop, seconds in list(GAUGES.patience.items()):
        yield seconds, {names.LOOP: loop}


def _executed_statements() -> Iterable[tuple[float, Attributes]]:
    for kind in ("read", "write"):
        yield sum(counted[kind] for counted in list(_statements)), {names.UNIT_KIND: kind}


def _queued() -> Iterable[tuple[float, Attributes]]:
    for signal, count in list(GAUGES.queued.items()):
        yield count(), {names.SIGNAL: signal}


class _Instruments:
    def __init__(self, meter: Meter) -> None:
        self.request_duration = histogram(meter, names.REQUEST_DURATION)
        self.operation_duration = histogram(meter, names.OPERATION_DURATION)
        self.unit_waited = histogram(meter, names.UNIT_WAITED)
        self.unit_duration = histogram(meter, names.UNIT_DURATION)
        self.group_size = histogram(meter, names.GROUP_SIZE)
        self.tick_duration = histogram(meter, names.TICK_DURATION)
        self.tick_lag = histogram(meter, names.TICK_LAG)
        self.unit_retries = counter(meter, names.UNIT_RETRIED_COUNT)
        self.clients_gone = counter(meter, names.CLIENTS_GONE)
        self.tick_items = counter(meter, names.TICK_ITEMS)
        self.sockets_closed = counter(meter, names.SOCKETS_CLOSED)
        self.socket_messages = counter(meter, names.SOCKET_MESSAGE_COUNT)
        self.verdicts = counter(meter, names.VERDICTS)
        self.store_write = histogram(meter, names.STORE_WRITE)
        self.app_cache = counter(meter, names.APP_CACHE_REQUESTS)
        _observe_store(meter)
        observe(meter, names.ACTIVE_REQUESTS, _active_requests)
        observe(meter, names.SOCKETS_OPEN, _open_sockets)
        observe(meter, names.LAST_SUCCESS_AGE, _last_success_ages)
        observe(meter, names.PATIENCE, _patiences)
        observe(meter, names.STATEMENTS, _executed_statements)
        observe(meter, names.APP_CACHE_LIVE, lambda: [(GAUGES.live_apps(), {})])
        observe(meter, names.TRACES_KEPT, lambda: [(n, {names.KEPT: why}) for why, n in list(GAUGES.kept.items())])
        observe(meter, names.TRACES_PASSED, lambda: [(GAUGES.passed, {})])
        observe(
            meter,
            names.SPANS_RECEIVED,
            lambda: [(n, {names.RECEIVED: result}) for result, n in list(GAUGES.received.items())],
        )
        observe(meter, names.TRACES_OVERFLOWED, lambda: [(GAUGES.overflowed, {})])
        observe(meter, names.TRACES_LIVE, lambda: [(GAUGES.live_roots(), {})])
        observe(meter, names.TELEMETRY_QUEUED, _queued)
        observe(
            meter,
            names.SPANS_EXPORTED,
            lambda: [(n, {names.SIGNAL: what}) for what, n in list(GAUGES.exported.items())],
        )
        observe(
            meter,
            names.SPANS_DROPPED,
            lambda: [
                (n, {names.SIGNAL: what, names.DROP_REASON: why}) for (what, why), n in list(GAUGES.dropped.items())
            ],
        )


def histogram(meter: Meter, metric: Metric) -> Histogram:
    """Make a histogram as the vocabulary declares it."""
    return meter.create_histogram(
        metric.name,
        unit=metric.unit,
        description=metric.description,
        explicit_bucket_boundaries_advisory=list(metric.buckets),
    )


def counter(meter: Meter, metric: Metric) -> Counter:
    """Make a counter as the vocabulary declares it."""
    return meter.create_counter(metric.name, unit=metric.unit, description=metric.description)


def observe(meter: Meter, metric: Metric, read: Observe) -> None:
    """Make an instrument that is read when metrics are collected."""

    def callback(_options: CallbackOptions) -> list[Observation]:
        return [Observation(value, cast("dict[str, str]", attributes)) for value, attributes in read()]

    make = {
        "counter": meter.create_observable_counter,
        "gauge": meter.create_observable_gauge,
        "updowncounter": meter.create_observable_up_down_counter,
    }[metric.instrument]
    make(metric.name, callbacks=[callback], unit=metric.unit, description=metric.description)


_instruments = _Instruments(NoOpMeter("lightwell"))
_operations: dict[tuple[str, str], Attributes] = {}
_units: dict[tuple[str, str], Attributes] = {}
_requests: dict[tuple[str, str, str | None, int | None, str | None], Attributes] = {}


_makers: list[Callable[[Meter], None]] = []


def also_make(make: Callable[[Meter], None]) -> None:
    """Let `make` have the meter for instruments of its own, now and whenever there is another."""
    _makers.append(make)
    make(NoOpMeter("lightwell"))


def bind(meter: Meter | None) -> None:
    """Make every instrument anew from `meter`; None when nobody reads."""
    global _instruments, LIVE  # noqa: PLW0603 -- the instruments of the process
    _instruments = _Instruments(meter or NoOpMeter("lightwell"))
    LIVE = meter is not None
    for make in _makers:
        make(meter or NoOpMeter("lightwell"))


def request_ended(
    seconds: float,
    method: str,
    scheme: str,
    route: str | None,
    status: int | None,
    error_type: str | None,
    context: Context | None = None,
) -> None:
    """One request was served; its attributes are those of the semantic conventions.

    Here and below, `context` is that of the span an exemplar may point at (`Recording.pointing`).
    """
    key = (method, scheme, route, status, error_type)
    attributes = _requests.get(key)
    if attributes is None:
        attributes = {names.HTTP_METHOD: method, names.URL_SCHEME: scheme}
        if route is not None:
            attributes[names.HTTP_ROUTE] = route
        if status is not None:
            attributes[names.HTTP_STATUS] = status
        if error_type is not None:
            attributes[names.ERROR_TYPE] = error_type
        if len(_requests) < _MOST_SETS:
            _requests[key] = attributes
    _instruments.request_duration.record(seconds, attributes, context)


def operation_ended(name: str, outcome: str, took_ns: int, context: Context | None = None) -> None:
    """One verb ended."""
    attributes = _operations.get((name, outcome))
    if attributes is None:
        attributes = _operations[name, outcome] = {names.OPERATION: name, names.OUTCOME: outcome}
    _instruments.operation_duration.record(took_ns / SECOND, attributes, context)


class _Share(threading.local):
    committed = 0.0

    def __init__(self) -> None:
        # Each thread counts by itself, which needs no lock; what ended threads counted stays.
        self.statements = {"read": 0, "write": 0}
        _statements.append(self.statements)


_statements: Final[list[dict[str, int]]] = []


_share: Final = _Share()
_WHOLE: Final = 0.999_999


def unit_took(kind: str, outcome: str, *, waited_ns: int, took_ns: int | None, context: Context | None = None) -> None:
    """What one unit of database work waited and took; `took_ns` is None for one that never began."""
    attributes = _units.get((kind, outcome))
    if attributes is None:
        attributes = _units[kind, outcome] = {names.UNIT_KIND: kind, names.OUTCOME: outcome}
        _units[kind, ""] = {names.UNIT_KIND: kind}
    _instruments.unit_waited.record(waited_ns / SECOND, _units[kind, ""], context)
    if took_ns is not None:
        _instruments.unit_duration.record(took_ns / SECOND, attributes, context)


def unit_ended(kind: str, *, has_begun: bool, group: int, statements: int) -> None:
    """One unit of database work ended, in this thread.

    Each unit of a group says how large it was, from one thread and in a row: each counts as its share of a commit, and
    whole commits are recorded.
    """
    _share.statements[kind] += statements
    if has_begun and kind == "write":
        _share.committed += 1 / group
        if _share.committed >= _WHOLE:
            _share.committed = 0.0
            _instruments.group_size.record(group)


def unit_retried(kind: str, error_type: str) -> None:
    """One unit is tried again."""
    _instruments.unit_retries.add(1, {names.UNIT_KIND: kind, names.ERROR_TYPE: error_type})


def client_gone(route: str | None) -> None:
    """The client of one request left."""
    _instruments.clients_gone.add(1, {names.HTTP_ROUTE: route} if route else {})


def tick_ended(
    loop: str, outcome: str, *, took_ns: int, lag: float, items: int, context: Context | None = None
) -> None:
    """One tick of a loop ended; `lag` is in seconds."""
    _instruments.tick_duration.record(took_ns / SECOND, {names.LOOP: loop, names.OUTCOME: outcome}, context)
    _instruments.tick_lag.record(lag, {names.LOOP: loop})
    if items:
        _instruments.tick_items.add(items, {names.LOOP: loop})


def socket_closed(route: str, code: int, closer: str) -> None:
    """One websocket was closed or refused; a code that its protocol leaves to applications counts as 4000."""
    shown = code if code < 4000 or code == 4001 else 4000  # noqa: PLR2004 -- RFC 6455, section 7.4.2
    attributes: Attributes = {names.HTTP_ROUTE: route, names.SOCKET_CODE: shown, names.SOCKET_CLOSER: closer}
    _instruments.sockets_closed.add(1, attributes)


def socket_messages(route: str, messages: int) -> None:
    """One batch of websocket messages was worked on."""
    _instruments.socket_messages.add(messages, {names.HTTP_ROUTE: route})


def rule_objected(rule: str, verdict: str) -> None:
    """A rule of orchestration turned a proposed state into something else."""
    _instruments.verdicts.add(1, {names.RULE: rule, names.VERDICT: verdict})


def store_wrote(took_ns: int) -> None:
    """The embedded store of traces wrote a batch."""
    _instruments.store_write.record(took_ns / SECOND)


def app_cache_asked(result: Literal["hit", "miss", "bypass"]) -> None:
    """An application was asked for: it was in the cache, it was not, or the cache was not to be used."""
    _instruments.app_cache.add(1, {names.RESULT: result})
    log.debug(names.APP_REQUESTED.name, result=result)


def watch_app_cache(count: Callable[[], int]) -> None:
    """Tell how many applications are in the cache, whenever metrics are collected."""
    GAUGES.live_apps = count
