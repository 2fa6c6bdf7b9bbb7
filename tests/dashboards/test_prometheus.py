"""A real Prometheus scrapes a real server under the reference load: every expression has an answer."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from lightwell.instrumentation.vocabulary import REQUEST_DURATION
from tests.dashboards.load import SETTINGS, Load
from tests.dashboards.programs import JOB, Prometheus, promtool, scraping
from tests.serving import lightwell_server
from tests.signals.collector import collecting
from tools.dashboards.budgets import CLASSES, rate_of
from tools.dashboards.page import Panel
from tools.dashboards.pages import PAGES
from tools.dashboards.promql import OR_ZERO, Asker
from tools.dashboards.rules import ALERTS, RECORDED

PATIENCE = 60.0
WINDOW = "30s"
PANELS = [(page.uid, panel) for page in PAGES for panel in page.panels]
RECORDS = [
    f"{rule.name}{{{','.join(f'{name}={value!r}' for name, value in rule.labels.items())}}}" for rule in RECORDED
]
"""What each rule has recorded, with its own labels."""
NOTHING_YET = {
    "Firing alerts",
    "Units tried again",
    "Spans that the store lost",
    "Telemetry lost",
    "Lost on the way",
}
"""Panels that may show nothing but 0: what the reference load does not cause."""


def asked(expression: str) -> str:
    """An expression as Grafana sends it, with all jobs and instances chosen."""
    return expression.replace('"$job"', f'"({JOB})"').replace('"$instance"', '".+"').replace("$__rate_interval", WINDOW)


@dataclass(frozen=True)
class Watched:
    """A server that has been under load, and the Prometheus that watched it."""

    prometheus: Prometheus
    answers: dict[str, list[float]]
    metrics: str
    failed: list[str]


def questions(panel: Panel) -> list[str]:
    """What a panel asks; without the 0 that stands for nothing, where there has to be something."""
    expressions = [asked(query.expression) for query in panel.queries]
    return expressions if panel.title in NOTHING_YET else [one.removesuffix(OR_ZERO) for one in expressions]


def answers(prometheus: Prometheus) -> dict[str, list[float]]:
    """The values that answer each question of each panel, and those of the recorded rules."""
    asks = [question for _, panel in PANELS for question in questions(panel)]
    return {question: prometheus.values(question) for question in (*asks, *RECORDS)}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Load in rounds, until every panel has an answer or the patience is over."""
    home = tmp_path_factory.mktemp("watched")
    with collecting() as collector, ExitStack() as stack:
        settings = SETTINGS | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
        server = stack.enter_context(lightwell_server(home / "server", settings))
        address = urlsplit(server.api_url).netloc
        with scraping(address, home / "prometheus") as prometheus, Load(server, home / "server") as load:
            deadline = time.monotonic() + PATIENCE
            load.round()
            told: dict[str, list[float]] = {}
            while time.monotonic() < deadline and not (told and all(told.values())):
                load.round()
                told = answers(prometheus)
            yield Watched(prometheus, told, httpx.get(f"http://{address}/metrics").text, load.failed)


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=[f"{uid}-{panel.title}" for uid, panel in PANELS])
def test_every_panel_has_data(uid: str, panel: Panel, watched: Watched) -> None:
    """Each question of each panel has at least one number for an answer, and not only the 0 that stands for nothing."""
    assert [question for question in questions(panel) if not watched.answers[question]] == [], uid


def test_every_variable_has_values(watched: Watched) -> None:
    """Job and instance can be chosen."""
    selection = asked(Asker((), "").select_present())

    assert watched.prometheus.label_values("job", selection) == [JOB]
    assert len(watched.prometheus.label_values("instance", selection)) == 1


def test_every_rule_can_be_evaluated(watched: Watched) -> None:
    """Prometheus has evaluated each of them, without an error."""
    rules = watched.prometheus.rules()

    assert {rule["name"] for rule in rules} == {rule.name for rule in ALERTS} | {rule.name for rule in RECORDED}
    assert not [rule for rule in rules if rule["health"] != "ok" or rule.get("lastError")]
    for alert in ALERTS:
        watched.prometheus.ask(alert.expression)


def test_every_recorded_rule_has_data(watched: Watched) -> None:
    """For each of its sets of labels."""
    assert [record for record in RECORDS if not watched.answers[record]] == []


def test_every_request_is_of_one_class(watched: Watched) -> None:
    """The classes' requests add up to all requests: none is left out, none is counted twice."""
    everything = Asker(('job=~"lightwell.*"',), "1m", ("job",)).per_second(REQUEST_DURATION)
    classes = " + ".join(rate_of(routes, "1m") for routes in CLASSES)

    (difference,) = watched.prometheus.values(f"({everything}) - ({classes})")
    assert abs(difference) < 1e-9


def test_exemplars_point_at_traces_of_failures(watched: Watched) -> None:
    """Prometheus holds exemplars of requests, and a failed request's trace is among them."""
    selection = asked(Asker((), "").select(REQUEST_DURATION, part="_bucket"))
    traces = {labels["trace_id"] for labels in watched.prometheus.exemplars(selection)}

    assert traces & set(watched.failed)


def test_promtool_likes_the_names(watched: Watched) -> None:
    """Names, units and descriptions are as Prometheus would have them."""
    assert promtool("check", "metrics", given=watched.metrics) == ""
    assert not re.search(r"_ratio\b", watched.metrics)
