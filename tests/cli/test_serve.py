"""`lightwell serve` as an operator runs it: from the banner to the clean end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.postgres import PostgresServer

PATIENCE = 60.0


@contextmanager
def serving(home: Path, *options: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server on a port of its own choice; gives what it has printed once it can be asked."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LIGHTWELL_", "PREFECT_", "OTEL_"))}
    output = home / "output"
    with output.open("wb") as out, (home / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "lightwell", "serve", "--port", "0", *options],
            env={**inherited, "LIGHTWELL_HOME": str(home), **environment},
            stdout=out,
            stderr=errors,
        )
    try:
        yield printed(output, process), process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def printed(output: Path, process: subprocess.Popen[bytes]) -> str:
    """The banner, when it is there."""
    deadline = time.monotonic() + PATIENCE
    while "Client" not in (text := output.read_text()):
        assert process.poll() is None, (output.parent / "errors").read_text()
        assert time.monotonic() < deadline, "no banner in time"
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    return text


def address(banner: str) -> str:
    """The API's address, as the banner has it for clients."""
    found = re.search(r"PREFECT_API_URL=(\S+)", banner)
    assert found is not None
    return found[1]


def test_the_banner_says_where_everything_is(tmp_path: Path) -> None:
    """Its addresses answer as soon as it is printed, and the data lies where it says."""
    with serving(tmp_path) as (banner, _):
        api = address(banner)
        page = httpx.get(api.removesuffix("/api"), timeout=PATIENCE)
        assert httpx.get(f"{api}/ready", timeout=PATIENCE).status_code == 200

    assert page.headers["content-type"].startswith("text/html")
    assert f"sqlite:///{tmp_path}/lightwell.sqlite3" in banner
    assert (tmp_path / "lightwell.sqlite3").exists()


def test_the_api_can_be_served_alone(tmp_path: Path) -> None:
    """`--no-ui` leaves the page out, of the server and of the banner."""
    with serving(tmp_path, "--no-ui") as (banner, _):
        status = httpx.get(address(banner).removesuffix("/api") + "/", timeout=PATIENCE).status_code

    assert status == 404
    assert "Pages" not in banner


def test_a_log_line_is_one_json_object(tmp_path: Path) -> None:
    """Logs go to standard error, the banner to standard output."""
    with serving(tmp_path, "--log-format", "json") as (banner, _):
        httpx.get(f"{address(banner)}/hello", timeout=PATIENCE)
    lines = (tmp_path / "errors").read_text().splitlines()

    assert lines
    assert all(line.startswith("{") and line.endswith("}") for line in lines)


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, wanted: signal.Signals) -> None:
    """Within its deadline, without a stack on standard error, and with its database closed."""
    with serving(tmp_path, "--log-format", "json") as (banner, process):
        assert httpx.get(f"{address(banner)}/ready", timeout=PATIENCE).status_code == 200
        process.send_signal(wanted)
        process.wait(PATIENCE)

    assert process.returncode in {0, -wanted}
    assert "Traceback" not in (tmp_path / "errors").read_text()
    assert not (tmp_path / "lightwell.sqlite3-wal").exists()


def test_several_workers_share_a_database(tmp_path: Path, postgres: PostgresServer) -> None:
    """They listen on one port and are one server to a client."""
    url = postgres.create_database()
    with serving(tmp_path, "--workers", "2", LIGHTWELL_DATABASE_URL=url) as (banner, _):
        api = address(banner)
        ready = httpx.get(f"{api}/ready", timeout=PATIENCE)
        made, *again = [httpx.post(f"{api}/flows/", json={"name": "shared"}, timeout=PATIENCE) for _ in range(9)]

    assert ready.status_code == 200
    assert made.status_code == 201
    assert {answer.json()["id"] for answer in again} == {made.json()["id"]}
