"""Every setting, section by section: its meaning, unit, default, bounds and the names others have for it.

`settings.database.pool_size` is `LIGHTWELL_DATABASE_POOL_SIZE`; `environment.py` has the rule.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import SecretStr, ValidationInfo, field_validator

from lightwell.settings.section import NoneWhenEmpty, Section, setting
from lightwell.settings.values import Duration, Names, database_url


class ListenSettings(Section):
    """Where the server listens, and with how many processes."""

    host: str = setting(
        "The address to listen on; 0.0.0.0 is every IPv4 address of the machine.",
        "127.0.0.1",
        aliases=("PREFECT_SERVER_API_HOST",),
        min_length=1,
    )
    port: int = setting("The port to listen on.", 4200, aliases=("PREFECT_SERVER_API_PORT",), ge=0, le=65535)
    workers: int = setting("Server processes; more than one needs PostgreSQL.", 1, unit="processes", ge=1, le=256)
    keep_alive: Duration = setting(
        "How long an idle connection stays open.",
        timedelta(seconds=5),
        aliases=("PREFECT_SERVER_API_KEEPALIVE_TIMEOUT",),
        ge=timedelta(0),
        le=timedelta(hours=1),
    )
    shutdown_timeout: Duration = setting(
        "How long requests may take to finish once the server is told to stop.",
        timedelta(seconds=10),
        ge=timedelta(0),
        le=timedelta(hours=1),
    )
    websocket_ping_interval: Duration = setting(
        "How often the server pings an open websocket.",
        timedelta(seconds=20),
        aliases=("PREFECT_SERVER_API_WEBSOCKET_PING_INTERVAL",),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
    )
    websocket_ping_timeout: Duration = setting(
        "How long the server waits for the answer to its ping before it closes the websocket.",
        timedelta(seconds=20),
        aliases=("PREFECT_SERVER_API_WEBSOCKET_PING_TIMEOUT",),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
    )


class DatabaseSettings(Section):
    """Where rows are kept, and how hard the server may lean on it."""

    url: SecretStr | None = setting(
        "The database: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME. The default is a SQLite file "
        "called lightwell.sqlite3 in the home directory. URLs written for other Python drivers are understood.",
        None,
        aliases=("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL"),
    )
    synchronous: Literal["NORMAL", "FULL"] = setting(
        "SQLite only: what a commit waits for. An acknowledged write survives the death of the process in both; "
        "FULL also survives a power cut, and waits for the disk once a commit.",
        "NORMAL",
    )
    queue_limit: int = setting(
        "Units of work that may wait for the database; one more is answered 503 with Retry-After.",
        1000,
        unit="units",
        ge=1,
        le=100_000,
    )
    queue_timeout: Duration = setting(
        "How long a unit of work may wait for its turn before it is answered 503.",
        timedelta(seconds=10),
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
    )
    lock_timeout: Duration = setting(
        "How long a unit of work may wait for a row, or a file, that another program holds.",
        timedelta(seconds=5),
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
    )
    readers: int = setting("SQLite only: threads that read beside the one that writes.", 3, unit="threads", ge=1, le=64)
    pool_size: int = setting(
        "PostgreSQL only: connections, and threads that use them, in each server process.",
        8,
        unit="connections",
        aliases=("PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE", "PREFECT_SQLALCHEMY_POOL_SIZE"),
        ge=1,
        le=200,
    )
    statement_timeout: Duration = setting(
        "How long one statement may run before it is given up with a 503.",
        timedelta(seconds=10),
        aliases=("PREFECT_SERVER_DATABASE_TIMEOUT", "PREFECT_API_DATABASE_TIMEOUT"),
        ge=timedelta(milliseconds=100),
        le=timedelta(hours=1),
    )
    connect_timeout: Duration = setting(
        "PostgreSQL only: how long opening a connection may take.",
        timedelta(seconds=5),
        aliases=("PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT", "PREFECT_API_DATABASE_CONNECTION_TIMEOUT"),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=10),
    )
    migrate_on_start: bool = setting(
        "Bring the schema up to date when the server starts. When off, a schema that is behind stops the start.",
        default=True,
        aliases=("PREFECT_SERVER_DATABASE_MIGRATE_ON_START", "PREFECT_API_DATABASE_MIGRATE_ON_START"),
    )

    @field_validator("url", mode="before")
    @classmethod
    def _without_driver(cls, value: object) -> object:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return database_url(text) if isinstance(text, str) and text.strip() else None


class ApiSettings(Section):
    """What the REST API asks of its callers."""

    default_limit: int = setting(
        "The page size of lists when the caller names none, and the largest one a caller may name.",
        200,
        unit="objects",
        aliases=("PREFECT_SERVER_API_DEFAULT_LIMIT", "PREFECT_API_DEFAULT_LIMIT"),
        ge=1,
        le=10_000,
    )
    auth_string: Annotated[SecretStr | None, NoneWhenEmpty] = setting(
        "USER:PASSWORD that every caller must send as HTTP Basic; without it the API is open.",
        None,
        aliases=("PREFECT_SERVER_API_AUTH_STRING",),
    )
    csrf_enabled: bool = setting(
        "Ask for a CSRF token with every change.",
        default=False,
        aliases=("PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED", "PREFECT_SERVER_CSRF_PROTECTION_ENABLED"),
    )
    csrf_token_expiration: Duration = setting(
        "How long a CSRF token is good for.",
        timedelta(hours=1),
        aliases=("PREFECT_SERVER_API_CSRF_TOKEN_EXPIRATION", "PREFECT_SERVER_CSRF_TOKEN_EXPIRATION"),
        ge=timedelta(seconds=1),
        le=timedelta(days=30),
    )
    cors_origins: Names = setting(
        "Web origins, separated by commas, whose pages may call the API beside its own; * is every origin.",
        (),
        aliases=("PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS", "PREFECT_SERVER_CORS_ALLOWED_ORIGINS"),
    )
    cors_methods: Names = setting(
        "Methods those pages may use, separated by commas; * is every method.",
        ("*",),
        aliases=("PREFECT_SERVER_API_CORS_ALLOWED_METHODS", "PREFECT_SERVER_CORS_ALLOWED_METHODS"),
    )
    cors_headers: Names = setting(
        "Headers those pages may send, separated by commas; * is every header.",
        ("*",),
        aliases=("PREFECT_SERVER_API_CORS_ALLOWED_HEADERS", "PREFECT_SERVER_CORS_ALLOWED_HEADERS"),
    )
    max_request_body: int = setting(
        "The largest body of a request; a larger one is answered 413.",
        16 * 1024 * 1024,
        unit="bytes",
        ge=1024,
        le=1024**3,
    )
    max_cache_key_length: int = setting(
        "The longest cache key of a task run.",
        2000,
        unit="characters",
        aliases=("PREFECT_SERVER_TASKS_MAX_CACHE_KEY_LENGTH", "PREFECT_API_TASK_CACHE_KEY_MAX_LENGTH"),
        ge=1,
        le=100_000,
    )
    max_graph_nodes: int = setting(
        "The largest graph of a flow run that is drawn; a larger one is refused.",
        10_000,
        unit="nodes",
        aliases=("PREFECT_SERVER_FLOW_RUN_GRAPH_MAX_NODES", "PREFECT_API_MAX_FLOW_RUN_GRAPH_NODES"),
        ge=1,
        le=1_000_000,
    )
    least_version: str = setting(
        "The lowest API version (X-PREFECT-API-VERSION) a client may speak; a lower one is answered 400.",
        "0.8.0",
        pattern=r"^\d+\.\d+\.\d+$",
    )
    public_url: Annotated[str | None, NoneWhenEmpty] = setting(
        "The API's address as its callers see it, where a proxy stands before the server; "
        "the default is made from where the server listens.",
        None,
        pattern=r"^https?://[^\s/]+",
    )
    url: Annotated[str | None, NoneWhenEmpty] = setting(
        "The API that is asked by commands that look into a running server; "
        "the default is the one on this machine, on the port of LIGHTWELL_LISTEN_PORT.",
        None,
        aliases=("PREFECT_API_URL",),
    )


class UiSettings(Section):
    """The pages for the browser."""

    enabled: bool = setting(
        "Serve the pages at /.", default=True, aliases=("PREFECT_SERVER_UI_ENABLED", "PREFECT_UI_ENABLED")
    )
    directory: Annotated[Path | None, NoneWhenEmpty] = setting(
        "A directory of built pages with an index.html; the default is one small page that says what runs here.", None
    )
    api_url: Annotated[str | None, NoneWhenEmpty] = setting(
        "The API's address the pages call; the default is the public URL, or else the server's own.",
        None,
        aliases=("PREFECT_SERVER_UI_API_URL", "PREFECT_UI_API_URL"),
        pattern=r"^(https?://[^\s/]+|/)",
    )

    @field_validator("directory")
    @classmethod
    def _with_an_index(cls, directory: Path | None, info: ValidationInfo) -> Path | None:
        if directory is not None and info.data.get("enabled") and not os.access(directory / "index.html", os.R_OK):
            raise ValueError(f"{directory} has no index.html that can be read")
        return directory


class EventSettings(Section):
    """Events, as websockets give them out."""

    backfill: Duration = setting(
        "How far back a websocket that subscribes to events may reach.",
        timedelta(minutes=15),
        aliases=("PREFECT_SERVER_EVENTS_MAXIMUM_WEBSOCKET_BACKFILL", "PREFECT_EVENTS_MAXIMUM_WEBSOCKET_BACKFILL"),
        ge=timedelta(0),
        le=timedelta(days=30),
    )
    backfill_page: int = setting(
        "Stored events read at a time for a subscriber.",
        250,
        unit="events",
        aliases=("PREFECT_SERVER_EVENTS_WEBSOCKET_BACKFILL_PAGE_SIZE", "PREFECT_EVENTS_WEBSOCKET_BACKFILL_PAGE_SIZE"),
        ge=1,
        le=10_000,
    )


class LogSettings(Section):
    """Log lines of runs."""

    max_length: int = setting(
        "The longest message of a log line; a longer one is refused.",
        1_000_000,
        unit="characters",
        ge=100,
        le=100_000_000,
    )


class ConcurrencySettings(Section):
    """How long to wait for a slot, and how long a slot is held without being renewed."""

    deployment_slot_wait: Duration = setting(
        "How long a run waits before it asks again for a slot of its deployment.",
        timedelta(seconds=30),
        aliases=(
            "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS",
            "PREFECT_DEPLOYMENT_CONCURRENCY_SLOT_WAIT_SECONDS",
        ),
        ge=timedelta(0),
        le=timedelta(days=1),
    )
    tag_slot_wait: Duration = setting(
        "How long a task run waits before it asks again for a slot of its tags.",
        timedelta(seconds=10),
        aliases=(
            "PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS",
            "PREFECT_TASK_RUN_TAG_CONCURRENCY_SLOT_WAIT_SECONDS",
        ),
        ge=timedelta(0),
        le=timedelta(days=1),
    )
    max_slot_wait: Duration = setting(
        "The longest Retry-After of a limit that is full.",
        timedelta(seconds=30),
        aliases=("PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS",),
        ge=timedelta(0),
        le=timedelta(days=1),
    )
    initial_deployment_lease: Duration = setting(
        "How long a run holds its deployment's slot until its worker first renews it.",
        timedelta(seconds=300),
        aliases=("PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION",),
        ge=timedelta(seconds=30),
        le=timedelta(days=1),
    )
