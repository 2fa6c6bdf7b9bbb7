"""`/metrics` of servers as an operator runs them: on a port of its own, and of several workers as of one."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.postgres import PostgresServer
from tests.serving import Serving, free_port, lightwell_server

_PATIENCE = 90.0
_REQUESTS = 60
_COUNT = "http_server_request_duration_seconds_count"


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.05)


def _url(server: Serving) -> str:
    return server.api_url.removesuffix("/api") + "/metrics"


def _values(text: str, *kinds: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, or those of these kinds, by its name and labels."""
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        if not kinds or family.type in kinds
        for one in family.samples
    }


def _served(text: str, route: str) -> float:
    """How many requests to this route were counted."""
    return sum(
        value for (name, labels), value in _values(text).items() if name == _COUNT and ("http_route", route) in labels
    )


def _counters(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What must never go back."""
    return _values(text, "counter", "histogram")


@contextmanager
def _workers(home: Path, postgres: PostgresServer, **settings: str) -> Iterator[tuple[Serving, Path]]:
    """A server of two workers, and the directory for its temporary files."""
    temporary = home / "temporary"
    temporary.mkdir(parents=True)
    chosen = {
        "LIGHTWELL_DATABASE_URL": postgres.create_database(),
        "LIGHTWELL_LISTEN_WORKERS": "2",
        "TMPDIR": str(temporary),
    }
    with lightwell_server(home, chosen | settings) as server:
        _until(lambda: len(_processes(server)) == 2)
        yield server, temporary


def _processes(server: Serving) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(server.process.pid).children():
        try:
            if any("spawn_main" in argument for argument in child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


@contextmanager
def _client_of(server: Serving, worker: psutil.Process) -> Iterator[httpx.Client]:
    """A client whose connection this worker serves."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        assert time.monotonic() < deadline, "no connection to the worker"
        with httpx.Client(timeout=_PATIENCE) as client:
            answer = client.get(f"{server.api_url}/hello")
            port: int = answer.extensions["network_stream"].get_extra_info("client_addr")[1]
            if port in {getattr(one.raddr, "port", None) for one in worker.net_connections("tcp")}:
                yield client
                return


def _ask(server: Serving, times: int) -> None:
    """Requests on connections of their own, so that all workers get some."""
    with httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), timeout=_PATIENCE) as client:
        for _ in range(times):
            assert client.get(f"{server.api_url}/csrf-token", params={"client": "x"}).status_code in {200, 422}


def test_workers_are_one_server_to_prometheus(tmp_path: Path, postgres: PostgresServer) -> None:
    """Whichever is asked answers for both: the same sums, and nothing that tells one from the other."""
    with _workers(tmp_path, postgres) as (server, _):
        _ask(server, _REQUESTS)
        route = "/api/csrf-token"
        first, second = _processes(server)
        with _client_of(server, first) as one, _client_of(server, second) as other:
            for client in (one, other):
                _until(lambda client=client: _served(client.get(_url(server)).text, route) == _REQUESTS)  # type: ignore[misc]
            texts = [client.get(_url(server)).text for client in (one, other)]

    (about,) = {re.findall("^target_info.*$", text, re.MULTILINE)[0] for text in texts}
    assert "process_pid" not in about
    assert "service_instance_id" in about
    live = [value for (name, _), value in _values(texts[0]).items() if name == "lightwell_app_cache_live"]
    assert live == [2.0]


