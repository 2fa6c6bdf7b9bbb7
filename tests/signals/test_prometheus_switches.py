"""Who reads metrics, by `OTEL_METRICS_EXPORTER`, endpoint and setting: sent, read at `/metrics`, both or neither."""

import json
import os
import subprocess
import sys

import pytest

_SCRIPT = """
import json
from lightwell.instrumentation import metrics
from lightwell.server.runtime import telemetry_of
from lightwell.settings.root import load
telemetry = telemetry_of(load())
print(json.dumps({
    "sent": len(telemetry._readers) > 0,
    "read": telemetry.scrape is not None,
    "live": metrics.LIVE,
}))
"""
_ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_METRIC_EXPORT_INTERVAL": "600000"}
_OFF = {"LIGHTWELL_TELEMETRY_METRICS": "false"}


def _names(exporters: str) -> dict[str, str]:
    return {"OTEL_METRICS_EXPORTER": exporters}


@pytest.mark.parametrize(
    ("variables", "sent", "read", "complaints"),
    [
        ({}, False, True, 0),
        (_OFF, False, False, 0),
        (_ENDPOINT, True, True, 0),
        (_ENDPOINT | _OFF, True, False, 0),
        (_names("otlp"), True, True, 0),
        (_names("prometheus"), False, True, 0),
        (_ENDPOINT | _names("prometheus"), False, True, 0),
        (_ENDPOINT | _names(" otlp, prometheus "), True, True, 0),
        (_names("prometheus") | _OFF, False, False, 0),
        (_ENDPOINT | _names("none"), False, False, 0),
        (_ENDPOINT | _names("console,otlp"), True, True, 1),
        (_names("zipkin"), False, True, 1),
        ({"OTEL_SDK_DISABLED": "true"}, False, False, 0),
        ({"LIGHTWELL_TELEMETRY_ENABLED": "false"}, False, False, 0),
    ],
)
def test_metrics_go_where_the_variables_say(variables: dict[str, str], sent: bool, read: bool, complaints: int) -> None:  # noqa: FBT001 -- columns
    """What cannot be had is told in a line, and the rest is done; where nobody reads, nothing is counted."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LIGHTWELL_", "PREFECT_", "OTEL_"))}
    chosen = {"LIGHTWELL_TELEMETRY_FLUSH_TIMEOUT": "0s", "LIGHTWELL_TELEMETRY_LOG_FORMAT": "json"} | variables
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env=inherited | chosen, capture_output=True, text=True, timeout=60, check=True
    )

    assert json.loads(done.stdout) == {"sent": sent, "read": read, "live": sent or read}
    assert done.stderr.count('"telemetry.refused"') == complaints
