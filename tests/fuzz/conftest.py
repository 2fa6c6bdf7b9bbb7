"""A server of each kind of database with objects of every kind on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lightwell.settings import DatabaseSettings, Settings
from tests.fuzz.wire import Served, served
from tests.fuzz.world import World


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the server keeps its rows in."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that runs as long as the module's tests."""
    home: Path = tmp_path_factory.mktemp("fuzz")
    settings = Settings(home=home)
    if database == "postgresql":
        url = request.getfixturevalue("postgres").create_database()
        settings = Settings(home=home, database=DatabaseSettings(url=url))
    with served(settings) as running:
        yield running


@pytest.fixture(scope="module")
def world(server: Served) -> World:
    """Objects on the server."""
    made = World(server)
    made.renew()
    return made
