"""Prometheus's own programs, as Debian's package `prometheus` brings them: run with what a test gives them."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.serving import free_port, stop
from tools.dashboards.generate import FOLDER

JOB = "lightwell"
_START_SECONDS = 30.0
_PAUSE_SECONDS = 0.1


def promtool(*arguments: str | Path, given: str | None = None) -> str:
    """What promtool printed; AssertionError with it where promtool is not content."""
    ran = subprocess.run(["promtool", *map(str, arguments)], input=given, capture_output=True, text=True, check=False)
    printed = ran.stdout + ran.stderr
    assert ran.returncode == 0, printed
    return printed


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that runs, with the alert rules loaded, and scrapes one server every second."""

    client: httpx.Client

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The samples that answer an expression now; AssertionError where it cannot be evaluated."""
        answer = self._get("query", query=expression)
        samples: list[dict[str, Any]] = answer["result"]
        if answer["resultType"] != "vector":
            samples = [{"metric": {}, "value": answer["result"]}]
        return samples

    def values(self, expression: str) -> list[float]:
        """The values of these samples that are numbers."""
        values = [float(sample["value"][1]) for sample in self.ask(expression)]
        return [value for value in values if value == value]  # noqa: PLR0124 -- NaN is no number

    def label_values(self, label: str, selection: str) -> list[str]:
        """The values of a label among the series of a selection, as Grafana asks for them."""
        found: list[str] = self._get(f"label/{label}/values", **{"match[]": selection})
        return found

    def exemplars(self, selection: str) -> list[dict[str, str]]:
        """The labels of the exemplars of a selection."""
        now = time.time()
        found = self._get("query_exemplars", query=selection, start=str(now - 600), end=str(now + 1))
        return [exemplar["labels"] for series in found for exemplar in series["exemplars"]]

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, with how its last evaluation went."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def _get(self, path: str, **parameters: str) -> Any:
        response = self.client.get(f"/api/v1/{path}", params=parameters)
        body = response.json()
        assert body["status"] == "success", (parameters, body)
        return body["data"]


@contextmanager
def scraping(address: str, home: Path) -> Iterator[Prometheus]:
    """A Prometheus with its data under `home` that scrapes the server at `address` (HOST:PORT)."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(FOLDER / "alerts.yaml")],
        "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": [address]}]}],
    }
    written = home / "prometheus.yml"
    written.write_text(yaml.safe_dump(configuration))
    promtool("check", "config", written)
    command = ["prometheus", f"--config.file={written}", f"--storage.tsdb.path={home / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage", "--log.level=warn"]
    with (home / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            _await_ready(client, process, home / "prometheus.log")
            yield Prometheus(client)
    finally:
        stop(process)


def _await_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if client.get("/-/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError(log.read_text())
