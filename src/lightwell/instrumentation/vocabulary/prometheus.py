"""How names are written for Prometheus: here, and by a collector or an exporter that follows OpenTelemetry's rules."""

import re
from typing import Final

from lightwell.instrumentation.vocabulary.metric import Metric

_UNITS: Final = {"s": "seconds", "By": "bytes"}
_STRANGE: Final = re.compile(r"[^a-zA-Z0-9_]")


def prometheus_name(metric: Metric) -> str:
    """What a metric is called in Prometheus; for a histogram without `_bucket`, `_sum` and `_count`."""
    return exposed_name(metric.name, metric.unit, counts=metric.instrument == "counter")


def exposed_name(name: str, unit: str, *, counts: bool) -> str:
    """The same for any instrument: `counts` is for one that only goes up, whose name then ends with `_total`."""
    shown = prometheus_label(name).removesuffix("_total") if counts else prometheus_label(name)
    suffix = prometheus_unit(unit)
    if suffix and not shown.endswith(f"_{suffix}"):
        shown = f"{shown}_{suffix}"
    return f"{shown}_total" if counts else shown


def prometheus_unit(unit: str) -> str:
    """The unit's word in names; empty for what is counted."""
    return _UNITS.get(unit, "")


def prometheus_label(name: str) -> str:
    """What an attribute is called."""
    shown = _STRANGE.sub("_", name)
    return f"_{shown}" if shown[:1].isdigit() else shown
