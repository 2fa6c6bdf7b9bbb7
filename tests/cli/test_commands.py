"""The command line as it is typed: what it prints, and how it ends when something is wrong."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest
import typer

from lightwell import __version__
from lightwell.cli.commands import COMMANDS

PASSWORD = "hunter2"


def lightwell(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing of this process's settings in its environment."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LIGHTWELL_", "PREFECT_", "OTEL_"))}
    return subprocess.run(
        [sys.executable, "-m", "lightwell", *arguments],
        env={**inherited, "LIGHTWELL_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_version_says_what_is_installed(tmp_path: Path) -> None:
    """The first thing somebody types."""
    done = lightwell(tmp_path, "version")

    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == f"Lightwell {__version__}"


@pytest.mark.parametrize("argument", ["version", "--help"])
def test_what_is_quick_does_not_wait_for_the_server(tmp_path: Path, argument: str) -> None:
    """Neither imports the web framework or the database."""
    program = "import atexit, sys; atexit.register(lambda: print(*sys.modules)); from lightwell.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, argument], capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path
    )

    assert not set(done.stdout.split()) & {"fastapi", "sqlalchemy", "uvicorn", "opentelemetry", "rich"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    """The contents page names modules that exist, and each explains itself."""
    module = import_module(f"lightwell.cli.{command}")

    assert isinstance(module.app, typer.Typer)
    assert typer.main.get_command(module.app).help


def test_an_unknown_command_is_named(tmp_path: Path) -> None:
    """Asked wrongly is exit status 2, with the word that was not understood."""
    done = lightwell(tmp_path, "sreve")

    assert done.returncode == 2
    assert "sreve" in done.stderr


def test_config_shows_values_and_where_they_come_from(tmp_path: Path) -> None:
    """Secrets are masked, whichever way they are shown."""
    environment = {
        "LIGHTWELL_LISTEN_PORT": "4300",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://u:{PASSWORD}@db/n",
        "LIGHTWELL_API_AUTH_STRING": f"admin:{PASSWORD}",
    }
    table = lightwell(tmp_path, "config", "--changed", **environment)
    document = lightwell(tmp_path, "config", "--json", **environment)

    assert [line.split() for line in table.stdout.splitlines()] == [
        ["LIGHTWELL_HOME", str(tmp_path), "LIGHTWELL_HOME"],
        ["LIGHTWELL_LISTEN_PORT", "4300", "LIGHTWELL_LISTEN_PORT"],
        ["LIGHTWELL_DATABASE_URL", "postgresql://u:****@db/n", "PREFECT_API_DATABASE_CONNECTION_URL"],
        ["LIGHTWELL_API_AUTH_STRING", "****", "LIGHTWELL_API_AUTH_STRING"],
    ]
    assert json.loads(document.stdout)["LIGHTWELL_LISTEN_PORT"] == {"value": "4300", "from": "LIGHTWELL_LISTEN_PORT"}
    assert PASSWORD not in table.stdout + document.stdout


@pytest.mark.parametrize("command", [("config",), ("serve",), ("database", "stats")])
def test_an_unknown_setting_ends_every_command(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A typo must not start a server with a default instead."""
    done = lightwell(tmp_path, *command, LIGHTWELL_LISTEN_PROT="1")

    assert done.returncode == 2
    assert done.stderr == "lightwell: LIGHTWELL_LISTEN_PROT is not a setting; did you mean LIGHTWELL_LISTEN_PORT?\n"


def test_the_schema_goes_up_and_down(tmp_path: Path) -> None:
    """Upgrade, stats, reset and downgrade on a SQLite file that is not there yet."""
    before = lightwell(tmp_path, "database", "stats")
    up = lightwell(tmp_path, "database", "upgrade")
    stats = lightwell(tmp_path, "database", "stats")
    again = lightwell(tmp_path, "database", "reset", "--yes")
    down = lightwell(tmp_path, "database", "downgrade", "--yes", "base")

    assert before.returncode == 1
    assert "lightwell database upgrade" in before.stderr
    assert [done.returncode for done in (up, stats, again, down)] == [0, 0, 0, 0]
    assert "went from none to" in up.stdout
    assert [line.split()[-1] for line in stats.stdout.splitlines() if line.split()[0] == "flow_run"] == ["0"]
    assert "is empty" in again.stdout
    assert down.stdout.endswith("to none\n")


