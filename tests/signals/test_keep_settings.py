"""What is kept can be chosen by settings, on a server as an operator runs it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.serving import lightwell_server
from tests.signals.collector import Collected, collecting

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
SETTINGS = {
    "OTEL_BSP_SCHEDULE_DELAY": "50",
    "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "0",
    "LIGHTWELL_TELEMETRY_SLOW_AFTER": "1h",
    "LIGHTWELL_TELEMETRY_KEEP_STATUSES": "404",
    "LIGHTWELL_TELEMETRY_REMOTE_BURST": "2",
    "LIGHTWELL_TELEMETRY_REMOTE_RATE": "0.001",
    "LIGHTWELL_TELEMETRY_SLOW_BY_ROUTE": "/api/hello=50m, GET /api/flow_rums/{id}=3s",
}


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30.0
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "it never came true"
        pause.wait(0.02)


def _reasons(collected: Collected) -> list[tuple[str, str]]:
    return [
        (span.name, attribute.value.string_value)
        for span in collected.spans
        for attribute in span.attributes
        if attribute.key == "lightwell.kept.reason"
    ]


def test_rules_to_keep_traces_come_from_the_settings(tmp_path: Path) -> None:
    """A status, a verdict (ABORT unless something else is said) and callers up to their rate; nothing else is kept."""
    with collecting() as collected:
        settings = SETTINGS | {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.address}
        with (
            lightwell_server(tmp_path, settings) as server,
            httpx.Client(base_url=server.api_url) as client,
        ):
            flow = client.post("/flows/", json={"name": "keep"}).json()["id"]
            run = client.post("/flow_runs/", json={"flow_id": flow}).json()["id"]
            again = {"state": {"type": "PENDING"}}
            answers = [client.post(f"/flow_runs/{run}/set_state", json=again) for _ in range(2)]
            assert answers[-1].json()["status"] == "ABORT"
            assert client.get("/nowhere").status_code == 404
            for _ in range(4):
                client.get("/hello", headers={"traceparent": f"{PARENT}-01"})
            client.get("/hello", headers={"traceparent": f"{PARENT}-00"})
            client.get("/flows/00000000-0000-0000-0000-000000000000")
            _until(lambda: "GET /api/flows/{id}" in {name for name, _ in _reasons(collected)})

    reasons = _reasons(collected)
    assert reasons.count(("GET /api/hello", "remote")) == 2
    assert reasons.count(("POST /api/flow_runs/{id}/set_state", "verdict")) in {1, 2}
    assert set(reasons) == {
        ("GET /api/hello", "remote"),
        ("POST /api/flow_runs/{id}/set_state", "verdict"),
        ("GET", "status"),
        ("GET /api/flows/{id}", "status"),
    }
    (refused,) = [line for line in server.log_lines() if line["event"] == "telemetry.refused"]
    assert (refused["variable"], refused["value"]) == (
        "LIGHTWELL_TELEMETRY_SLOW_BY_ROUTE",
        "GET /api/flow_rums/{id}",
    )
