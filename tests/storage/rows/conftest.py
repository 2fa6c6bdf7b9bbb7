"""A database with all tables, empty."""

import asyncio

import pytest

from lightwell.storage.database import Database, parsed
from lightwell.storage.migrations import chain


@pytest.fixture
async def store(database_url: str, database: Database) -> Database:
    """A started database at the newest revision."""
    await asyncio.to_thread(chain.upgrade, parsed(database_url))
    return database
