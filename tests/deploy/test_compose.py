"""compose.yaml holds together: there is no container engine here, so its parts are held against each other.

Images are pinned, what is mounted exists, every address names a service that listens there, and each program's own
checker accepts its file where there is one.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from lightwell.settings import load
from tests.collector.real import CONFIGURATION, TOP

Service = dict[str, Any]


def read(path: str) -> Any:
    """What a YAML file of the project holds."""
    return yaml.safe_load((TOP / path).read_text())


COMPOSE = read("compose.yaml")
SERVICES: dict[str, Service] = COMPOSE["services"]
SOURCES = read("dashboards/provisioning/datasources/lightwell.yaml")["datasources"]
LISTENS = {
    "postgres": {5432},
    "server": {4200},
    "collector": {int(port) for port in re.findall(r"\}:(\d+)$", CONFIGURATION.read_text(), re.MULTILINE)} | {8888},
    "prometheus": {9090},
    "tempo": {3200, 4317},
    "loki": {3100},
    "grafana": {3000},
}
"""The ports inside each container."""


def mounts(service: Service) -> Iterator[tuple[str, str]]:
    """Source and target of each volume; a source that begins with a dot is a path of the project."""
    for volume in service.get("volumes", ()):
        source, target = volume.removesuffix(":ro").split(":")
        yield source, target


def test_images_are_pinned() -> None:
    """A version of three parts, or two where there are no more; never a moving tag."""
    images = {name: service["image"] for name, service in SERVICES.items() if "build" not in service}

    assert not [image for image in images.values() if not re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", image)]


def test_the_collector_is_the_one_that_is_tested() -> None:
    """The stock image has the version of the manifest that the tests build."""
    version = read("tools/otelcol/manifest.yaml")["dist"]["version"]

    assert SERVICES["collector"]["image"] == f"otel/opentelemetry-collector-contrib:{version}"


def test_what_is_mounted_exists() -> None:
    """Files and directories of the project are in the repository; volumes are declared, and none is left over."""
    sources = [source for service in SERVICES.values() for source, _ in mounts(service)]
    tracked = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True).stdout.split()

    for source in (one.removeprefix("./") for one in sources if one.startswith(".")):
        assert [path for path in tracked if path == source or path.startswith(f"{source}/")], source
    assert {source for source in sources if not source.startswith(".")} == set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", SERVICES)
def test_no_two_things_are_in_one_place(name: str) -> None:
    """Targets of mounts are absolute and differ; what comes from the project is mounted to be read."""
    service = SERVICES[name]
    targets = [target for _, target in mounts(service)]

    assert all(target.startswith("/") for target in targets)
    assert len(set(targets)) == len(targets)
    assert not [
        volume for volume in service.get("volumes", ()) if volume.startswith(".") and not volume.endswith(":ro")
    ]


def test_ports_do_not_clash_and_stay_here() -> None:
    """Each is published once, on the loopback interface, and its service listens on it."""
    published = [(name, port) for name, service in SERVICES.items() for port in service.get("ports", ())]
    parts = [(name, *port.split(":")) for name, port in published]

    assert len({outside for _, _, outside, _ in parts}) == len(parts)
    assert {address for _, address, _, _ in parts} == {"127.0.0.1"}
    assert not [port for name, _, _, port in parts if int(port) not in LISTENS[name]]


def test_whoever_is_waited_for_can_be() -> None:
    """Dependencies exist, and have a health check where their health is waited for."""
    for service in SERVICES.values():
        for name, wait in service.get("depends_on", {}).items():
            other = SERVICES[name]
            assert wait["condition"] != "service_healthy" or "healthcheck" in other
            assert ("restart" not in other) == (wait["condition"] == "service_completed_successfully")


def test_everything_that_runs_is_checked() -> None:
    """Save for the collector, whose image holds nothing to check it with; the server's check is in its image."""
    unchecked = {name for name, service in SERVICES.items() if "restart" in service and "healthcheck" not in service}

    assert unchecked == {"collector", "server"}
    assert "HEALTHCHECK" in (TOP / "Dockerfile").read_text()


