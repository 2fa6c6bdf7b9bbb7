"""`lightwell traces` as it is typed, against a server that runs: what it prints, where, and when it cannot."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from lightwell.cli.terminal import cells
from lightwell.cli.traces import app
from tests.cli.terminal import at_a_terminal, inherited, piped
from tests.serving import free_port, lightwell_server
from tests.telemetry.otlp.sending import attribute, binary, request, span

HEADING = ["TIME", "TRACE", "WHAT", "CODE", "TOOK", "KEPT", "EXCEPTION"]
EXCEPTION = "sqlite3.OperationalError"
SET_STATE = "/api/flow_runs/{id}/set_state"
PASSWORD = "admin:hunter2"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
NASTY = bytes.fromhex("aa" * 16)


@dataclass(frozen=True)
class Told:
    """A server, and what was asked of it: a run that was refused a state, a flow that could not be made."""

    url: str
    run_id: str
    refused: str
    failed: str

    def run(self, *arguments: str) -> str:
        """What `lightwell traces` prints where it is no terminal; in this process, which is quicker."""
        done = CliRunner().invoke(app, [*arguments, "--url", self.url], catch_exceptions=False)
        assert (done.exit_code, done.stderr) == (0, "")
        return done.stdout

    def fails(self, *arguments: str) -> str:
        """What it says when it cannot."""
        done = CliRunner().invoke(app, [*arguments, "--url", self.url], catch_exceptions=False)
        assert (done.exit_code, done.stdout) == (1, "")
        return done.stderr

    def see(self, *arguments: str, width: int = 80, environment: Mapping[str, str] | None = None) -> str:
        """What it writes to a terminal."""
        return at_a_terminal("traces", *arguments, "--url", self.url, width=width, environment=environment)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A server that keeps every trace, with a few of them."""
    home: Path = tmp_path_factory.mktemp("traces")
    settings = {"LIGHTWELL_TELEMETRY_BASELINE_RATIO": "1", "LIGHTWELL_LOOPS_ENABLED": "false"}
    with lightwell_server(home, settings) as server, httpx.Client(base_url=server.api_url) as client:
        flow = client.post("/flows/", json={"name": "fine"}).raise_for_status().json()
        body = {"flow_id": flow["id"], "state": {"type": "RUNNING"}}
        run = client.post("/flow_runs/", json=body).raise_for_status().json()
        proposed = {"state": {"type": "PENDING"}}
        refused = client.post(f"/flow_runs/{run['id']}/set_state", json=proposed).raise_for_status()
        with closing(sqlite3.connect(home / "lightwell.sqlite3", isolation_level=None)) as database:
            # The smallest integer has no absolute value: the statement fails while it runs.
            database.execute(
                "CREATE TRIGGER broken BEFORE INSERT ON flow WHEN NEW.name LIKE 'doomed%' "
                "BEGIN SELECT abs(-9223372036854775807 - 1); END"
            )
        assert client.post("/flows/", json={"name": "doomed"}).status_code == 500
        failed = client.post("/flows/", json={"name": "doomed again"})
        yield Told(server.api_url, run["id"], refused.headers["x-trace-id"], failed.headers["x-trace-id"])


def rows(output: str) -> list[list[str]]:
    """The rows of a table, cell by cell."""
    return [re.split(r"  +", line.strip()) for line in output.splitlines()]


def listed(told: Told, *arguments: str) -> list[str]:
    """The ids of the traces that a list has, in its order."""
    heading, *found = rows(told.run("ls", *arguments))
    assert heading[:2] == HEADING[:2]
    return [row[1] for row in found]


def test_ls_lists_traces_newest_first(told: Told) -> None:
    """Each with its time, whole id, route, status, duration, why it was kept, and the whole type of its exception."""
    heading, *found = rows(told.run("ls"))

    assert heading == HEADING
    times = [row[0] for row in found]
    assert times == sorted(times, reverse=True)
    (failed,) = [row for row in found if row[1] == told.failed]
    assert failed[2:4] + failed[5:] == ["POST /api/flows/", "500", "error", EXCEPTION]
    assert re.fullmatch(r"\d+(\.\d+)? (µs|ms|s)", failed[4])
    (refused,) = [row for row in found if row[1] == told.refused]
    assert refused[2] == f"POST {SET_STATE}"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--failed"], {"failed"}),
        (["--route", SET_STATE], {"refused"}),
        (["--status", "500"], {"failed"}),
        (["--since", "1h"], {"failed", "refused"}),
        (["--until", "1h"], set()),
        (["--min-duration", "1h"], set()),
        (["--min-duration", "0ms"], {"failed", "refused"}),
        (["--text", "operationalERROR"], {"failed"}),
        (["--text", "nowhere said"], set()),
        (["--limit", "1"], {"failed"}),
    ],
)
def test_ls_lists_what_is_asked_for(told: Told, arguments: list[str], expected: set[str]) -> None:
    """The filters of the API, in the words of a person."""
    output = told.run("ls", *arguments)

    assert {name for name in ("failed", "refused") if getattr(told, name) in output} == expected


