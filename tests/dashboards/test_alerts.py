"""Alerts: each fires when it should and keeps quiet when it should not."""

from pathlib import Path

import pytest
import yaml

from tests.dashboards.alarms import ALARMS, Alarm, Courses
from tests.dashboards.programs import promtool
from tools.dashboards.budgets import CLASSES
from tools.dashboards.generate import FOLDER
from tools.dashboards.rules import ALERTS

RULES = FOLDER / "alerts.yaml"


def test_promtool_takes_the_rules() -> None:
    """Prometheus can load `alerts.yaml`."""
    assert "SUCCESS" in promtool("check", "rules", RULES)


def test_every_alert_is_tried() -> None:
    """Each has a course of events in which it fires."""
    assert [alarm.name for alarm in ALARMS] == [alert.name for alert in ALERTS]


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_it_fires_and_keeps_quiet(alarm: Alarm, tmp_path: Path) -> None:
    """In the one course of events this alert fires, in the other it does not."""
    firing = f'count by (alertname) (ALERTS{{alertname="{alarm.name}",alertstate="firing"}})'

    def course(courses: Courses, expected: list[dict[str, object]]) -> dict[str, object]:
        return {
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in courses.items()],
            "promql_expr_test": [{"expr": firing, "eval_time": alarm.after, "exp_samples": expected}],
        }

    written = tmp_path / "test.yaml"
    expected: list[dict[str, object]] = [{"labels": f'{{alertname="{alarm.name}"}}', "value": 1}]
    pace = "5m" if alarm.after.endswith("h") else "1m"
    tests = [course(alarm.fires, expected), course(alarm.quiet, [])]
    written.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": pace, "tests": tests}))

    assert "SUCCESS" in promtool("test", "rules", written)


def test_every_request_has_one_class() -> None:
    """The budgets' classes are three, each with a budget that leaves room."""
    assert [routes.name for routes in CLASSES] == ["writes", "reads", "telemetry"]
    assert all(0 < routes.budget < 0.05 for routes in CLASSES)
