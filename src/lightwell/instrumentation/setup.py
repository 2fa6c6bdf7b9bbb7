"""Sets up logs, traces and metrics for the process, once, from plain values and the standard `OTEL_*` variables.

A host application that has set providers of its own keeps them: this server then speaks through those.
"""

import threading
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.instrumentation.fastapi.version import __version__ as instrumentor_version
from opentelemetry.metrics import Meter, NoOpMeterProvider
from opentelemetry.metrics import MeterProvider as AnyMeterProvider
from opentelemetry.metrics._internal import _ProxyMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider, Tracer
from opentelemetry.trace import TracerProvider as AnyTracerProvider

from lightwell.instrumentation import environment, logging, metrics
from lightwell.instrumentation.cells import CellMeter, can_collect_cells
from lightwell.instrumentation.export import Queue, SpanQueue, WatchedMetrics, started, within
from lightwell.instrumentation.exposition.scrape import Scrape, ScrapeReader
from lightwell.instrumentation.kept import Sink
from lightwell.instrumentation.lines import OUTLET, levels_from
from lightwell.instrumentation.provisional import Ids, Roots
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.sampling import Baseline, KeepPolicy, Tail
from lightwell.instrumentation.ticks import Ticks
from lightwell.instrumentation.vocabulary import SCOPE, TELEMETRY_ABANDONED, TELEMETRY_STARTED
from lightwell.instrumentation.words import log
from lightwell.kit.late import load
from lightwell.kit.token_bucket import TokenBucket

if TYPE_CHECKING:
    from opentelemetry.sdk._logs.export import LogRecordExporter

    from lightwell.instrumentation.log_export import LineQueue

_INSTRUMENTOR: Final = "opentelemetry.instrumentation.fastapi"
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.36.0"


class Telemetry:
    """What the process tells with; `tracing` is for the seams (`http.instrument`), `ticks` for the loops' runner.

    `scrape` is for those who come and read the metrics; None where nobody may, or a host application has them.
    """

    def __init__(
        self,
        *,
        tracing: Tracing,
        tracer_provider: AnyTracerProvider | None = None,
        meter_provider: AnyMeterProvider | None = None,
        sampler: Baseline | None = None,
        queues: Sequence[Queue[Any]] = (),
        readers: Sequence[MetricReader] = (),
        scrape: Scrape | None = None,
    ) -> None:
        self.tracing = tracing
        self.scrape = scrape
        self.ticks = Ticks(tracing)
        self.tracer_provider = tracer_provider
        self.meter_provider = meter_provider
        self.sampler = sampler
        self._queues = tuple(queues)
        self._readers = tuple(readers)

    @property
    def is_live(self) -> bool:
        """Whether spans are recorded."""
        return self.tracing.live

    def add_sink(self, sink: Sink) -> None:
        """Hand every kept trace to `sink` too; where a host application's provider traces, its processors do that."""
        if self.tracing.tail is not None:
            self.tracing.tail.add_sink(sink)

    def remove_sink(self, sink: Sink) -> None:
        """Hand no more traces to `sink`; one that was never added is none to take away."""
        if self.tracing.tail is not None:
            self.tracing.tail.remove_sink(sink)

    def flush(self, deadline: float) -> bool:
        """Send what is waiting, for at most `deadline` seconds; whether all of it was tried in time.

        Blocks: call it in a thread. What is waiting in a host application's own providers is the host's to send.
        """
        end = monotonic() + deadline
        in_time = True
        threads = [started(reader.force_flush, "lightwell-metrics-flush") for reader in self._readers]
        for queue in self._queues:
            queue.wake()
        for queue in self._queues:
            in_time = queue.flush(max(0.0, end - monotonic())) and in_time
        for thread in threads:
            thread.join(max(0.0, end - monotonic()))
            in_time = in_time and not thread.is_alive()
        if self.scrape is not None:
            in_time = within(end - monotonic(), self.scrape.publish, "lightwell-metrics-last") and in_time
        if not in_time:
            waiting = sum(queue.held for queue in self._queues)
            log.warning(TELEMETRY_ABANDONED.name, deadline=deadline, waiting=waiting)
        return in_time

    def shutdown(self, deadline: float) -> bool:
        """Flush and end, in at most `deadline` seconds; whether all was tried in time. Nothing is told afterwards."""
        end = monotonic() + deadline
        in_time = self.flush(deadline)
        for queue in self._queues:
            in_time = queue.close(max(0.0, end - monotonic())) and in_time
        for reader in self._readers:
            within(end - monotonic(), reader.shutdown, "lightwell-metrics-end")
        return in_time


