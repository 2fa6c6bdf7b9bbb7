"""What every story has: a server, and a person's environment in which the stock client speaks to it."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.reference.serve import PASSWORD
from tests.serving import lightwell_server
from tests.stories.person import Person


@pytest.fixture(scope="session")
def api_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of a Lightwell server; `TEST_API_URL` names a server that runs already instead."""
    if running := os.environ.get("TEST_API_URL"):
        yield running
        return
    with lightwell_server(tmp_path_factory.mktemp("lightwell")) as server:
        yield server.api_url


@pytest.fixture(scope="session")
def guarded_api_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of a server with a password and CSRF protection; `TEST_GUARDED_API_URL` names another."""
    if running := os.environ.get("TEST_GUARDED_API_URL"):
        yield running
        return
    settings = {"LIGHTWELL_API_CSRF_ENABLED": "true", "LIGHTWELL_API_AUTH_STRING": PASSWORD}
    with lightwell_server(tmp_path_factory.mktemp("guarded"), settings) as server:
        yield server.api_url


@pytest.fixture
def person(api_url: str, tmp_path: Path) -> Iterator[Person]:
    """Somebody who runs flows and commands against the server; what they start is stopped at the end of the story."""
    with Person(api_url, home=tmp_path, tag=f"story-{uuid4().hex[:12]}") as somebody:
        yield somebody


@pytest.fixture
def trusted_person(guarded_api_url: str, tmp_path: Path) -> Iterator[Person]:
    """Somebody who knows the password of the guarded server."""
    tag = f"story-{uuid4().hex[:12]}"
    with Person(guarded_api_url, home=tmp_path, tag=tag, password=PASSWORD) as somebody:
        yield somebody
