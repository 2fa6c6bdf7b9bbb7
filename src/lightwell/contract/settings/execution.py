"""Settings of what runs flows and tasks: flows, tasks, results, runners and workers."""

from lightwell.contract.settings.setting import Group, LogLevel


class FlowsSettings(Group):
    """Defaults of flows."""

    heartbeat_frequency: int | None = 180
    default_retries: int = 0
    default_retry_delay_seconds: int | float | list[float] = 0


class ResultsSettings(Group):
    """Where results go."""

    default_serializer: str = "pickle"
    persist_by_default: bool = False
    default_storage_block: str | None = None
    local_storage_path: str = ""


class RunnerServerSettings(Group):
    """The web server of a runner."""

    enable: bool = False
    host: str = "localhost"
    port: int = 8080
    log_level: LogLevel = "ERROR"
    missed_polls_tolerance: int = 2


class RunnerSettings(Group):
    """How a runner works."""

    process_limit: int = 5
    poll_frequency: int = 10
    crash_on_cancellation_failure: bool = False
    auto_install_dependencies: bool = False
    server: RunnerServerSettings = RunnerServerSettings()


class TasksRunnerSettings(Group):
    """How many workers a task runner has."""

    thread_pool_max_workers: int | None = None
    process_pool_max_workers: int | None = None


class TasksSchedulingSettings(Group):
    """How background tasks are handed over."""

    default_storage_block: str | None = None
    delete_failed_submissions: bool = True


class TasksSettings(Group):
    """Defaults of tasks."""

    refresh_cache: bool = False
    default_no_cache: bool = False
    disable_caching: bool = False
    default_retries: int = 0
    default_retry_delay_seconds: str | int | float | list[float] | None = 0
    default_persist_result: bool | None = None
    runner: TasksRunnerSettings = TasksRunnerSettings()
    scheduling: TasksSchedulingSettings = TasksSchedulingSettings()


class WorkerWebserverSettings(Group):
    """The web server of a worker."""

    host: str = "0.0.0.0"  # noqa: S104 -- what the contract says of a worker, not where we listen
    port: int = 8080


class WorkerSettings(Group):
    """How a worker polls."""

    debug_mode: bool = False
    heartbeat_seconds: float = 30
    query_seconds: float = 10
    prefetch_seconds: float = 10
    enable_cancellation: bool = False
    cancellation_poll_seconds: float = 120
    webserver: WorkerWebserverSettings = WorkerWebserverSettings()
