"""Dashboards: up to date, complete, and made of names that exist."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from lightwell.instrumentation.vocabulary import METRICS, prometheus_label, prometheus_name
from tools.dashboards.generate import FOLDER, outdated
from tools.dashboards.pages import PAGES
from tools.dashboards.rules import ALERTS, RECORDED

UIDS = [page.uid for page in PAGES]
VARIABLES = ["datasource", "job", "instance"]
PARTS = ("_bucket", "_sum", "_count")
OF_PROMETHEUS = {"up", "ALERTS"}
AGGREGATIONS = {"sum", "max", "min", "count", "topk", "by", "on"}
OPERATORS = {"unless", "or", "and", "offset"}
FUNCTIONS = {"rate", "increase", "delta", "absent", "time", "vector", "changes", "sort_desc", "predict_linear"}
KEYWORDS = AGGREGATIONS | OPERATORS | FUNCTIONS | {"histogram_quantile"}
QUESTIONS = ("overview", "requests", "runs", "background", "storage", "telemetry")


def dashboard(uid: str) -> dict[str, Any]:
    """A dashboard as it is committed."""
    read: dict[str, Any] = json.loads((FOLDER / f"{uid}.json").read_text())
    return read


def panels(uid: str) -> list[dict[str, Any]]:
    """Its panels, without the titles of rows."""
    return [panel for panel in dashboard(uid)["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """Every expression of panels, variables and rules."""
    for uid in UIDS:
        yield from (target["expr"] for panel in panels(uid) for target in panel["targets"])
        yield from (v["query"] for v in dashboard(uid)["templating"]["list"] if v["type"] == "query")
        yield from (mark["expr"] for mark in dashboard(uid)["annotations"]["list"])
    yield from (rule.expression for rule in ALERTS)
    yield from (rule.expression for rule in RECORDED)


def test_they_are_what_the_code_says() -> None:
    """`make dashboards` would write nothing."""
    assert not [path.name for path in outdated()]


def test_there_is_one_for_each_question() -> None:
    """Six, in the order in which an operator opens them."""
    assert [f"lightwell-{question}" for question in QUESTIONS] == UIDS


@pytest.mark.parametrize("uid", UIDS)
def test_every_panel_is_complete(uid: str) -> None:
    """Title, description, unit, thresholds, the data source that was chosen, and at least one question."""
    for panel in panels(uid):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"]
        assert len(panel["description"]) > 10, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all(target["expr"] for target in panel["targets"])
        assert panel["targets"], panel["title"]


@pytest.mark.parametrize("uid", UIDS)
def test_ids_and_titles_are_unique_and_nothing_overlaps(uid: str) -> None:
    """Each panel has its own id, title and place."""
    everything = dashboard(uid)["panels"]
    places = [panel["gridPos"] for panel in everything]
    cells = Counter(
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    )

    assert len({panel["id"] for panel in everything}) == len(everything)
    assert len({panel["title"] for panel in panels(uid)}) == len(panels(uid))
    assert not [cell for cell, number in cells.items() if number > 1 or cell[0] >= 24]


@pytest.mark.parametrize("uid", UIDS)
def test_thresholds_ascend(uid: str) -> None:
    """Grafana takes the last step that a value reaches."""
    for panel in panels(uid):
        values = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]]
        assert values == sorted(values), panel["title"]


@pytest.mark.parametrize("uid", UIDS)
def test_variables_choose_source_job_and_instance(uid: str) -> None:
    """And every question heeds job and instance, save for those about alerts."""
    assert [variable["name"] for variable in dashboard(uid)["templating"]["list"]] == VARIABLES
    for panel in panels(uid):
        for target in panel["targets"]:
            for selection in re.findall(r"\{([^{}]*)\}", target["expr"]):
                heeds = 'job=~"$job",instance=~"$instance"' in selection
                assert heeds or "alertname" in selection or selection == "", target["expr"]


def test_links_lead_somewhere() -> None:
    """To a dashboard that exists, to Tempo or to Loki; every dashboard is linked from another, and links to both."""
    linked = set()
    for uid in UIDS:
        urls = [link["url"] for panel in panels(uid) for link in panel["fieldConfig"]["defaults"].get("links", [])]
        there = {match[1] for url in urls if (match := re.match(r"/d/([\w-]+)\?", url))}
        assert all(url.startswith(("/d/", "/explore?")) for url in urls)
        assert there <= set(UIDS)
        assert any("%22uid%22:%22tempo%22" in url for url in urls), uid
        assert any("%22uid%22:%22loki%22" in url for url in urls), uid
        assert dashboard(uid)["links"][0]["tags"] == dashboard(uid)["tags"] == ["lightwell"]
        linked |= there - {uid}
    assert linked >= set(UIDS) - {"lightwell-overview"}


def test_links_name_labels_that_their_questions_have() -> None:
    """A link with the value of a label stands on panels whose questions tell that label apart."""
    for uid in UIDS:
        for panel in panels(uid):
            asked = " ".join(target["expr"] for target in panel["targets"])
            for link in panel["fieldConfig"]["defaults"].get("links", []):
                for name in re.findall(r"__field\.labels\.(\w+)", link["url"]):
                    assert re.search(rf"by \([^)]*\b{name}\b", asked), (uid, panel["title"], name)


def test_histograms_show_exemplars() -> None:
    """Every graph of a histogram's quantiles asks for exemplars."""
    for uid in UIDS:
        for panel in panels(uid):
            for target in panel["targets"]:
                if panel["type"] == "timeseries" and "histogram_quantile" in target["expr"]:
                    assert target["exemplar"] is True, panel["title"]


def test_no_name_is_made_up() -> None:
    """Whatever an expression names is of the vocabulary, a recorded rule, or Prometheus's own."""
    known = {prometheus_name(metric) for metric in METRICS if metric.instrument != "histogram"}
    known |= {
        prometheus_name(metric) + part for metric in METRICS if metric.instrument == "histogram" for part in PARTS
    }
    known |= {rule.name for rule in RECORDED} | OF_PROMETHEUS | KEYWORDS
    labels = {prometheus_label(name) for metric in METRICS for name in metric.attributes}
    labels |= {"le", "job", "instance", "route_class", "alertname", "alertstate", "label_values"}

    for expression in expressions():
        bare = re.sub(r'"[^"]*"|\[[^\]]*\]|\$\w+', " ", expression)
        words = {
            word for word in re.findall(r"[a-zA-Z_:][\w:]*", bare) if not re.fullmatch(r"\d+[smhdy]|[smhdy]", word)
        }
        assert words - known - labels == set(), expression


def test_labels_are_those_of_the_metric() -> None:
    """A question selects, and tells apart, by attributes that the vocabulary gives its metric."""
    attributes = {
        f"{prometheus_name(metric)}{part}": {prometheus_label(name) for name in metric.attributes}
        for metric in METRICS
        for part in (PARTS if metric.instrument == "histogram" else ("",))
    }
    for expression in expressions():
        for name, selection in re.findall(r"\b([a-z_]{4,})\{([^{}]*)\}", expression):
            if name in attributes:
                used = set(re.findall(r'(\w+)(?:=~|!~|!=|=)"', selection)) - {"job", "instance"}
                assert used <= attributes[name], expression
