"""Writes `telemetry.md` whole, from the vocabulary of signals."""

from collections.abc import Iterable, Iterator

from lightwell.instrumentation import vocabulary
from lightwell.instrumentation.vocabulary import (
    ATTRIBUTES,
    LOG_EVENTS,
    METRICS,
    SPAN_EVENTS,
    SPANS,
    prometheus_name,
)

_HEAD = """\
# Telemetry: every signal by name

Made from `src/lightwell/instrumentation/vocabulary/` by `make docs`; edit it there. These names are public API: a
change of one is a change for dashboards and alerts, and stands in CHANGELOG.md. Where OpenTelemetry has a stable name
for something it is used; `lightwell.*` is for the rest.

- **Kept traces.** Every request, tick and batch is recorded; when it ends, its trace is kept whole, with its log lines,
  if it failed (5xx, an exception), was slow (`LIGHTWELL_TELEMETRY_SLOW_AFTER`, `_SLOW_BY_ROUTE`), was answered as
  `_KEEP_STATUSES` or `_KEEP_VERDICTS` say, was sampled by its caller (up to `_REMOTE_RATE`), or belongs to the baseline
  (`_BASELINE_RATIO`); otherwise nothing of it. `lightwell.kept.reason` says which, failure before all others.
- **Exemplars** of durations point at the root span of kept traces, and at nothing else.
- **Log lines** go to standard error. Where there is an OTLP endpoint, those of kept traces go there at every level, of
  everything else those from `LIGHTWELL_TELEMETRY_OTLP_LOG_LEVEL` on, and none twice: the event as body, fields as
  attributes, an exception as `exception.type`, `exception.message` and `exception.stacktrace`.
- **A collector's troubles** are no request's: queues are bounded (`OTEL_BSP_MAX_QUEUE_SIZE`,
  `OTEL_BLRP_MAX_QUEUE_SIZE`), the oldest go first, each loss is counted in `lightwell.telemetry.dropped`, and one line
  a minute says so.
- **Correlation.** `{header}` is on every response; `trace_id` is in the bodies of 409, 500 and 503, on every log line
  of the request and on its span. The spans, the metric and the log line of a request have the same route and status.
- **Never recorded:** values of statements, bodies, headers other than `User-Agent`, query strings, secrets. Metrics
  have no ids, no names that users chose and no raw paths; those named `prefect_*` have names, and are off by default.
- **Several processes.** Gauges of what is in the database (`lightwell.runs*`, `lightwell.queue.*`,
  `lightwell.leases.*`, `lightwell.db.table.*`, `lightwell.db.size`) are the same from each process that runs loops:
  take their `max`. What a process counts or has (`lightwell.db.units.*`, `process.*`) is its own: take the `sum`.

"""


def whole(_old: str) -> str:
    """The document; nothing of the old text stays."""
    return (
        "".join(
            (
                _HEAD.format(header=vocabulary.TRACE_ID_HEADER),
                _section("Spans", ("Name", "Kind", "Meaning", "Attributes"), _spans()),
                _section("Span events", ("Name", "On", "Meaning", "Attributes"), _span_events()),
                _section(
                    "Metrics", ("Name", "Instrument", "Unit", "Meaning", "Attributes", "In Prometheus"), _metrics()
                ),
                _section("Attributes", ("Name", "Type", "Meaning"), _attributes()),
                _section("Log events", ("Name", "Level", "Meaning", "Fields"), _log_events()),
            )
        ).rstrip("\n")
        + "\n"
    )


def _section(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = tuple(columns)
    lines = [f"## {title}", "", _row(columns), _row("---" for _ in columns), *(_row(cells) for cells in rows)]
    return "\n".join(lines) + "\n\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _spans() -> Iterator[tuple[str, ...]]:
    for span in SPANS:
        yield f"`{span.name}`", span.kind, span.description, _names(span.attributes)


def _span_events() -> Iterator[tuple[str, ...]]:
    for event in SPAN_EVENTS:
        yield f"`{event.name}`", event.span, event.description, _names(event.attributes)
    for word in LOG_EVENTS:
        if word.on_span:
            yield f"`{word.name}`", "the present one", word.description, _names(word.fields)


def _metrics() -> Iterator[tuple[str, ...]]:
    for metric in METRICS:
        yield (
            f"`{metric.name}`",
            metric.instrument,
            f"`{metric.unit}`",
            metric.description,
            _names(metric.attributes),
            f"`{prometheus_name(metric)}`",
        )


def _attributes() -> Iterator[tuple[str, ...]]:
    for attribute in ATTRIBUTES:
        yield f"`{attribute.name}`", attribute.type, attribute.description


def _log_events() -> Iterator[tuple[str, ...]]:
    for event in LOG_EVENTS:
        yield f"`{event.name}`", event.level, event.description, _names(event.fields)
