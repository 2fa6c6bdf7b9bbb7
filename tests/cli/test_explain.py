"""`lightwell explain` as it is typed, asking a server that runs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.serving import Serving, lightwell_server

PASSWORD = "admin:hunter2"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server."""
    settings = {"LIGHTWELL_LOOPS_LATE_RUNS_PERIOD": "100ms"}
    with lightwell_server(tmp_path_factory.mktemp("explained"), settings) as running:
        yield running


def explain(url: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type the command."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LIGHTWELL_", "PREFECT_", "OTEL_"))}
    return subprocess.run(
        [sys.executable, "-m", "lightwell", "explain", *arguments],
        env={**inherited, "LIGHTWELL_API_URL": url, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def make_run(client: httpx.Client, name: str, **members: Any) -> str:
    """A flow run; its id."""
    flow = client.post("/flows/", json={"name": "nightly"}).raise_for_status().json()
    made = client.post("/flow_runs/", json={"flow_id": flow["id"], "name": name, **members})
    run: str = made.raise_for_status().json()["id"]
    return run


def set_state(client: httpx.Client, run: str, kind: str, **state: Any) -> str:
    """Propose a state; the trace of that."""
    answer = client.post(f"/flow_runs/{run}/set_state", json={"state": {"type": kind, **state}}).raise_for_status()
    trace: str = answer.headers["x-trace-id"]
    return trace


def test_a_run_by_its_name_and_by_its_id(server: Serving) -> None:
    """The headline first, then the reasons with what they rest on, then the states, each with its trace."""
    with httpx.Client(base_url=server.api_url) as client:
        run = make_run(client, "retried-rhino", empirical_policy={"retries": 1, "retry_delay": 900})
        set_state(client, run, "RUNNING")
        trace = set_state(client, run, "FAILED", message="ValueError: no good\nand more")
        refused = [set_state(client, run, "RUNNING") for _ in range(2)]

    done = explain(server.api_url, "retried-rhino")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].startswith("retried-rhino is AwaitingRetry: it failed and waits for a retry: attempt 2 of 2 starts")
    assert lines[1] == f"  flow run {run}  flow nightly"
    assert any(line.startswith("  AWAITING_RETRY  certain  since ") for line in lines)
    assert any(line.strip().startswith("due: 20") for line in lines)
    shown = done.stdout[done.stdout.index("What happened") :].splitlines()
    assert [line.split()[3] for line in shown if line.startswith("  20") and "refused" not in line] == [
        "Pending",
        "Running",
        "AwaitingRetry",
    ]
    assert next(line for line in shown if "refused Failed" in line).endswith(trace)
    assert any("REJECT by retry_failed_flow_run: Retrying" in line for line in shown)
    assert "2 times" in next(line for line in shown if refused[-1] in line)
    assert any("WAIT by wait_for_scheduled_time, the last time 20" in line for line in shown)
    assert shown[-1].startswith("`lightwell traces show TRACE`")
    assert explain(server.api_url, run).stdout.splitlines()[1] == lines[1]


def test_a_run_that_nobody_starts(server: Serving) -> None:
    """What the server did by itself has a trace too: that of the loop's tick."""
    due = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    with httpx.Client(base_url=server.api_url) as client:
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due}}
        run = make_run(client, "idle-ibis", state=state)
        deadline = monotonic() + 20
        while client.get(f"/flow_runs/{run}").json()["state_name"] != "Late":
            assert monotonic() < deadline
            sleep(0.05)

    done = explain(server.api_url, run)
    assert done.stdout.startswith("idle-ibis is Late: it was due 5 min ")
    assert "belongs to no deployment" in done.stdout
    scheduled, late = done.stdout[done.stdout.index("What happened") :].splitlines()[1:3]
    assert "Late (SCHEDULED)" in late
    assert len({line.split()[-1] for line in (scheduled, late)}) == 2
    assert len(late.split()[-1]) == 32


def test_the_answer_as_it_is(server: Serving) -> None:
    """With `--json`, for programs; `--url` goes before the environment."""
    with httpx.Client(base_url=server.api_url) as client:
        run = make_run(client, "jovial-jay")

    done = explain("http://127.0.0.1:1/api", run, "--json", "--url", server.api_url)
    answer = json.loads(done.stdout)
    assert (answer["flow_run_id"], answer["reasons"][0]["code"]) == (run, "STARTING")


def test_several_of_one_name(server: Serving) -> None:
    """They are listed, the newest first, and nothing is explained."""
    with httpx.Client(base_url=server.api_url) as client:
        runs = [
            make_run(
                client,
                "twin-tapir",
                state={"type": "SCHEDULED", "state_details": {"scheduled_time": f"2036-06-0{number}T00:00:00Z"}},
            )
            for number in (1, 2)
        ]

    done = explain(server.api_url, "twin-tapir")
    assert (done.returncode, done.stdout) == (2, "")
    first, *rows = done.stderr.splitlines()
    assert first == "lightwell: 2 flow runs are called twin-tapir; say which, the newest first:"
    assert [row.split()[1] for row in rows] == runs[::-1]


@pytest.mark.parametrize("run", ["no-such-name", "0b0f9a3e-6d0c-4e0e-9d5e-0123456789ab"])
def test_a_run_that_there_is_not(server: Serving, run: str) -> None:
    """One line that says so."""
    done = explain(server.api_url, run)

    assert (done.returncode, done.stdout) == (1, "")
    assert run in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_clients_sent_does_nothing_to_the_terminal(server: Serving) -> None:
    """Names and messages are shown on one line, without escapes."""
    with httpx.Client(base_url=server.api_url) as client:
        run = make_run(client, "sly\x1b[2Jswan")
        set_state(client, run, "RUNNING")
        set_state(client, run, "FAILED", name="Bro\nken", message="\x1b]0;title\x07 boom\r\nsecond")

    done = explain(server.api_url, run)
    assert done.returncode == 0
    assert not set("\x1b\x07\r") & set(done.stdout)
    assert "boom" in done.stdout


def test_a_server_with_a_password_and_tokens(tmp_path: Path) -> None:
    """A name is looked up with a token where the server wants one."""
    settings = {"LIGHTWELL_API_CSRF_ENABLED": "true", "LIGHTWELL_API_AUTH_STRING": PASSWORD}
    with lightwell_server(tmp_path, settings) as guarded:
        missing = explain(guarded.api_url, "nobody", LIGHTWELL_API_AUTH_STRING=PASSWORD)
        unknown = explain(guarded.api_url, "nobody")

    assert (missing.returncode, unknown.returncode) == (1, 1)
    assert "no flow run that is called nobody" in missing.stderr
    assert "asks for credentials" in unknown.stderr
