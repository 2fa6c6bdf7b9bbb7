"""The servers on which scenarios are played."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.reference.serve import PASSWORD
from tests.serving import lightwell_server

_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "open": {},
    "guarded": {"LIGHTWELL_API_CSRF_ENABLED": "true", "LIGHTWELL_API_AUTH_STRING": PASSWORD},
}
_RETENTION = {"LIGHTWELL_LOOPS_RETENTION_ENABLED": "false", "LIGHTWELL_LOOPS_RETENTION_PERIOD": "1"}
"""Scenarios have events of long ago, which are to stay; the logs of deleted runs go soon."""


class Servers:
    """Lightwell servers by what a scenario wants of them; each is started when it is first asked for."""

    def __init__(self, resources: ExitStack, home: Path, postgres: PostgresServer | None) -> None:
        self._resources = resources
        self._home = home
        self._postgres = postgres
        self._urls: dict[str, str] = {}

    def api_url(self, kind: str) -> str:
        """The URL of the API of a running server of this kind."""
        kind = "open" if kind == "postgres" else kind
        if kind not in self._urls:
            settings = {**_SETTINGS[kind], **_RETENTION}
            if self._postgres is not None:
                settings["LIGHTWELL_DATABASE_URL"] = self._postgres.create_database()
            server = self._resources.enter_context(lightwell_server(self._home / kind, settings))
            self._urls[kind] = server.api_url
        return self._urls[kind]


class RunningServer(Servers):
    """One server that runs already, for every kind."""

    def __init__(self, api_url: str) -> None:
        self._api_url = api_url

    def api_url(self, kind: str) -> str:
        """Its URL, whatever is wanted of it."""
        del kind
        return self._api_url


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers on either kind of database; `TEST_API_URL` names one that runs already instead."""
    if running := os.environ.get("TEST_API_URL"):
        yield RunningServer(running)
        return
    postgres: PostgresServer | None = None
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres")
    with ExitStack() as resources:
        yield Servers(resources, tmp_path_factory.mktemp(f"protocol-{request.param}"), postgres)