_lock: Final = threading.Lock()
_present: Telemetry | None = None


def configure(  # noqa: PLR0913 -- each is a setting
    *,
    version: str,
    enabled: bool = True,
    baseline_ratio: float = 0.01,
    keep: KeepPolicy | None = None,
    remote: TokenBucket | None = None,
    scraped: bool = False,
    otlp_log_level: str = "WARNING",
    log_level: str = "INFO",
    log_format: logging.Format = "auto",
) -> Telemetry:
    """Set up telemetry for this process; called again it changes levels and thresholds and makes nothing anew.

    `baseline_ratio` is the share of healthy traces to keep, `keep` what else is kept, `remote` gives a token for each
    trace that is kept because its caller has sampled it, `scraped` lets metrics be read here, `otlp_log_level` is the
    least level of the log lines that go to a collector whatever becomes of their trace (`none`: not even those of kept
    traces do). With `enabled=False` or `OTEL_SDK_DISABLED=true` there are logs alone.
    """
    global _present  # noqa: PLW0603 -- the telemetry of the process
    with _lock:
        logging.configure(log_level, log_format)
        if not enabled or environment.is_disabled():
            return Telemetry(tracing=Tracing())
        policy = keep or KeepPolicy()
        ratio = environment.baseline_ratio(baseline_ratio)
        if _present is None or not _is_in_force(_present):
            _present = assemble(
                version=version,
                ratio=ratio,
                policy=policy,
                host_tracer_provider=_host_tracer_provider(),
                host_meter_provider=_host_meter_provider(),
                exporters=[exporter] if (exporter := environment.span_exporter()) else [],
                line_exporters=_line_exporters(otlp_log_level),
                otlp_log_level=otlp_log_level,
                readers=_readers(scraped=scraped),
            )
            _set_globals(_present)
        _present.tracing.policy = policy
        logging.tell_unhandled(_present.tracing)
        if _present.sampler is not None:
            _present.sampler.set_ratio(ratio)
            _present.sampler.remote = remote if environment.honours_parents() else None
        return _present


def _line_exporters(level: str) -> "Sequence[LogRecordExporter]":
    exporter = environment.log_exporter() if levels_from(level) else None
    return [] if exporter is None else [exporter]


def assemble(  # noqa: PLR0913 -- each is a part that a test may want to choose
    *,
    version: str,
    ratio: float,
    policy: KeepPolicy,
    remote: TokenBucket | None = None,
    host_tracer_provider: AnyTracerProvider | None = None,
    host_meter_provider: AnyMeterProvider | None = None,
    exporters: Sequence[SpanExporter] = (),
    line_exporters: "Sequence[LogRecordExporter]" = (),
    otlp_log_level: str = "WARNING",
    readers: Sequence[MetricReader] = (),
) -> Telemetry:
    """Put telemetry together without making it the process's; only the instruments of metrics are always that.

    Metrics can be read here where one of the readers is a `ScrapeReader`.
    """
    resource = environment.resource(version)
    tail: Tail | None = None
    sampler: Baseline | None = None
    roots: Roots | None = None
    queues: list[Queue[Any]] = []
    tracer_provider = host_tracer_provider
    if tracer_provider is None:
        tail, sampler, ids = Tail(), Baseline(ratio, remote), Ids()
        queues += [_send_spans(exporter, tail) for exporter in exporters]
        tracer_provider = _own_provider(resource, sampler, tail, ids)
        roots = Roots(_server_tracer(tracer_provider), ids, sampler, tail)
    levels = levels_from(otlp_log_level)
    OUTLET.bind()
    queues += [_send_lines(exporter, tail, resource, levels) for exporter in (line_exporters if levels else ())]
    meter_provider = host_meter_provider
    scraper = next((reader for reader in readers if isinstance(reader, ScrapeReader)), None)
    senders = [reader for reader in readers if reader is not scraper]
    if meter_provider is None and readers:
        meter_provider = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
    metrics.bind(_meter(meter_provider, version, () if host_meter_provider else readers, resource))
    log.debug(
        TELEMETRY_STARTED.name,
        traces="host" if host_tracer_provider else "otlp" if exporters else "none",
        metrics="host" if host_meter_provider else "otlp" if senders else "scraped" if scraper else "none",
        logs="otlp" if line_exporters else "none",
        baseline_ratio=ratio,
    )
    return Telemetry(
        tracing=_tracing(tracer_provider, version, policy, tail, roots),
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        sampler=sampler,
        queues=queues,
        readers=senders if host_meter_provider is None else (),
        scrape=Scrape(scraper, resource.attributes) if scraper and host_meter_provider is None else None,
    )