def test_addresses_lead_to_somebody_who_listens() -> None:
    """Whatever names a service by host and port, in any of the files."""
    scrapes = [
        target
        for job in read("deploy/prometheus.yaml")["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    ]
    variables = [value for service in SERVICES.values() for value in service.get("environment", {}).values()]
    urls = [source["url"] for source in SOURCES]
    found = [
        (parts.hostname, parts.port or 5432)
        for text in (*scrapes, *variables, *urls)
        if (parts := urlsplit(text if "//" in text else f"//{text}")).hostname in LISTENS
    ]

    assert len(found) == len(scrapes) - 1 + len(urls) + 4
    assert not [(host, port) for host, port in found if port not in LISTENS[str(host)]]


def test_the_servers_variables_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown ones would stop its start; so would values that are none."""
    for name in [name for name in os.environ if name.startswith(("LIGHTWELL_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    image = dict(re.findall(r"(LIGHTWELL_\w+)=(\S+)", (TOP / "Dockerfile").read_text()))
    for name, value in (image | SERVICES["server"]["environment"]).items():
        monkeypatch.setenv(name, value)
    settings = load()

    assert (settings.listen.host, settings.listen.port) == ("0.0.0.0", 4200)  # noqa: S104 -- inside a container


def test_the_collectors_variables_are_its_files() -> None:
    """Each is one that otel-collector.yaml reads."""
    known = set(re.findall(r"\$\{env:([A-Z_]+)", CONFIGURATION.read_text()))

    assert set(SERVICES["collector"]["environment"]) <= known


def test_prometheus_accepts_its_file_as_it_is_there(tmp_path: Path) -> None:
    """With the rules where its container has them."""
    targets = {target: tmp_path / target.lstrip("/") for _, target in mounts(SERVICES["prometheus"])}
    for source, target in mounts(SERVICES["prometheus"]):
        if source.startswith("."):
            targets[target].parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (TOP / source).is_dir() else shutil.copy)(TOP / source, targets[target])
    file = targets["/etc/prometheus/prometheus.yaml"]
    ended = subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert list((file.parent / "rules").glob("*.yaml"))
    assert len(re.findall(r"SUCCESS: [1-9]\d* rules found", ended.stdout)) == 2


def test_scraping_keeps_what_the_server_calls_itself() -> None:
    """`job` and `instance` of the collector's page are the server's; those of others are theirs."""
    jobs = {job["job_name"]: job for job in read("deploy/prometheus.yaml")["scrape_configs"]}

    assert {name for name, job in jobs.items() if job.get("honor_labels")} == {"lightwell-signals"}
    assert jobs["lightwell-signals"]["static_configs"] == [{"targets": ["collector:8889"]}]


def _uids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, content in value.items():
            if name in {"datasourceUid", "datasource"} and isinstance(content, str):
                yield content
            elif name == "datasource" and isinstance(content, dict) and "uid" in content:
                yield content["uid"]
            yield from _uids(content)
    elif isinstance(value, list):
        for content in value:
            yield from _uids(content)


def test_data_sources_are_found_by_their_uids() -> None:
    """Data sources and dashboards name no other than those that are provisioned, or a variable."""
    uids = {source["uid"] for source in SOURCES}
    dashboards = [yaml.safe_load(path.read_text()) for path in sorted((TOP / "dashboards").glob("*.json"))]

    assert dashboards
    assert uids == {"prometheus", "tempo", "loki"} == {source["type"] for source in SOURCES}
    assert {uid for uid in _uids([SOURCES, dashboards]) if "$" not in uid} <= uids | {"-- Grafana --", "grafana"}
    assert [source["name"] for source in SOURCES if source.get("isDefault")] == ["Prometheus"]


def test_dashboards_are_where_grafana_looks() -> None:
    """The provider's path and the home page are below what is mounted."""
    here = {target: source for source, target in mounts(SERVICES["grafana"])}
    (provider,) = read("dashboards/provisioning/dashboards/lightwell.yaml")["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert here[provider["options"]["path"]] == "./dashboards"
    assert (TOP / "dashboards" / Path(home).relative_to(provider["options"]["path"])).is_file()
    assert {"datasources", "dashboards"} <= {path.name for path in (TOP / here["/etc/grafana/provisioning"]).iterdir()}


@pytest.mark.parametrize("name", ["tempo", "loki"])
def test_stores_keep_what_they_have_on_their_volume(name: str) -> None:
    """Every path of their files lies on what outlives the container; and they report home to nobody."""
    text = (TOP / "deploy" / f"{name}.yaml").read_text()
    (volume,) = (target for source, target in mounts(SERVICES[name]) if not source.startswith("."))
    paths = re.findall(r": (/\S+)", text)

    assert paths
    assert not [path for path in paths if not (path == volume or path.startswith(f"{volume}/"))]
    assert "reporting_enabled: false" in text


def test_the_image_is_built_from_what_is_let_through() -> None:
    """Every source of a COPY passes .dockerignore, and the server does not run as root."""
    text = (TOP / "Dockerfile").read_text()
    let_through = {line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for source in line.split()[:-1]
    }

    assert {source.partition("/")[0] for source in copied} == let_through
    assert all((TOP / source).exists() for source in copied)
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE) == ["10001"]
    assert len(set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))) == 1
