"""A person with the stock client: starts flow files and commands in processes, and asks the API what became of them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx

FLOWS = Path(__file__).parent / "flows"
_LAUNCH = Path(__file__).parent / "launch.py"
_PROCESS_SECONDS = 90.0
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.1
TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})

T = TypeVar("T")


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    status: int
    output: str


class Person:
    """Runs flows and commands with the client of this environment; everything made carries the story's tag."""

    def __init__(self, api_url: str, *, home: Path, tag: str, password: str | None = None) -> None:
        self.tag = tag
        self.home = home
        self._processes = ExitStack()
        self._client = httpx.Client(base_url=api_url, timeout=30.0, limits=httpx.Limits(max_keepalive_connections=0))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        self._environment = {
            **inherited,
            "PREFECT_API_URL": api_url,
            "PREFECT_HOME": str(home / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "COLUMNS": "250",
            "NO_COLOR": "1",
        }
        if password is not None:
            self._environment["PREFECT_API_AUTH_STRING"] = password
            self._client.auth = httpx.BasicAuth(*password.split(":", 1))
            self._client.headers.update(self._csrf_headers())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.close()
        self._client.close()

    def start(self, flow: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a file of `flows/` and leave it running."""
        command = [sys.executable, str(_LAUNCH), self.tag, str(FLOWS / f"{flow}.py"), *arguments]
        return self._start(command, environment)

    def run(self, flow: str, *arguments: str, **environment: str) -> Ended:
        """Run a file of `flows/` to its end."""
        return ended(self.start(flow, *arguments, **environment))

    def command(self, *arguments: str) -> Ended:
        """Run a command of the `prefect` command line to its end."""
        return ended(self._start([sys.executable, "-m", "prefect", *arguments], {}))

    def get(self, path: str) -> Any:
        """What the API answers to a GET of this path."""
        return self._client.get(path.lstrip("/")).raise_for_status().json()

    def get_text(self, path: str) -> str:
        """What the API answers to a GET of this path, as text."""
        return self._client.get(path.lstrip("/")).raise_for_status().text

    def post(self, path: str, body: Any) -> Any:
        """What the API answers to a POST of this body."""
        answer = self._client.post(path.lstrip("/"), json=body).raise_for_status()
        return answer.json() if answer.content else None

    def flow_runs(self, flow: str | None = None) -> list[dict[str, Any]]:
        """The story's flow runs (of this flow), by expected start."""
        flows = {"name": {"any_": [flow]}} if flow else None
        mine = {"tags": {"all_": [self.tag]}}
        body = {"flows": flows, "flow_runs": mine, "sort": "EXPECTED_START_TIME_ASC"}
        found: list[dict[str, Any]] = self.post("/flow_runs/filter", body)
        return found

    def flow_run(self, flow: str | None = None) -> dict[str, Any]:
        """The story's only flow run (of this flow)."""
        runs = self.flow_runs(flow)
        assert len(runs) == 1, runs
        return runs[0]

    def task_runs(self, flow_run_id: str, ended_runs: int | None = None) -> list[dict[str, Any]]:
        """The task runs of a flow run by name, once as many of them have ended as are told."""

        def find() -> list[dict[str, Any]]:
            body = {"flow_runs": {"id": {"any_": [flow_run_id]}}, "sort": "NAME_ASC"}
            found: list[dict[str, Any]] = self.post("/task_runs/filter", body)
            return found

        def all_there(runs: list[dict[str, Any]]) -> bool:
            return ended_runs is None or sum(run["state_type"] in TERMINAL for run in runs) >= ended_runs

        return eventually(find, all_there)

    def state_names(self, flow_run_id: str) -> list[str]:
        """The names of all states that a flow run has been in, in order."""
        return [state["name"] for state in self.get(f"/flow_run_states/?flow_run_id={flow_run_id}")]

    def task_state_names(self, task_run_id: str, total: int) -> list[str]:
        """The names of all states that a task run has been in, in order, once there are as many as that."""

        def find() -> list[str]:
            return [state["name"] for state in self.get(f"/task_run_states/?task_run_id={task_run_id}")]

        return eventually(find, lambda names: len(names) >= total)

    def waits_for(self, state_name: str, flow: str | None = None) -> dict[str, Any]:
        """The story's only flow run (of this flow), once it is in a state of that name."""
        runs = eventually(
            lambda: self.flow_runs(flow), lambda runs: [run["state_name"] for run in runs] == [state_name]
        )
        return runs[0]

    def _csrf_headers(self) -> dict[str, str]:
        client = str(uuid4())
        return {"Prefect-Csrf-Client": client, "Prefect-Csrf-Token": self.get(f"/csrf-token?client={client}")["token"]}

    def _start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            cwd=self.home,
            env=self._environment | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._processes.callback(_reap, process)
        return process


def ended(process: subprocess.Popen[str]) -> Ended:
    """The exit status and output of a process, when it has ended."""
    output, _ = process.communicate(timeout=_PROCESS_SECONDS)
    return Ended(process.returncode, output)


def eventually(find: Callable[[], T], holds: Callable[[T], bool]) -> T:
    """What `find` gives as soon as it `holds`; an assertion with what it gave last where that never comes."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    found = find()
    while not holds(found):
        assert time.monotonic() < deadline, found
        time.sleep(_PAUSE_SECONDS)
        found = find()
    return found


def _reap(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()
