"""The real application with its signals caught: made once for a module, with fresh signals for each test."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lightwell.api.dependencies import Services
from lightwell.instrumentation import metrics
from lightwell.instrumentation.exposition.scrape import ScrapeReader
from lightwell.instrumentation.sampling import KeepPolicy
from lightwell.instrumentation.setup import Telemetry, assemble
from lightwell.server import create_app, runtime
from lightwell.settings import LoopSettings, Settings
from tests.signals.conftest import Signals

BASE = "http://lightwell"


@dataclass(frozen=True)
class Stage:
    """A running application and a client of it; what the server itself would see raised is not raised to the client."""

    app: FastAPI
    client: httpx.AsyncClient
    telemetry: Telemetry
    exporter: InMemorySpanExporter
    home: Path

    @property
    def services(self) -> Services:
        """What its endpoints have."""
        found: Services = self.app.state.services
        return found

    def listen(self, read_lines: Callable[[], list[str]]) -> Signals:
        """The signals from now on."""
        told = len(read_lines())
        reader = InMemoryMetricReader()
        metrics.bind(MeterProvider([reader], shutdown_on_exit=False).get_meter("lightwell"))
        self.telemetry.flush(5.0)
        self.exporter.clear()
        return Signals(self.telemetry, self.exporter, reader, lambda: read_lines()[told:])

    async def post(self, path: str, body: Any) -> Any:
        """The JSON that a request is answered with that has to succeed."""
        response = await self.client.post(path, json=body)
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def make_flow(self, name: str = "signals") -> str:
        """The id of a flow."""
        return str((await self.post("/api/flows/", {"name": name}))["id"])

    async def make_run(self, **members: Any) -> str:
        """The id of a new flow run."""
        return str((await self.post("/api/flow_runs/", {"flow_id": await self.make_flow(), **members}))["id"])


@asynccontextmanager
async def staged(home: Path, ratio: float = 1.0, *, scraped: bool = False, **sections: Any) -> AsyncIterator[Stage]:
    """The application on a new database under `home`; `sections` are of its settings. Loops run where one is named.

    Every trace is kept and handed to an exporter in memory, unless `ratio` says otherwise; `scraped` lets its metrics
    be read.
    """
    exporter = InMemorySpanExporter()
    readers = [ScrapeReader()] if scraped else []
    telemetry = assemble(
        version="0", ratio=ratio, policy=KeepPolicy(slow_after=60.0), exporters=[exporter], readers=readers
    )
    named = sections.pop("loops", {})
    loops = {name: {"enabled": False} for name in LoopSettings.model_fields} | {"enabled": bool(named)} | named
    settings = Settings(home=home, loops=loops, **sections)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "configure", lambda **_: telemetry)
        app = create_app(settings, ignore_cache=True)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield Stage(app, client, telemetry, exporter, home)
    telemetry.shutdown(1.0)
