"""Settings of clients: how they reach a server, log and print."""

from typing import Any, Literal

from pydantic import Field

from lightwell.contract.settings.setting import Group, LogLevel, Secret


class APISettings(Group):
    """How a client reaches the server."""

    url: str | None = None
    auth_string: Secret | None = None
    key: Secret | None = None
    tls_insecure_skip_verify: bool = False
    ssl_cert_file: str | None = None
    enable_http2: bool = False
    request_timeout: float = 60.0


class CLISettings(Group):
    """How the command line prints."""

    colors: bool = True
    prompt: bool | None = None
    wrap_lines: bool = True


class ClientMetricsSettings(Group):
    """Where a client serves metrics."""

    enabled: bool = False
    port: int = 4201


class ClientSettings(Group):
    """How a client asks and asks again."""

    max_retries: int = 5
    retry_jitter_factor: float = 0.2
    retry_extra_codes: str | int | set[int] | None = None
    csrf_support_enabled: bool = True
    custom_headers: dict[str, str] = Field(default_factory=dict)
    server_version_check_enabled: bool = True
    metrics: ClientMetricsSettings = ClientMetricsSettings()


class CloudSettings(Group):
    """Where the vendor's service is."""

    api_url: str = "https://api.prefect.cloud/api"
    enable_orchestration_telemetry: bool = True
    max_log_size: int = 25_000
    ui_url: str | None = None


class DeploymentsSettings(Group):
    """Defaults of deployments."""

    default_work_pool_name: str | None = None
    default_docker_build_namespace: str | None = None


class EventsSettings(Group):
    """How a client sends events."""

    worker_max_queue_size: int = 0


class ExperimentsSettings(Group):
    """Whether a client warns of experiments."""

    warn: bool = True


class InternalSettings(Group):
    """How a client logs about itself."""

    logging_level: LogLevel = "ERROR"


class LoggingToAPISettings(Group):
    """How a client sends logs to the server."""

    enabled: bool = True
    batch_interval: float = 2.0
    batch_size: int = 4_000_000
    max_log_size: int = 1_000_000
    when_missing_flow: Literal["warn", "error", "ignore"] = "warn"


class LoggingSettings(Group):
    """How runs log."""

    level: LogLevel = "INFO"
    config_path: str = ""
    extra_loggers: str | list[str] | None = None
    log_prints: bool = False
    colors: bool = True
    markup: bool = False
    to_api: LoggingToAPISettings = LoggingToAPISettings()


class PluginsSettings(Group):
    """Which plugins a client loads."""

    enabled: bool = False
    allow: set[str] | None = None
    deny: set[str] | None = None
    setup_timeout_seconds: float = 20.0
    strict: bool = False
    safe_mode: bool = False


class TelemetrySettings(Group):
    """What a client measures of its machine."""

    enable_resource_metrics: bool = True
    resource_metrics_interval_seconds: int = 10


class TestingSettings(Group):
    """Switches of the client's own tests."""

    test_mode: bool = False
    unit_test_mode: bool = False
    unit_test_loop_debug: bool = True
    test_setting: Any = "FOO"