def _tracing(
    provider: AnyTracerProvider, version: str, policy: KeepPolicy, tail: Tail | None, roots: Roots | None
) -> Tracing:
    return Tracing(
        server_tracer=_server_tracer(provider),
        tracer=provider.get_tracer(SCOPE, version, _SCHEMA),
        policy=policy,
        tail=tail,
        roots=roots,
        live=True,
    )


def _server_tracer(provider: AnyTracerProvider) -> Tracer:
    return provider.get_tracer(_INSTRUMENTOR, instrumentor_version, _SCHEMA)


def _meter(
    provider: AnyMeterProvider | None, version: str, readers: Sequence[MetricReader], resource: Resource
) -> Meter | None:
    """The meter of our instruments: our own cells wherever all who read take them."""
    if provider is None:
        return None
    meter = provider.get_meter(SCOPE, version)
    if not readers or not all(map(can_collect_cells, readers)):
        return meter
    cells = CellMeter(meter, InstrumentationScope(SCOPE, version))
    cells.hand_to(readers, resource)
    return cells


def _readers(*, scraped: bool) -> list[MetricReader]:
    sender = environment.metric_exporter()
    readers: list[MetricReader] = [] if sender is None else [PeriodicExportingMetricReader(WatchedMetrics(sender))]
    return [*readers, ScrapeReader()] if scraped and environment.may_be_scraped() else readers


def _own_provider(resource: Resource, sampler: Baseline, tail: Tail, ids: Ids) -> TracerProvider:
    own = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False, id_generator=ids)
    own.add_span_processor(tail)
    metrics.GAUGES.live_roots = lambda: tail.live_roots
    return own


def _send_spans(exporter: SpanExporter, tail: Tail) -> Queue[Any]:
    spans = SpanQueue(
        exporter,
        most_spans=int(environment.number("OTEL_BSP_MAX_QUEUE_SIZE", 2048)),
        batch=int(environment.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)),
        every=environment.number("OTEL_BSP_SCHEDULE_DELAY", 5000) / 1000,
    )
    tail.add_sink(spans)
    return spans.queue


def _send_lines(
    exporter: "LogRecordExporter", tail: Tail | None, resource: Resource, levels: frozenset[str]
) -> Queue[Any]:
    make: type[LineQueue] = load("lightwell.instrumentation.log_export:LineQueue")
    lines = make(
        exporter,
        resource,
        at_once=levels,
        most_lines=int(environment.number("OTEL_BLRP_MAX_QUEUE_SIZE", 2048)),
        batch=int(environment.number("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", 512)),
        every=environment.number("OTEL_BLRP_SCHEDULE_DELAY", 1000) / 1000,
    )
    OUTLET.bind(levels, lines.take)
    if tail is not None:
        tail.add_sink(lines)
    return lines.queue


def _set_globals(telemetry: Telemetry) -> None:
    if telemetry.tracing.tail is not None and telemetry.tracer_provider is not None:
        trace_api.set_tracer_provider(telemetry.tracer_provider)
    if telemetry.meter_provider is not None and _host_meter_provider() is None:
        metrics_api.set_meter_provider(telemetry.meter_provider)


def _is_in_force(telemetry: Telemetry) -> bool:
    """Whether the process's providers are still those that it was made from; a host may have set its own since."""
    meter_provider = _host_meter_provider()
    return trace_api.get_tracer_provider() is telemetry.tracer_provider and (
        meter_provider is None or meter_provider is telemetry.meter_provider
    )


def _host_tracer_provider() -> AnyTracerProvider | None:
    provider = trace_api.get_tracer_provider()
    return None if isinstance(provider, ProxyTracerProvider | NoOpTracerProvider) else provider


def _host_meter_provider() -> AnyMeterProvider | None:
    provider = metrics_api.get_meter_provider()
    return None if isinstance(provider, _ProxyMeterProvider | NoOpMeterProvider) else provider