def test_ls_of_a_run(told: Told) -> None:
    """From a run id to its traces."""
    assert told.refused in listed(told, "--run", told.run_id)
    assert told.failed not in listed(told, "--run", told.run_id)


def test_nothing_found_is_said(told: Told) -> None:
    """An empty table would leave it open whether the command works."""
    assert told.run("ls", "--status", "418") == "No such trace is stored.\n"
    assert told.run("failures", "--until", "1h") == "No failure is stored.\n"


def test_show_prints_a_waterfall_and_the_cause(told: Told) -> None:
    """Request, transaction, verb and statements one within the other, the failed ones marked; then the exception."""
    output = told.run("show", told.failed)
    lines = output.splitlines()

    assert lines[0] == f"Trace {told.failed}  failed"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \S+  .+  5 spans  lightwell  kept: error", lines[1])
    drawn = [line for line in lines if "█" in line]
    assert [line.lstrip()[:16].rstrip() for line in drawn] == [
        "✗ POST /api/flow",
        "✗ write flows.cr",
        "✗ flows.create",
        "SELECT flow.id,",
        "✗ INSERT INTO fl",
    ]
    assert [len(line) - len(line.lstrip()) for line in drawn] == [0, 2, 4, 6, 6]
    assert "VALUES (?, ?, ?, ?, ?, ?)" in output
    assert "doomed" not in output
    assert f"{EXCEPTION}: SQLITE_ERROR" in lines
    ours = [line for line in lines if line.startswith("  lightwell/")]
    assert any(line.startswith("  lightwell/storage/flows.py:") for line in ours)
    assert any(re.fullmatch(r"  … \d+ frames of sqlalchemy", line) for line in lines)
    log = lines[lines.index("Log") + 1 :]
    assert [re.split(r"  +", line)[2:3] + line.split()[4:5] for line in log] == [
        ["error", "request.failed"],
        ["error", "http.request"],
    ]


def test_show_full_has_everything_whole(told: Told) -> None:
    """The traceback as Python writes it, whole statements, and the attributes of each span."""
    output = told.run("show", "--full", told.failed)

    assert "ON CONFLICT DO NOTHING" in output
    assert "    http.response.status_code = 500\n" in output
    assert re.search(r'  File ".*/sqlalchemy/engine/.*", line \d+, in ', output)


def test_show_tells_of_refusals(told: Told) -> None:
    """The verdict that was not in favour, with its rule, beneath the verb that asked."""
    output = told.run("show", told.refused)

    assert re.search(r"^ +(ABORT|REJECT) by \w+", output, re.MULTILINE)
    assert "healthy" in output.splitlines()[0]
    assert f"flow run {told.run_id}" in output.splitlines()
    assert "ACCEPT by" not in output
    assert output.count(" by ") <= told.run("show", "--full", told.refused).count(" by ")


@pytest.mark.parametrize(
    "given",
    ["{id}", " {id}\n", "{ID}", "{prefix}", "00-{id}-0123456789abcdef-01"],
    ids=["whole", "pasted", "in capitals", "beginning", "traceparent"],
)
def test_show_understands_an_id_as_it_comes(told: Told, given: str) -> None:
    """From a log line, a header, a list or a terminal that broke the line."""
    text = given.format(id=told.failed, ID=told.failed.upper(), prefix=told.failed[:10])

    assert told.run("show", text).startswith(f"Trace {told.failed}  failed\n")


def test_an_id_that_the_line_broke(told: Told) -> None:
    """Two words are one id."""
    assert told.run("show", told.failed[:20], told.failed[20:]).startswith(f"Trace {told.failed}  failed\n")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("0" * 32, "lightwell: The trace is not stored: it was not kept, or is no longer.\n"),
        ("0" * 31, f"lightwell: None of the newest traces begins with {'0' * 31}\n"),
        ("abc", "lightwell: abc is no trace id: 32 hexadecimal digits, or the first four or more of them\n"),
        ("../flows", "lightwell: ../flows is no trace id: 32 hexadecimal digits, or the first four or more of them\n"),
    ],
)
def test_an_id_that_is_not_there(told: Told, given: str, said: str) -> None:
    """One line that says why."""
    assert told.fails("show", given) == said


def test_the_id_of_a_run_is_recognised(told: Told) -> None:
    """With the command that was meant."""
    said = f"lightwell: {told.run_id} is the id of a run; `lightwell traces ls --run {told.run_id}` lists its traces\n"

    assert told.fails("show", told.run_id) == said


def test_failures_are_in_groups(told: Told) -> None:
    """How often, when, where in the code, and traces to look at."""
    output = told.run("failures")
    lines = output.splitlines()

    assert lines[:2] == ["2 times  POST /api/flows/", f"    {EXCEPTION}: SQLITE_ERROR"]
    assert re.fullmatch(r"    at lightwell/storage/flows\.py:\d+ \w+", lines[2])
    assert re.fullmatch(r"    first \d\d:\d\d:\d\d, last \d\d:\d\d:\d\d \(\d+ (s|min) ago\)", lines[3])
    assert f"    trace {told.failed}" in lines


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["ls", "--failed"], "/telemetry/traces?failed=true&limit=20"),
        (["failures"], "/telemetry/failures?limit=20"),
        (["show", "{failed}"], "/telemetry/traces/{failed}"),
    ],
)
def test_json_is_what_the_api_answers(told: Told, arguments: list[str], path: str) -> None:
    """For programs."""
    written = told.run(*(argument.format(failed=told.failed) for argument in arguments), "--json")

    assert json.loads(written) == httpx.get(told.url + path.format(failed=told.failed)).json()


