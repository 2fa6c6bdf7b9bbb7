"""`/metrics` as Prometheus reads it: names, types, both formats, exemplars, credentials, and nothing told of itself."""

import asyncio
import base64
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from lightwell.instrumentation import metrics
from lightwell.instrumentation.vocabulary import METRICS, prometheus_name
from lightwell.server import create_app
from lightwell.settings import ApiSettings, Settings, TelemetrySettings
from tests.signals.stage import Stage, staged

parse_openmetrics: Callable[[str], Iterator[Family]] = openmetrics_parser.text_string_to_metric_families
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}
_AUTH = "ops:secret"
_KINDS = {"histogram": "histogram", "counter": "counter", "gauge": "gauge", "updowncounter": "gauge"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The real application, whose metrics can be read and every trace of which is kept."""
    async with staged(tmp_path, scraped=True) as opened:
        yield opened
    metrics.bind(None)


async def _work(stage: Stage) -> str:
    """Some requests of all kinds; the trace id of one that changed something."""
    run = await stage.make_run(state={"type": "SCHEDULED"})
    response = await stage.client.post(f"/api/flow_runs/{run}/set_state", json={"state": {"type": "PENDING"}})
    await stage.client.get("/api/flow_runs/01890a5d-ac96-774b-bcce-b302099a8057")
    await stage.client.get("/nowhere")
    await stage.client.post("/api/flows/", content="{")
    return str(response.headers["x-trace-id"])


async def _families(stage: Stage, **headers: str) -> dict[str, Family]:
    response = await stage.client.get("/metrics", headers=headers)
    assert response.status_code == 200
    parse = parse_openmetrics if "openmetrics" in response.headers["content-type"] else parse_plain
    return {family.name: family for family in parse(response.text)}


def _value(families: Iterable[Family], sample: str, **labels: str) -> float:
    """The sum of all samples of this name whose labels include these."""
    return sum(
        one.value
        for family in families
        for one in family.samples
        if one.name == sample and labels.items() <= one.labels.items()
    )


async def test_it_has_every_metric_by_its_documented_name(stage: Stage) -> None:
    """What comes out is what docs/telemetry.md promises: name, type, meaning; and says who speaks."""
    await _work(stage)
    text = (await stage.client.get("/metrics")).text

    declared = {prometheus_name(metric): metric for metric in METRICS}
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert kinds.keys() == helps.keys() <= {*declared, "target_info"}
    assert {"http_server_request_duration_seconds", "lightwell_run_transitions_total", "target_info"} <= kinds.keys()
    for name in kinds.keys() - {"target_info"}:
        assert (kinds[name], helps[name]) == (_KINDS[declared[name].instrument], declared[name].description)
    assert 'service_name="lightwell"' in text
    (requests,) = [one for one in parse_plain(text) if one.name == "http_server_request_duration_seconds"]
    served = {one.labels.get("http_route") for one in requests.samples}
    assert {"/api/flow_runs/{id}/set_state", None} <= served


async def test_promtool_is_content(stage: Stage) -> None:
    """Prometheus's own linter finds nothing to say."""
    await _work(stage)
    text = (await stage.client.get("/metrics")).text
    # OpenTelemetry calls them so, and so do collectors; promtool would have `_count` for histograms alone.
    theirs = re.compile("^(# (HELP|TYPE) )?process_(thread|open_file_descriptor)_count.*\n", re.MULTILINE)

    lint = ["promtool", "check", "metrics"]
    done = await asyncio.to_thread(
        subprocess.run, lint, input=theirs.sub("", text), text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


async def test_both_formats_say_the_same(stage: Stage) -> None:
    """OpenMetrics for those who ask for it, Prometheus's own format for the others; each by its strict parser."""
    await _work(stage)
    plain = await stage.client.get("/metrics")
    openmetrics = await stage.client.get("/metrics", headers=OPENMETRICS)

    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert openmetrics.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert openmetrics.text.endswith("# EOF\n")
    one, other = list(parse_plain(plain.text)), list(parse_openmetrics(openmetrics.text))
    for sample in ("lightwell_run_transitions_total", "lightwell_facts_total"):
        assert _value(one, sample) == _value(other, sample) > 0
    moves = {"sample": "http_server_request_duration_seconds_count", "http_route": "/api/flow_runs/{id}/set_state"}
    assert _value(one, **moves) == _value(other, **moves) > 0
    assert {family.name: family.unit for family in other}["http_server_request_duration_seconds"] == "seconds"


async def test_counts_are_right_and_grow(stage: Stage) -> None:
    """A request more is one more in its series, in its bucket and in all that are wider."""
    path = "/api/flow_runs/{id}/set_state"
    name = "http_server_request_duration_seconds"
    before = _value((await _families(stage)).values(), f"{name}_count", http_route=path)
    await _work(stage)
    families = (await _families(stage)).values()

    assert before == 0
    assert _value(families, f"{name}_count", http_route=path) == 1
    assert _value(families, f"{name}_bucket", http_route=path, le="+Inf") == 1
    assert 0 < _value(families, f"{name}_sum", http_route=path) < 60
    counts = [
        one.value
        for family in families
        for one in family.samples
        if one.name == f"{name}_bucket" and one.labels.get("http_route") == path
    ]
    assert counts == sorted(counts)


async def test_an_exemplar_points_at_the_trace(stage: Stage) -> None:
    """In OpenMetrics, for as long as no later one takes its place in the bucket; Prometheus's own format has none."""
    trace_id = await _work(stage)
    name = "http_server_request_duration_seconds"
    for _ in range(2):  # the SDK gives each exemplar away once
        families = await _families(stage, **OPENMETRICS)
        (found,) = [
            one.exemplar
            for one in families[name].samples
            if one.exemplar and one.labels.get("http_route") == "/api/flow_runs/{id}/set_state"
        ]
        assert found.labels["trace_id"] == trace_id
        assert re.fullmatch("[0-9a-f]{16}", found.labels["span_id"])
        assert found.timestamp is not None
    assert trace_id not in (await stage.client.get("/metrics")).text


async def test_a_trace_that_is_not_kept_is_no_exemplar(tmp_path: Path) -> None:
    """Where nothing is kept, nothing points at a trace."""
    async with staged(tmp_path, ratio=0.0, scraped=True) as stage:
        await _work(stage)
        text = (await stage.client.get("/metrics", headers=OPENMETRICS)).text
    metrics.bind(None)

    assert "trace_id" not in text


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text; version=0.0.1", True),
        ('application/openmetrics-text; version="1.0.0"; charset=utf-8', True),
        ("application/openmetrics-text; version=2.0.0, text/plain;q=0.1", False),
        ("application/openmetrics-text;q=0, text/plain", False),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.5", False),
        ("application/openmetrics-text;q=nonsense", False),
        ("application/vnd.google.protobuf;q=0.6,application/openmetrics-text;q=0.5,text/plain;q=0.3", True),
    ],
)
async def test_the_caller_chooses_the_format(stage: Stage, accept: str, openmetrics: bool) -> None:  # noqa: FBT001 -- a column
    """As `Accept` weighs it; what nobody can write is answered in Prometheus's own format."""
    response = await stage.client.get("/metrics", headers={"Accept": accept})

    assert response.headers["content-type"].startswith("application/openmetrics-text") is openmetrics
    assert "Accept" in response.headers["vary"].split(", ")


