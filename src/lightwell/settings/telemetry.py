"""The settings of what the server tells about itself."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, field_validator

from lightwell.settings.section import NoneWhenEmpty, Section, setting
from lightwell.settings.trace_store import TraceStoreSettings
from lightwell.settings.values import Duration, SlowRules, parse_list

_STATUS = range(100, 600)
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
OtlpLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "none"]

Verdict = Literal["ACCEPT", "REJECT", "WAIT", "ABORT"]


def _statuses(value: object) -> object:
    values = parse_list(value)
    if isinstance(values, tuple | list) and not all(str(one).isdecimal() and int(one) in _STATUS for one in values):
        raise ValueError("must be statuses from 100 to 599, separated by commas")
    return values


def _verdicts(value: object) -> object:
    values = parse_list(value)
    return tuple(str(one).upper() for one in values) if isinstance(values, tuple | list) else values


Statuses = Annotated[tuple[int, ...], BeforeValidator(_statuses)]
Verdicts = Annotated[tuple[Verdict, ...], BeforeValidator(_verdicts)]


class TelemetrySettings(Section):
    """What the server tells about itself; the standard OTEL_* variables say where it goes."""

    enabled: bool = setting("Make traces and metrics. Logs are written in any case.", default=True)
    baseline_ratio: float = setting(
        "The share of healthy requests whose trace is kept, from 0 to 1. Failed and slow ones are always kept.",
        0.01,
        aliases=("OTEL_TRACES_SAMPLER_ARG",),
        ge=0,
        le=1,
    )
    slow_after: Duration = setting(
        "A request that takes longer is slow, and its trace is kept.",
        timedelta(seconds=1),
        ge=timedelta(milliseconds=1),
        le=timedelta(hours=1),
    )
    slow_by_route: SlowRules = setting(
        "Other times for single routes, separated by commas, by the name that their traces have: "
        "POST /api/flow_runs/filter=3s, loop late_runs=10s, or a route for all its methods.",
        (),
    )
    keep_statuses: Statuses = setting(
        "Statuses, separated by commas, that keep a request's trace, such as 409, 423. Those from 500 on always do.",
        (),
    )
    keep_verdicts: Verdicts = setting(
        "Verdicts of orchestration, separated by commas, that keep a request's trace: ACCEPT, REJECT, WAIT, ABORT. "
        "ABORT is a proposed state that was turned down for good: what somebody will ask about.",
        ("ABORT",),
    )
    remote_rate: float = setting(
        "The traces a second that are kept because the caller has sampled them; beyond it the baseline decides.",
        10.0,
        unit="traces",
        ge=0,
        le=100_000,
    )
    remote_burst: int = setting(
        "How many of those traces may come at once after a quiet time.", 100, unit="traces", ge=1, le=1_000_000
    )
    metrics: bool = setting(
        "Let Prometheus read the metrics at /metrics; on the API's own port with the API's credentials. "
        "OTEL_METRICS_EXPORTER=none turns this off too.",
        default=True,
    )
    metrics_port: Annotated[int | None, NoneWhenEmpty] = setting(
        "A port of its own for /metrics, which then asks for no credentials; only `lightwell serve` listens there.",
        None,
        aliases=("OTEL_EXPORTER_PROMETHEUS_PORT",),
        ge=0,
        le=65535,
    )
    metrics_host: str = setting(
        "The address that a port of its own for /metrics is on; 0.0.0.0 is every IPv4 address of the machine.",
        "127.0.0.1",
        aliases=("OTEL_EXPORTER_PROMETHEUS_HOST",),
        min_length=1,
    )
    flush_timeout: Duration = setting(
        "How long a stopping server tries to send what it has not sent yet.",
        timedelta(seconds=3),
        ge=timedelta(0),
        le=timedelta(minutes=10),
    )
    otlp_log_level: OtlpLevel = setting(
        "The least severe log line that goes to a collector (OTEL_EXPORTER_OTLP_ENDPOINT) whatever becomes of its "
        "trace; the lines of kept traces go at every level. none sends no lines at all.",
        "WARNING",
    )
    log_level: Level = setting(
        "The least severe log line that is written.",
        "INFO",
        aliases=("PREFECT_SERVER_LOGGING_LEVEL", "PREFECT_LOGGING_SERVER_LEVEL"),
    )
    log_format: Literal["auto", "json", "console"] = setting(
        "How log lines are written to standard error: json, console for reading, or auto: console on a terminal.",
        "auto",
    )

    receive_spans: bool = setting(
        "Take spans of clients and workers into the store of traces, by OTLP/HTTP at /v1/traces.", default=True
    )

    store: TraceStoreSettings = TraceStoreSettings()

    @field_validator("otlp_log_level", mode="before")
    @classmethod
    def _as_named(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return "none" if value.lower() == "none" else value.upper()

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value
