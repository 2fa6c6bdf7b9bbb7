"""What every story has: a server, and a person's environment in which the stock client speaks to it."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.serving import lightwell_server
from tests.stories.person import Person


@pytest.fixture(scope="session")
def api_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of a Lightwell server; `LIGHTWELL_TEST_API_URL` names a server that runs already instead."""
    if running := os.environ.get("LIGHTWELL_TEST_API_URL"):
        yield running
        return
    with lightwell_server(tmp_path_factory.mktemp("lightwell")) as server:
        yield server.api_url


@pytest.fixture
def person(api_url: str, tmp_path: Path) -> Iterator[Person]:
    """Somebody who runs flows and commands against the server; what they start is stopped at the end of the story."""
    with Person(api_url, home=tmp_path, tag=f"story-{uuid4().hex[:12]}") as somebody:
        yield somebody
