"""An application of nothing but concurrency limits, over a database whose time stands still."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import httpx
from fastapi import FastAPI

from lightwell.api import problems
from lightwell.api.concurrency_limits import router as of_tags
from lightwell.api.concurrency_limits_v2 import router as by_name
from lightwell.orchestration.transition import Tuning
from lightwell.storage.database import Database
from tests.timed import MovingClock


@asynccontextmanager
async def limits_client(store: Database, clock: MovingClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application; chance is always in the middle there."""
    app = FastAPI()
    problems.install(app)
    app.include_router(of_tags)
    app.include_router(by_name)
    tuning = Tuning(chance=lambda: 0.5)
    app.state.services = SimpleNamespace(database=store, clock=clock, tuning=tuning, default_limit=200)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://limits") as client:
        yield client