def test_counters_do_not_go_back_when_a_worker_is_killed(tmp_path: Path, postgres: PostgresServer) -> None:
    """What the dead one had counted stays counted, and its gauges go; the one that takes its place counts on."""
    with _workers(tmp_path, postgres) as (server, _):
        _ask(server, _REQUESTS)
        doomed, other = _processes(server)
        with _client_of(server, other) as client:
            _until(lambda: _served(client.get(_url(server)).text, "/api/csrf-token") == _REQUESTS)
            before = client.get(_url(server)).text
            doomed.kill()
            seen = [before]

            def is_replaced() -> bool:
                seen.append(client.get(_url(server)).text)
                return len([one for one in _processes(server) if one != doomed]) == 2

            _until(is_replaced)
            _ask(server, _REQUESTS)

            def is_counted() -> bool:
                seen.append(client.get(_url(server)).text)
                return _served(seen[-1], "/api/csrf-token") >= 2 * _REQUESTS

            _until(is_counted)
        (new,) = [one for one in _processes(server) if one not in {doomed, other}]
        with _client_of(server, new) as client:
            seen.append(client.get(_url(server)).text)

    assert _served(seen[-1], "/api/csrf-token") == 2 * _REQUESTS
    for earlier, later in pairwise(seen):
        now = _counters(later)
        assert [key for key, value in _counters(earlier).items() if now.get(key, 0.0) < value] == []
    live = [value for (name, _), value in _values(seen[-1]).items() if name == "lightwell_app_cache_live"]
    assert live == [2.0]


def test_nothing_is_left_behind(tmp_path: Path, postgres: PostgresServer) -> None:
    """The directory between the workers is private, gone at the end, and one of a killed server is cleared away."""
    temporary = tmp_path / "temporary"
    with _workers(tmp_path, postgres) as (server, _):
        (spool,) = temporary.glob("lightwell-metrics-*")
        assert spool.stat().st_mode & 0o077 == 0
        children = _processes(server)
        server.process.kill()
        for child in children:
            child.kill()
        psutil.wait_procs(children, _PATIENCE)
    assert spool.exists()

    settings = {
        "LIGHTWELL_DATABASE_URL": postgres.create_database(),
        "LIGHTWELL_LISTEN_WORKERS": "2",
        "TMPDIR": str(temporary),
    }
    with lightwell_server(tmp_path / "next", settings):
        assert not spool.exists()
        assert len(list(temporary.glob("lightwell-metrics-*"))) == 1
    assert list(temporary.glob("lightwell-metrics-*")) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_of_its_own(tmp_path: Path, postgres: PostgresServer, workers: int) -> None:
    """Metrics are there, open to whoever reaches it, and nothing else; the API's port has none. Whoever asks."""
    port = free_port()
    settings = {"LIGHTWELL_TELEMETRY_METRICS_PORT": str(port), "LIGHTWELL_API_AUTH_STRING": "ops:secret"}
    with _workers(tmp_path, postgres, **settings) if workers > 1 else _alone(tmp_path, settings) as (server, _):
        _ask_with_password(server, _REQUESTS)
        own = f"http://127.0.0.1:{port}"

        def all_are_counted() -> bool:
            return _served(httpx.get(f"{own}/metrics").text, "/api/hello") >= _REQUESTS

        _until(all_are_counted)
        elsewhere = httpx.get(f"{own}/api/hello")
        refused = httpx.post(f"{own}/metrics")
        on_the_main_port = httpx.get(_url(server), auth=("ops", "secret"))

    assert (elsewhere.status_code, refused.status_code, on_the_main_port.status_code) == (404, 405, 404)


@contextmanager
def _alone(home: Path, settings: dict[str, str]) -> Iterator[tuple[Serving, Path]]:
    with lightwell_server(home, settings) as server:
        yield server, home


def _ask_with_password(server: Serving, times: int) -> None:
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(limits=limits, timeout=_PATIENCE, auth=("ops", "secret")) as client:
        for _ in range(times):
            assert client.get(f"{server.api_url}/hello").status_code == 200


def test_a_busy_port_is_told_in_a_line(tmp_path: Path) -> None:
    """The server does not start, and says which variable to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(AssertionError) as failure,
            lightwell_server(tmp_path, {"LIGHTWELL_TELEMETRY_METRICS_PORT": str(port)}),
        ):
            pass

    (line,) = failure.value.__notes__
    assert f"lightwell: Port {port} of 127.0.0.1 is in use" in line
    assert "LIGHTWELL_TELEMETRY_METRICS_PORT" in line
