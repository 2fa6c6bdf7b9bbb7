"""Runbooks: every alert has a section in docs/operating.md that says where to look and what to do."""

import re

import pytest

from tools.dashboards.generate import FOLDER
from tools.dashboards.pages import PAGES
from tools.dashboards.rule import Alert
from tools.dashboards.rules import ALERTS

OPERATING = (FOLDER.parent / "docs" / "operating.md").read_text()
RUNBOOKS = OPERATING.partition("\n## Runbooks\n")[2].partition("\n## ")[0]
PARTS = ("First look", "Likely causes", "What to do")


def section(alert: Alert) -> str:
    """What is written about an alert."""
    return RUNBOOKS.partition(f"\n### {alert.name}\n")[2].partition("\n### ")[0]


def test_every_alert_has_a_runbook_and_a_dashboard() -> None:
    """The section bears the alert's name, in the order of the rules, and the dashboard exists."""
    assert re.findall(r"^### (\w+)$", RUNBOOKS, re.MULTILINE) == [alert.name for alert in ALERTS]
    assert {alert.dashboard for alert in ALERTS} <= {page.uid for page in PAGES}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_runbook_says_where_to_look_and_what_to_do(alert: Alert) -> None:
    """Its severity, the first look, likely causes, what to do; it looks at a dashboard or types a command."""
    text = section(alert)

    assert text.startswith(f"*{alert.severity.capitalize()}.* ")
    assert [part for part in PARTS if f"\n**{part}.** " not in text] == []
    assert re.search(r"Dashboard [A-Z]|`(lightwell|curl) |Targets of Prometheus", text)


def test_panels_that_runbooks_name_exist() -> None:
    """Whatever stands in quotation marks is a panel of the dashboard that is named before it."""
    titles = {page.title.rpartition(" ")[2]: {panel.title for panel in page.panels} for page in PAGES}
    sentences = [looked.partition("Dashboard ") for looked in re.split(r"(?=Dashboard [A-Z])", RUNBOOKS)]
    named = [(words.split(":")[0], words.partition(". ")[0]) for _, found, words in sentences if found and ":" in words]

    assert len(named) > 5
    for dashboard, sentence in (one for one in named if '"' in one[1]):
        assert set(re.findall(r'"([^"]+)"', sentence.replace("\n", " "))) <= titles[dashboard], sentence


def test_what_stories_of_failures_name_exists() -> None:
    """Where docs/operating.md goes from a red panel to the cause, that panel and that alert exist."""
    red = re.findall(r"^Red: .*", OPERATING, re.MULTILINE)
    panels = {(page.title.rpartition(" ")[2], panel.title) for page in PAGES for panel in page.panels}

    assert red
    assert {pair for line in red for pair in re.findall(r"\*(\w+) / ([^*]+)\*", line)} <= panels
    assert {name for line in red for name in re.findall(r"`(Lightwell\w+)`", line)} <= {alert.name for alert in ALERTS}


def test_alerts_that_panels_name_exist() -> None:
    """A panel that names an alert names one of the rules."""
    named = {
        name for page in PAGES for panel in page.panels for name in re.findall(r"Lightwell[A-Z]\w+", panel.description)
    }

    assert named
    assert named <= {alert.name for alert in ALERTS}
