"""Ways out of a panel: to another dashboard, to traces in Tempo, to log lines in Loki."""

import json
from typing import Any, Final
from urllib.parse import quote

from lightwell.instrumentation.vocabulary import ERROR_TYPE, HTTP_ROUTE, prometheus_label
from tools.dashboards.page import Link

TEMPO: Final = "tempo"
LOKI: Final = "loki"
_WARNING: Final = 13
"""OpenTelemetry's severity number of the least severe warning."""

OVERVIEW: Final = "lightwell-overview"
REQUESTS: Final = "lightwell-requests"
RUNS: Final = "lightwell-runs"
BACKGROUND: Final = "lightwell-background"
STORAGE: Final = "lightwell-storage"
TELEMETRY: Final = "lightwell-telemetry"


def dashboard(uid: str, title: str) -> Link:
    """Another dashboard, with the same time and variables."""
    kept = "&".join(("${__url_time_range}", *(f"${{{name}:queryparam}}" for name in ("datasource", "job", "instance"))))
    return Link(title, f"/d/{uid}?{kept}")


def traces(title: str, condition: str) -> Link:
    """The traces in Tempo that a condition of TraceQL selects."""
    return _explore(title, TEMPO, {"queryType": "traceql", "limit": 50, "query": f"{{ {condition} }}"})


def logs(title: str, pipeline: str = "") -> Link:
    """The log lines in Loki, warnings and worse, that a pipeline of LogQL lets pass."""
    selected = f'{{service_name=~"lightwell.*"}} | severity_number >= {_WARNING}'
    return _explore(title, LOKI, {"queryType": "range", "expr": f"{selected} {pipeline}".rstrip()})


def of_label(attribute: str) -> str:
    """The value of an attribute of the series that was clicked, inside a link."""
    return f"${{__field.labels.{prometheus_label(attribute)}:percentencode}}"


def _explore(title: str, uid: str, query: dict[str, Any]) -> Link:
    pane = {
        "datasource": uid,
        "queries": [{"refId": "A", "datasource": {"type": uid, "uid": uid}, **query}],
        "range": {"from": "${__from}", "to": "${__to}"},
    }
    shown = quote(json.dumps({"one": pane}, separators=(",", ":")), safe="${}:,")
    return Link(title, f"/explore?schemaVersion=1&orgId=1&panes={shown}")


FAILED_REQUESTS: Final = traces("Traces of failed requests", "kind = server && status = error")
FAILED_ON_ROUTE: Final = traces(
    "Failed traces of this route", f'status = error && span.{HTTP_ROUTE} = "{of_label(HTTP_ROUTE)}"'
)
SLOW_ON_ROUTE: Final = traces(
    "Slow traces of this route", f'kind = server && duration > 500ms && span.{HTTP_ROUTE} = "{of_label(HTTP_ROUTE)}"'
)
FAILED_THIS_WAY: Final = traces(
    "Traces with this error", f'status = error && span.{ERROR_TYPE} = "{of_label(ERROR_TYPE)}"'
)
TROUBLE_IN_LOGS: Final = logs("Warnings and errors in the logs")
