"""Settings of the server."""

from datetime import timedelta
from typing import Literal

from lightwell.contract.settings.services import ServicesSettings
from lightwell.contract.settings.setting import Group, LogLevel, Secret


class ServerAPISettings(Group):
    """Where the server listens, and to whom."""

    auth_string: Secret | None = None
    host: str = "127.0.0.1"
    port: int = 4200
    base_path: str | None = None
    default_limit: int = 200
    keepalive_timeout: int = 5
    csrf_protection_enabled: bool = False
    csrf_token_expiration: timedelta = timedelta(hours=1)
    cors_allowed_origins: str = "*"
    cors_allowed_methods: str = "*"
    cors_allowed_headers: str = "*"
    websocket_ping_interval: float = 20.0
    websocket_ping_timeout: float = 20.0
    max_parameter_size: int = 524_288


class ServerConcurrencySettings(Group):
    """How long slots are leased."""

    lease_storage: str = "prefect.server.concurrency.lease_storage.memory"
    initial_deployment_lease_duration: float = 300.0
    maximum_concurrency_slot_wait_seconds: float = 30


class SQLAlchemyTLSSettings(Group):
    """How the connection to the database is encrypted."""

    enabled: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    check_hostname: bool = True


class SQLAlchemyConnectArgsSettings(Group):
    """How the server connects to the database."""

    application_name: str | None = None
    search_path: str | None = None
    statement_cache_size: int | None = None
    prepared_statement_cache_size: int | None = None
    tls: SQLAlchemyTLSSettings = SQLAlchemyTLSSettings()


class SQLAlchemySettings(Group):
    """How many connections the server keeps."""

    connect_args: SQLAlchemyConnectArgsSettings = SQLAlchemyConnectArgsSettings()
    pool_size: int = 5
    pool_recycle: int = 3600
    pool_timeout: float | None = 30.0
    max_overflow: int = 10


class ServerDatabaseSettings(Group):
    """Where the database is."""

    sqlalchemy: SQLAlchemySettings = SQLAlchemySettings()
    connection_url: Secret | None = None
    driver: Literal["postgresql+asyncpg", "sqlite+aiosqlite"] | None = None
    host: str | None = None
    port: int | None = None
    user: str | None = None
    name: str | None = None
    password: Secret | None = None
    echo: bool = False
    migrate_on_start: bool = True
    timeout: float | None = 10.0
    connection_timeout: float | None = 5.0
    migration_timeout: float | None = None


class ServerDeploymentsSettings(Group):
    """How long runs of a deployment wait for a slot."""

    concurrency_slot_wait_seconds: float = 30.0


class ServerDocketSettings(Group):
    """Where background work is queued."""

    name: str = "prefect-server"
    url: str = "memory://"


class ServerEphemeralSettings(Group):
    """Whether clients start a server of their own."""

    enabled: bool = False
    startup_timeout_seconds: int = 20


class ServerEventsSettings(Group):
    """What events may hold, and how long they are kept."""

    stream_out_enabled: bool = True
    related_resource_cache_ttl: timedelta = timedelta(minutes=5)
    maximum_labels_per_resource: int = 500
    maximum_related_resources: int = 100
    maximum_size_bytes: int = 1_500_000
    expired_bucket_buffer: timedelta = timedelta(minutes=1)
    proactive_granularity: timedelta = timedelta(seconds=5)
    retention_period: timedelta = timedelta(days=7)
    maximum_websocket_backfill: timedelta = timedelta(minutes=15)
    websocket_backfill_page_size: int = 250
    messaging_broker: str = "prefect.server.utilities.messaging.memory"
    messaging_cache: str = "prefect.server.utilities.messaging.memory"
    causal_ordering: str = "prefect.server.events.ordering.memory"
    maximum_event_name_length: int = 1024


class ServerFlowRunGraphSettings(Group):
    """How large a graph may be."""

    max_nodes: int = 10_000
    max_artifacts: int = 10_000


class ServerLogsSettings(Group):
    """Whether logs are streamed."""

    stream_out_enabled: bool = False
    stream_publishing_enabled: bool = False


class ServerTasksSchedulingSettings(Group):
    """How many background tasks may wait."""

    max_scheduled_queue_size: int = 1000
    max_retry_queue_size: int = 100
    pending_task_timeout: timedelta = timedelta(0)


class ServerTasksSettings(Group):
    """Limits of task runs."""

    tag_concurrency_slot_wait_seconds: float = 10
    max_cache_key_length: int = 2000
    scheduling: ServerTasksSchedulingSettings = ServerTasksSchedulingSettings()


class ServerUISettings(Group):
    """The pages that the server serves."""

    enabled: bool = True
    v2_enabled: bool = True
    api_url: str | None = None
    serve_base: str = "/"
    static_directory: str | None = None
    show_promotional_content: bool = True


class ServerWorkerChannelSettings(Group):
    """How workers are told to clean up."""

    cleanup_queue_storage: str = "prefect.server.worker_communication.cleanup_queue.memory"
    cleanup_lease_seconds: float = 30
    cleanup_max_delivery_attempts: int = 3
    cleanup_completed_idempotency_retention_seconds: float | None = None


class ServerSettings(Group):
    """Settings of the server, by group."""

    logging_level: LogLevel = "WARNING"
    analytics_enabled: bool = True
    metrics_enabled: bool = False
    log_retryable_errors: bool = False
    register_blocks_on_start: bool = True
    memoize_block_auto_registration: bool = True
    memo_store_path: str = ""
    deployment_schedule_max_scheduled_runs: int = 50
    api: ServerAPISettings = ServerAPISettings()
    concurrency: ServerConcurrencySettings = ServerConcurrencySettings()
    database: ServerDatabaseSettings = ServerDatabaseSettings()
    deployments: ServerDeploymentsSettings = ServerDeploymentsSettings()
    docket: ServerDocketSettings = ServerDocketSettings()
    ephemeral: ServerEphemeralSettings = ServerEphemeralSettings()
    events: ServerEventsSettings = ServerEventsSettings()
    flow_run_graph: ServerFlowRunGraphSettings = ServerFlowRunGraphSettings()
    logs: ServerLogsSettings = ServerLogsSettings()
    services: ServicesSettings = ServicesSettings()
    tasks: ServerTasksSettings = ServerTasksSettings()
    ui: ServerUISettings = ServerUISettings()
    worker_channel: ServerWorkerChannelSettings = ServerWorkerChannelSettings()
