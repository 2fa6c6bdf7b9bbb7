"""Whether anything is kept by halves: questions to the database itself, whose answers must all be zero."""

import sqlite3
from typing import Any, LiteralString

import psycopg
from sqlalchemy import make_url

from tests.chaos.accounts import LINES_AT_ONCE

_OF_RUNS: dict[str, LiteralString] = {
    "runs without a state": """
        SELECT count(*) FROM {kind}_run run LEFT JOIN {kind}_run_state state
        ON state.id = run.state_id AND state.{kind}_run_id = run.id WHERE state.id IS NULL""",
    "runs whose copy of their state is not as the state": """
        SELECT count(*) FROM {kind}_run run JOIN {kind}_run_state state ON state.id = run.state_id
        WHERE (run.state_type, run.state_name, run.state_timestamp) <> (state.type, state.name, state.timestamp)""",
    "runs that are not in their newest state": """
        SELECT count(*) FROM {kind}_run run JOIN {kind}_run_state state ON state.{kind}_run_id = run.id
        WHERE state.timestamp > run.state_timestamp""",
    "states without a run": """
        SELECT count(*) FROM {kind}_run_state state LEFT JOIN {kind}_run run ON run.id = state.{kind}_run_id
        WHERE run.id IS NULL""",
    "states without an event": """
        SELECT count(*) FROM {kind}_run_state state LEFT JOIN event ON event.id = state.id WHERE event.id IS NULL""",
    "events without a state": """
        SELECT count(*) FROM event LEFT JOIN {kind}_run_state state ON state.id = event.id
        WHERE event.event LIKE 'prefect.{kind}-run.%' AND state.id IS NULL""",
    "events that tell another state": """
        SELECT count(*) FROM event JOIN {kind}_run_state state ON state.id = event.id
        WHERE (event.event, event.occurred) <> ('prefect.{kind}-run.' || state.name, state.timestamp)""",
}
_OF_OTHERS: dict[str, LiteralString] = {
    "events without their resource": """
        SELECT count(*) FROM event LEFT JOIN event_resource resource
        ON (resource.resource_id, resource.occurred, resource.event_id, resource.role)
        = (event.resource_id, event.occurred, event.id, '') WHERE resource.event_id IS NULL""",
    "resources without their event": """
        SELECT count(*) FROM event_resource resource LEFT JOIN event ON event.id = resource.event_id
        WHERE event.id IS NULL""",
    "parts of requests with log lines": """
        SELECT count(*) FROM (SELECT 1 FROM log GROUP BY name HAVING count(*) <> {lines}) AS parts""",
}


def halves(database_url: str) -> dict[str, int]:
    """What is kept without what belongs to it, and how often: nothing, when all is well."""
    questions: dict[str, LiteralString] = {
        **{f"flow {what}": text.replace("{kind}", "flow") for what, text in _OF_RUNS.items()},
        **{f"task {what}": text.replace("{kind}", "task") for what, text in _OF_RUNS.items()},
        **{what: text.replace("{lines}", f"{LINES_AT_ONCE}") for what, text in _OF_OTHERS.items()},
    }
    url = make_url(database_url)
    ask = _ask_sqlite if url.get_backend_name() == "sqlite" else _ask_postgresql
    return {what: found for what, found in ask(database_url, questions).items() if found}


def _ask_sqlite(database_url: str, questions: dict[str, LiteralString]) -> dict[str, Any]:
    connection = sqlite3.connect(make_url(database_url).database or "", isolation_level=None)
    try:
        connection.execute("BEGIN")
        answers = {what: connection.execute(text).fetchone()[0] for what, text in questions.items()}
        damages = connection.execute("PRAGMA integrity_check").fetchall()
        return {**answers, **{problem: 1 for (problem,) in damages if problem != "ok"}}
    finally:
        connection.close()


def _ask_postgresql(database_url: str, questions: dict[str, LiteralString]) -> dict[str, Any]:
    with psycopg.connect(database_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        answers = {}
        for what, text in questions.items():
            row = connection.execute(text).fetchone()
            assert row is not None
            answers[what] = row[0]
        return answers