@pytest.mark.parametrize("width", [80, 132])
def test_a_terminal_is_filled_and_no_more(told: Told, width: int) -> None:
    """Lines of tables and of the waterfall end where the terminal does; what failed is red."""
    for arguments in (["ls"], ["show", told.failed]):
        screen = told.see(*arguments, width=width)
        lines = ESCAPES.sub("", screen.partition("Log")[0]).splitlines()
        assert max(map(cells, lines)) <= width
        assert "\x1b[31m" in screen
    drawn = [line for line in ESCAPES.sub("", told.see("show", told.failed, width=width)).splitlines() if "█" in line]
    assert max(map(cells, drawn)) > width * 0.9
    assert max(map(len, re.findall("█+", "\n".join(drawn)))) > width * 0.3


def test_a_short_id_of_a_narrow_list_is_enough(told: Told) -> None:
    """What is printed can be asked for."""
    _, *found = rows(ESCAPES.sub("", told.see("ls", "--failed", "--limit", "1")))

    assert told.run("show", found[0][1]).startswith(f"Trace {told.failed}")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_are_not_forced_on_anybody(told: Told, environment: dict[str, str]) -> None:
    """A person who wants none gets none, and so does a pipe."""
    assert "\x1b" not in told.see("show", told.failed, environment=environment)
    assert "\x1b" not in told.run("show", told.failed)


def test_what_clients_send_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    """Names, values and messages with a terminal's commands in them stay text, on one line."""
    evil = "\x1b]0;owned\x07\x1b[2J\n\u202emal\x00"
    exception = {"name": "exception", "attributes": [attribute("exception.stacktrace", string_value=evil)]}
    sent = span(
        trace_id=NASTY,
        name=evil,
        attributes=[attribute(evil, string_value=evil)],
        status={"code": 2, "message": evil},
        events=[exception],
    )
    body = binary(request([sent], service=evil))
    with lightwell_server(tmp_path) as server:
        url = server.api_url.removesuffix("/api") + "/v1/traces"
        httpx.post(url, content=body, headers={"content-type": "application/x-protobuf"}).raise_for_status()
        told = Told(server.api_url, "", "", "")
        for arguments in (["show", NASTY.hex(), "--full"], ["show", NASTY.hex()], ["ls", "--failed"], ["failures"]):
            screen = told.see(*arguments, width=120, environment={"NO_COLOR": "1"})
            assert not set(screen) & {"\x1b", "\x07", "\x00", "\u202e"}
            assert "owned" in screen


def test_who_is_asked_and_does_not_answer(tmp_path: Path) -> None:
    """Nobody there, wrong credentials, a store that is off: a line each, and no stack."""
    nobody = piped("traces", "ls", LIGHTWELL_API_URL=f"http://127.0.0.1:{free_port()}/api")
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "Connection refused" in nobody.stderr
    assert nobody.stderr.count("\n") == 1

    settings = {"LIGHTWELL_API_AUTH_STRING": PASSWORD, "LIGHTWELL_TELEMETRY_STORE_MODE": "off"}
    with lightwell_server(tmp_path, settings) as server:
        unknown = piped("traces", "failures", "--url", server.api_url)
        off = piped("traces", "ls", LIGHTWELL_API_URL=server.api_url, LIGHTWELL_API_AUTH_STRING=PASSWORD)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "set LIGHTWELL_API_AUTH_STRING" in unknown.stderr
    assert (off.returncode, off.stdout) == (1, "")
    assert "The store of traces is turned off" in off.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterday"], "yesterday is no time"),
        (["--min-duration", "long"], "long is no length of time"),
        (["--run", "abc"], "flow_run_id"),
    ],
)
def test_what_is_asked_wrongly(told: Told, arguments: list[str], said: str) -> None:
    """In the words of whoever knows better."""
    assert said in told.fails("ls", *arguments)


def test_a_list_is_quick() -> None:
    """Nothing of the server is imported: not the web framework, not the database, not OpenTelemetry."""
    program = "import atexit, sys; atexit.register(lambda: print(*sys.modules)); from lightwell.cli import main; main()"
    command = [sys.executable, "-c", program, "traces", "ls", "--url", f"http://127.0.0.1:{free_port()}/api"]
    done = subprocess.run(command, env=inherited(), capture_output=True, text=True, timeout=60, check=False)

    loaded: set[Any] = set(done.stdout.split())
    assert "lightwell.cli.traces" in loaded
    assert not loaded & {"fastapi", "starlette", "sqlalchemy", "uvicorn", "opentelemetry", "httpx", "rich"}