async def test_it_is_compressed_and_headed(stage: Stage) -> None:
    """Gzip where it is asked for; HEAD as GET; other methods are refused."""
    gzipped = await stage.client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    headed = await stage.client.head("/metrics")
    refused = await stage.client.post("/metrics")

    assert gzipped.headers["content-encoding"] == "gzip"
    assert gzipped.text.startswith("# HELP")
    assert headed.status_code == 200
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert refused.json() == {"detail": "Method Not Allowed"}


async def test_it_asks_for_the_credentials_of_the_api(tmp_path: Path) -> None:
    """Where the API has an auth string, `/metrics` on its port asks for the same."""
    async with staged(tmp_path, scraped=True, api=ApiSettings(auth_string=_AUTH)) as stage:
        refused = await stage.client.get("/metrics")
        wrong = await stage.client.get("/metrics", headers={"Authorization": "Basic b3BzOm5v"})
        given = {"Authorization": f"Basic {base64.b64encode(_AUTH.encode()).decode()}"}
        passed = await stage.client.get("/metrics", headers=given)
    metrics.bind(None)

    assert [refused.status_code, wrong.status_code, passed.status_code] == [401, 401, 200]
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert "lightwell_" not in refused.text


@pytest.mark.parametrize("telemetry", [{"metrics": False}, {"metrics_port": 9464}])
async def test_it_can_be_absent(tmp_path: Path, telemetry: dict[str, Any]) -> None:
    """It is not on the API's port where it is off, or has a port of its own."""
    async with staged(tmp_path, scraped=True, telemetry=TelemetrySettings(**telemetry)) as stage:
        response = await stage.client.get("/metrics")
    metrics.bind(None)

    assert response.status_code == 404


async def test_an_ephemeral_server_has_none(tmp_path: Path) -> None:
    """A client's own short server is nobody's to watch."""
    app = create_app(Settings(home=tmp_path), ignore_cache=True, ephemeral=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ephemeral") as client:
        response = await client.get("/metrics")

    assert response.status_code == 404


async def test_a_healthy_scrape_is_no_trace(stage: Stage) -> None:
    """Not even where everything is kept, or the scraper traces itself."""
    stage.telemetry.flush(5.0)
    stage.exporter.clear()
    for _ in range(3):
        assert (await stage.client.get("/metrics")).status_code == 200
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await stage.client.get("/metrics", headers={"traceparent": parent})
    stage.telemetry.flush(5.0)

    assert "GET /metrics" not in {span.name for span in stage.exporter.get_finished_spans()}


async def test_many_scrapers_at_once_are_served(stage: Stage) -> None:
    """Each gets a whole answer, one after the other."""
    texts = await asyncio.gather(*(stage.client.get("/metrics", headers=OPENMETRICS) for _ in range(8)))

    assert all(one.text.endswith("# EOF\n") for one in texts)
