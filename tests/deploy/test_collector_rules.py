"""Each alert about the collector fires when it should and is quiet otherwise, in Prometheus's own rule tester."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.collector.real import TOP

RULES = TOP / "deploy" / "collector-rules.yaml"
ALERTS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
HERE = 'job="otelcol",instance="collector:8888"'
SENDING = f'{{{HERE},exporter="otlp_grpc/tempo"}}'
FIRES = {
    "CollectorDown": {f"up{{{HERE}}}": "1 0x20"},
    "CollectorCannotSend": {f"otelcol_exporter_send_failed_spans{SENDING}": "0x5 10x20"},
    "CollectorRefuses": {f"otelcol_receiver_refused_metric_points{{{HERE}}}": "0+5x20"},
}
QUIET = {
    "CollectorDown": {f"up{{{HERE}}}": "1x20", 'up{job="prometheus",instance="one"}': "0x20"},
    "CollectorCannotSend": {
        f"otelcol_exporter_send_failed_spans{SENDING}": "10x20",
        f"otelcol_exporter_sent_spans{SENDING}": "0+9x20",
    },
    "CollectorRefuses": {f"otelcol_receiver_refused_metric_points{{{HERE}}}": "5x20"},
}


@pytest.mark.parametrize("name", [alert["alert"] for alert in ALERTS])
def test_alerts_fire_when_they_should(name: str, tmp_path: Path) -> None:
    """And not for what only looks like it."""
    for courses, count in ((FIRES[name], 1), (QUIET[name], 0)):
        test = {
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in courses.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)',
                    "eval_time": "12m",
                    "exp_samples": [{"labels": "{}", "value": count}],
                }
            ],
        }
        file = tmp_path / f"{count}.yaml"
        file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
        ended = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)

        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alerts_lead_to_a_place_that_says_what_to_do(alert: dict[str, Any]) -> None:
    """Summary, description, and a heading of the operator's page."""
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    headings = [line.lstrip("# ") for line in (TOP / page).read_text().splitlines() if line.startswith("#")]

    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    assert {"summary", "description"} <= alert["annotations"].keys()
    assert alert["labels"]["severity"] == "warning"
