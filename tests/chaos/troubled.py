"""A server on a SQLite file that is given trouble."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.load import accepted
from tests.serving import Serving

LOCK_TIMEOUT_SECONDS = 4
"""How long its writes wait for a lock of another program."""


@dataclass(frozen=True)
class Troubled:
    """A server, and the file that its database is."""

    serving: Serving
    path: Path

    @property
    def api_url(self) -> str:
        """Where its API is."""
        return self.serving.api_url


def errors_of(serving: Serving) -> list[dict[str, Any]]:
    """The log lines of a server that call for somebody to mend it."""
    return [line for line in serving.log_lines() if line["level"] not in {"debug", "info", "warning"}]


async def count_runs(client: httpx.AsyncClient, flow_id: str) -> int:
    """How many runs a flow has."""
    counted: int = await accepted(client, "/flow_runs/count", {"flows": {"id": {"any_": [flow_id]}}})
    return counted
