"""The standard `OTEL_*` variables, read once when telemetry is set up: what to send, where, and as what.

Where a library of OpenTelemetry reads a variable by itself (endpoints, headers, certificates, timeouts, intervals,
propagators), it is left to it.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from uuid import uuid4

from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace.export import SpanExporter

from lightwell.instrumentation.vocabulary import TELEMETRY_REFUSED
from lightwell.instrumentation.words import log

if TYPE_CHECKING:
    from opentelemetry.sdk._logs.export import LogRecordExporter

Signal = Literal["TRACES", "METRICS", "LOGS"]
_GRPC: Final = "opentelemetry.exporter.otlp.proto.grpc"


def is_disabled() -> bool:
    """Whether `OTEL_SDK_DISABLED` is true."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def baseline_ratio(default: float) -> float:
    """The ratio that `OTEL_TRACES_SAMPLER` asks for where it needs no argument, else `default`."""
    name = os.environ.get("OTEL_TRACES_SAMPLER", "").removeprefix("parentbased_")
    return {"always_on": 1.0, "always_off": 0.0}.get(name, default)


def honours_parents() -> bool:
    """Whether what a caller has sampled counts: not where `OTEL_TRACES_SAMPLER` names a sampler that ignores that."""
    name = os.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    return not name or name.startswith("parentbased_")


def resource(version: str) -> Resource:
    """Who speaks: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` first, then what this process knows of itself."""
    own: Mapping[str, str] = {
        "service.name": "lightwell",
        "service.version": version,
        "service.instance.id": str(uuid4()),
        "process.pid": str(os.getpid()),
    }
    return Resource.create(dict(Resource(own).merge(OTELResourceDetector().detect()).attributes))


def span_exporter() -> SpanExporter | None:
    """The exporter of spans; None where no endpoint is configured."""
    return cast("SpanExporter | None", _exporter("TRACES", "trace_exporter", "OTLPSpanExporter"))


def metric_exporter() -> MetricExporter | None:
    """The exporter of metrics; None where no endpoint is configured."""
    return cast("MetricExporter | None", _exporter("METRICS", "metric_exporter", "OTLPMetricExporter"))


def may_be_scraped() -> bool:
    """Whether metrics may be read here: no by `OTEL_METRICS_EXPORTER=none`, and where there are none."""
    return not is_disabled() and _exporters("METRICS") != ["none"]


def log_exporter() -> "LogRecordExporter | None":
    """The exporter of log lines; None where no endpoint is configured."""
    return cast("LogRecordExporter | None", _exporter("LOGS", "_log_exporter", "OTLPLogExporter"))


def number(name: str, default: float) -> float:
    """A variable that holds a positive number; `default` where it is absent or holds none."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value > 0:
        return value
    _refuse(name, text, "not a positive number")
    return default


def _protocol(signal: Signal) -> str | None:
    """`http/protobuf` or `grpc`; None where this signal goes nowhere."""
    chosen = _exporters(signal)
    known = ["otlp", "prometheus", "none"] if signal == "METRICS" else ["otlp", "none"]
    for name in chosen:
        if name not in known:
            reason = " or ".join(known)
            _refuse(f"OTEL_{signal}_EXPORTER", name, reason)
    if "otlp" not in chosen and (chosen or not _otlp(signal, "ENDPOINT")):
        return None
    protocol = _otlp(signal, "PROTOCOL") or "http/protobuf"
    if protocol in {"http/protobuf", "grpc"}:
        return protocol
    _refuse("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "http/protobuf or grpc; http/protobuf is used")
    return "http/protobuf"


def _exporters(signal: str) -> list[str]:
    """What `OTEL_*_EXPORTER` lists; nothing where it is left open."""
    names = os.environ.get(f"OTEL_{signal}_EXPORTER", "").split(",")
    return [name.strip() for name in names if name.strip()]


_refused: Final[set[tuple[str, str]]] = set()


def _refuse(variable: str, value: str, reason: str) -> None:
    """Say once that a variable asks for what is not to be had, though several signals may ask for it."""
    if (variable, value) not in _refused:
        _refused.add((variable, value))
        log.warning(TELEMETRY_REFUSED.name, variable=variable, value=value, reason=reason)


def _otlp(signal: str, name: str) -> str | None:
    value = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_{name}") or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}")
    return value.strip() or None if value else None


def _exporter(signal: Signal, module: str, name: str) -> Any:
    """The exporter, compressing unless a variable says otherwise: gzip makes a batch ten times smaller.

    Imported when it is needed: the libraries of an exporter cost a fifth of a second, and gRPC's may be absent.
    """
    protocol = _protocol(signal)
    if protocol is None:
        return None
    package = "opentelemetry.exporter.otlp.proto.http" if protocol == "http/protobuf" else _GRPC
    try:
        make = getattr(import_module(f"{package}.{module}"), name)
    except ImportError:
        _refuse(
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            protocol,
            "it comes with lightwell[grpc], which is not installed; nothing is sent",
        )
        return None
    if _otlp(signal, "COMPRESSION"):
        return make()
    return make(compression=import_module("grpc" if protocol == "grpc" else package).Compression.Gzip)
