"""A whole server is killed at work, again and again: what it has acknowledged is there, and nothing by halves."""

import os
import random
from pathlib import Path

import pytest

from tests.chaos.accounts import Account
from tests.chaos.audit import assert_kept
from tests.chaos.halves import halves
from tests.chaos.load import run_until_gone
from tests.serving import lightwell_server

ROUNDS = int(os.environ.get("KILL_ROUNDS", "3"))
_MOST_ACKNOWLEDGEMENTS = 300
_ROUND_SECONDS = 30


@pytest.mark.timeout(_ROUND_SECONDS * (ROUNDS + 1))
async def test_what_a_killed_server_had_acknowledged_is_there_afterwards(database_url: str, tmp_path: Path) -> None:
    """Runs, states, their events, log lines and task runs; each server begins with what the one before it left."""
    settings = {"LIGHTWELL_DATABASE_URL": database_url}
    accounts: list[Account] = []
    for number in range(ROUNDS + 1):
        with lightwell_server(tmp_path / str(number), settings) as server:
            assert halves(database_url) == {}
            for account in accounts[-1:] if number < ROUNDS else accounts:
                await assert_kept(server.api_url, account)
            if number < ROUNDS:
                moment = random.randint(1, _MOST_ACKNOWLEDGEMENTS)  # noqa: S311 -- no secret
                account = Account(moment, server.process.kill)
                await run_until_gone(server.api_url, account)
                assert server.process.wait() != 0
                accounts.append(account)
