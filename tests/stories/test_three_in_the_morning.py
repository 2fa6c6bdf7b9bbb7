"""At three in the morning: from the trace id in a client's message to the cause, with nothing but the server."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.cli.terminal import piped
from tests.postgres import PostgresServer
from tests.serving import Serving, lightwell_server
from tests.stories.person import Person

SECRET = "hunter2"
ROUTE = "/api/flow_runs/{id}/set_state"

# Conditions that fail while the statement runs, so that everything before it is as ever.
_SQLITE = """
CREATE TRIGGER broken BEFORE INSERT ON flow_run_state WHEN NEW.type = 'RUNNING'
BEGIN SELECT abs(-9223372036854775807 - 1); END
"""
_POSTGRESQL = """
CREATE FUNCTION broken() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'injected into %', NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER broken BEFORE INSERT ON flow_run_state FOR EACH ROW WHEN (NEW.type = 'RUNNING')
EXECUTE FUNCTION broken()
"""

Break = Callable[[], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[dict[str, str], Break]:
    """The settings of a server on a database of either kind, and what breaks that database."""
    if request.param == "sqlite":
        return {}, lambda: _break_sqlite(tmp_path / "home" / "lightwell.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database()
    return {"LIGHTWELL_DATABASE_URL": url}, lambda: _break_postgresql(url)


def _break_sqlite(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(_SQLITE)


def _break_postgresql(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_POSTGRESQL)


def test_from_a_clients_message_to_the_cause(database: tuple[dict[str, str], Break], tmp_path: Path) -> None:
    """A run cannot start: its message has a trace id, and `lightwell traces` has all the rest."""
    settings, breaks = database
    with lightwell_server(tmp_path / "home", settings) as server:
        with Person(server.api_url, home=tmp_path, tag="three") as person:
            assert person.run("hello").status == 0
            breaks()
            failed = person.run("asking", SECRET)
            run = next(run for run in person.flow_runs("asking"))
        body, header = (re.search(rf"{name}: ([0-9a-f]{{32}})", failed.output) for name in ("body", "header"))
        assert body is not None, failed.output
        assert header is not None, failed.output
        assert body[1] == header[1]
        shown = show(server, body[1])
        check_the_cause(shown, run["id"])
        assert SECRET not in shown
        assert run["name"] not in shown
        listed = piped("traces", "ls", "--run", run["id"], "--failed", LIGHTWELL_API_URL=server.api_url).stdout
        assert body[1] in listed
        groups = piped("traces", "failures", LIGHTWELL_API_URL=server.api_url).stdout
        assert f"POST {ROUTE}" in groups
        assert f"    trace {body[1]}" in groups.splitlines()


def show(server: Serving, trace_id: str) -> str:
    """What `lightwell traces show` prints, with nothing set but where the server is."""
    done = piped("traces", "show", trace_id, LIGHTWELL_API_URL=server.api_url)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def check_the_cause(shown: str, run_id: str) -> None:
    """Route, transaction, verb, the failing statement without its values, exception, stack and log lines."""
    lines = shown.splitlines()
    marked = [line.strip() for line in lines if line.lstrip().startswith("✗ ")]
    assert [re.split(r"  +|…", line)[0] for line in marked[:3]] == [
        f"✗ POST {ROUTE}",
        "✗ write flow_run_states.set_state",
        "✗ flow_run_states.set_state",
    ]
    assert marked[-1].startswith("✗ INSERT INTO flow_run_state (")
    assert f"flow run {run_id}" in lines
    (exception,) = [line for line in lines if re.match(r"(sqlite3|psycopg\.errors)\.\w+: ", line)][:1]
    assert exception.partition(": ")[2] in {"SQLITE_ERROR", "SQLSTATE P0001"}
    assert any(re.match(r"  lightwell/storage/\w+\.py:\d+ \w+    ", line) for line in lines)
    assert any(re.match(r"  lightwell/operations/flow_run_states\.py:\d+ \w+    ", line) for line in lines)
    log = lines[lines.index("Log") + 1 :]
    assert any("  error  request.failed " in line for line in log)
    assert any(f"  error  http.request method=POST route={ROUTE} status=500 " in line for line in log)