def test_nothing_is_deleted_without_a_yes(tmp_path: Path) -> None:
    """No answer is a no."""
    done = lightwell(tmp_path, "database", "reset")

    assert done.returncode == 1
    assert not list(tmp_path.glob("*.sqlite3")) or lightwell(tmp_path, "database", "stats").returncode == 1


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("database", "stats"), ("database", "upgrade")])
@pytest.mark.parametrize(
    "url",
    [f"postgresql://u:{PASSWORD}@127.0.0.1:1/n", "sqlite:////dev/null/lightwell.sqlite3"],
    ids=["postgresql", "sqlite"],
)
def test_a_database_that_cannot_be_reached_is_said_in_one_line(
    tmp_path: Path, command: tuple[str, ...], url: str
) -> None:
    """The line names the address without its password, and the command ends with status 1."""
    done = lightwell(tmp_path, *command, LIGHTWELL_DATABASE_URL=url)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "cannot be reached" in done.stderr
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize("revision", ["base", "-1"])
def test_a_schema_that_is_behind_is_said_in_one_line(tmp_path: Path, revision: str) -> None:
    """Where the server may not bring it up to date itself, it does not start, and leaves the schema as it is."""
    lightwell(tmp_path, "database", "upgrade")
    down = lightwell(tmp_path, "database", "downgrade", revision, "--yes")
    done = lightwell(tmp_path, "serve", "--port", "0", LIGHTWELL_DATABASE_MIGRATE_ON_START="false")
    again = lightwell(tmp_path, "serve", "--port", "0", LIGHTWELL_DATABASE_MIGRATE_ON_START="false")

    assert down.returncode == 0
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "lightwell database upgrade" in done.stderr
    assert again.stderr == done.stderr


def test_a_schema_of_a_newer_version_is_said_in_one_line(tmp_path: Path) -> None:
    """Nobody knows how to come back from there."""
    lightwell(tmp_path, "database", "upgrade")
    with closing(sqlite3.connect(tmp_path / "lightwell.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'future'")
    done = lightwell(tmp_path, "serve", "--port", "0")

    assert done.returncode == 1
    assert done.stderr.startswith("lightwell: The database is at revision future: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("made", [False, True], ids=["missing", "empty"])
def test_pages_that_are_not_there_are_said_in_one_line(tmp_path: Path, made: bool) -> None:  # noqa: FBT001
    """Without an index.html there is nothing to show; the API alone needs none."""
    pages = tmp_path / "pages"
    if made:
        pages.mkdir()
    done = lightwell(tmp_path, "serve", "--port", "0", LIGHTWELL_UI_DIRECTORY=str(pages))
    alone = lightwell(tmp_path, "config", LIGHTWELL_UI_DIRECTORY=str(pages), LIGHTWELL_UI_ENABLED="false")

    assert done.returncode == 2
    assert done.stderr == f"lightwell: LIGHTWELL_UI_DIRECTORY: {pages} has no index.html that can be read\n"
    assert alone.returncode == 0


def test_a_busy_port_is_said_in_one_line(tmp_path: Path) -> None:
    """Before anything is migrated or started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = lightwell(tmp_path, "serve", "--port", str(port))

    assert done.returncode == 1
    assert done.stderr.startswith(f"lightwell: Port {port} of 127.0.0.1 is in use; ")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_an_address_of_another_machine_is_said_in_one_line(tmp_path: Path) -> None:
    """TEST-NET-1 belongs to nobody."""
    done = lightwell(tmp_path, "serve", "--host", "192.0.2.1", "--port", "0")

    assert done.returncode == 1
    assert done.stderr == "lightwell: 192.0.2.1 is no address of this machine; choose another one with --host\n"


def test_several_workers_need_postgresql(tmp_path: Path) -> None:
    """A SQLite file has one writer."""
    done = lightwell(tmp_path, "serve", "--workers", "2", "--port", "0")

    assert done.returncode == 2
    assert "PostgreSQL" in done.stderr
