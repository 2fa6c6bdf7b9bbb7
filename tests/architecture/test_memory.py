"""What a server does not use costs it no memory."""

import json
import subprocess
import sys
from pathlib import Path

START = """
import asyncio, json, sys
from pathlib import Path

from lightwell.cli.commands import app
from typer.main import get_command

get_command(app).get_command(None, "serve")

from lightwell.server import create_app
from lightwell.settings import Settings


async def start() -> None:
    served = create_app(Settings(home=Path(sys.argv[1])))
    async with served.router.lifespan_context(served):
        print(json.dumps(list(sys.modules)))


asyncio.run(start())
"""


def test_a_server_on_sqlite_loads_what_it_uses(tmp_path: Path) -> None:
    """No other driver, no migrations where there is nothing to migrate, nothing for requests that may never come."""
    run = subprocess.run([sys.executable, "-c", START, tmp_path], capture_output=True, check=True, cwd=tmp_path)
    loaded = set(json.loads(run.stdout))

    assert {"lightwell.storage.sqlite", "structlog"} <= loaded
    assert not loaded & {"psycopg", "alembic", "jsonschema", "rich"}
