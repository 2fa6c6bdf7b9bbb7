"""The project's file is one that collectors run: this binary, and the stock image of the same version."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.collector.real import CONFIGURATION, PORTS, TO_FILES, TOP, Collector, collecting

pytestmark = pytest.mark.timeout(1800)

MANIFEST = TOP / "tools" / "otelcol" / "manifest.yaml"


def read(path: Path) -> dict[str, Any]:
    """What a YAML file holds."""
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def test_the_file_is_valid(otelcol: Path) -> None:
    """`validate` says nothing, with nothing in the environment: every variable has a default."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL", "TEMPO", "LOKI"))}
    command: list[str | Path] = [otelcol, "validate", "--config", CONFIGURATION]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr + ended.stdout) == (0, "")


def test_the_file_is_valid_in_its_container(otelcol: Path) -> None:
    """With the environment that compose.yaml gives it."""
    environment = {"PATH": os.environ["PATH"], **read(TOP / "compose.yaml")["services"]["collector"]["environment"]}
    command: list[str | Path] = [otelcol, "validate", "--config", CONFIGURATION]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_one_more_file_goes_on_top(otelcol: Path) -> None:
    """As the documents say: a second `--config` overrides, be it a file or a line."""
    line = "yaml:exporters::otlp_grpc/tempo::headers: {x-scope: one}"
    command: list[str | Path] = [otelcol, "validate", "--config", CONFIGURATION, "--config", line]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr


def test_it_starts_without_a_complaint(otelcol: Path, tmp_path: Path) -> None:
    """No warning of a deprecated name or of a default that will change, and nothing is refused at the end."""
    with collecting(otelcol, tmp_path) as collector:
        assert "otelcol_process_uptime" in collector.own_page()
    complaints = [line for line in collector.told().splitlines() if re.search(r'"level":"(warn|error|fatal)"', line)]

    assert not complaints


def test_the_manifest_names_what_the_file_uses() -> None:
    """Nothing more is built than what is used here or by the tests, all of one version, pinned."""
    manifest = read(MANIFEST)
    modules = [entry["gomod"].split() for kind in manifest.values() if isinstance(kind, list) for entry in kind]
    versions = {version for module, version in modules if "/confmap/" not in module}

    assert versions == {f"v{manifest['dist']['version']}"}
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", version) for _, version in modules)
    for section, kind in (("processors", "processor"), ("connectors", "connector"), ("receivers", "receiver")):
        used = {name.partition("/")[0].replace("_", "") for name in read(CONFIGURATION)[section]}
        built = {module.rpartition("/")[2].removesuffix(kind) for module, _ in modules if f"/{kind}/" in module}
        assert used == built


def test_every_part_is_in_a_pipeline() -> None:
    """What is set up is used."""
    file = read(CONFIGURATION)
    pipelines = file["service"]["pipelines"].values()
    for section in ("receivers", "processors", "exporters"):
        used = {name for pipeline in pipelines for name in pipeline.get(section, ())}
        assert used - set(file["connectors"]) == set(file[section])
    assert set(file["service"]["extensions"]) == set(file["extensions"])


def test_the_memory_limiter_is_first() -> None:
    """Whatever comes in from outside passes it before anything else holds it."""
    pipelines = [one for one in read(CONFIGURATION)["service"]["pipelines"].values() if "otlp" in one["receivers"]]

    assert len(pipelines) == 3
    assert {pipeline["processors"][0] for pipeline in pipelines} == {"memory_limiter"}


def test_every_variable_is_explained() -> None:
    """The head of the file lists what the environment may set, with the defaults that the file has."""
    text = CONFIGURATION.read_text()
    head = text[: text.index("receivers:")]
    used = set(re.findall(r"\$\{env:([A-Z_]+):-([^}]*)\}", text))

    assert used
    for name, default in used:
        assert re.search(rf"^#   {name} +{re.escape(default)} ", head, re.MULTILINE), name
    assert "${env:" not in re.sub(r"\$\{env:[A-Z_]+:-[^}]*\}", "", text)


def test_the_tests_change_places_and_times_alone() -> None:
    """What is laid over the project's file neither adds nor removes a processor or a policy."""
    for path in (PORTS, TO_FILES):
        laid_over = read(path)
        assert set(laid_over.get("processors", {})) <= {"tail_sampling", "batch"}
        assert "policies" not in laid_over.get("processors", {}).get("tail_sampling", {})
        assert not [one for one in laid_over["service"].get("pipelines", {}).values() if set(one) != {"exporters"}]


def test_it_is_small_and_quick(otelcol: Path, tmp_path: Path) -> None:
    """Ready within seconds, and modest: the limit that the file sets leaves room for data."""
    collector = Collector(otelcol, tmp_path)
    try:
        assert collector.start() < 20
        assert collector.process is not None
        status = Path(f"/proc/{collector.process.pid}/status").read_text()
        resident = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        assert resident is not None
        assert int(resident[1]) < 250_000
    finally:
        collector.stop()
