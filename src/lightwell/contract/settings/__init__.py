"""The settings that `GET /admin/settings` tells of, in the contract's vocabulary and with its defaults.

Most belong to clients: a server answers their defaults. What this server goes by itself is in `lightwell.settings`.
"""

from pydantic import Field

from lightwell.contract.settings.client import (
    APISettings,
    ClientSettings,
    CLISettings,
    CloudSettings,
    DeploymentsSettings,
    EventsSettings,
    ExperimentsSettings,
    InternalSettings,
    LoggingSettings,
    PluginsSettings,
    TelemetrySettings,
    TestingSettings,
)
from lightwell.contract.settings.execution import (
    FlowsSettings,
    ResultsSettings,
    RunnerSettings,
    TasksSettings,
    WorkerSettings,
)
from lightwell.contract.settings.server import ServerSettings
from lightwell.contract.settings.setting import Group

__all__ = ["Settings"]


class Settings(Group):
    """All settings, by group."""

    home: str = Field(default="~/.prefect", json_schema_extra={"format": "path"})
    profiles_path: str = Field(default="", json_schema_extra={"format": "path"})
    debug_mode: bool = False
    api: APISettings = APISettings()
    cli: CLISettings = CLISettings()
    client: ClientSettings = ClientSettings()
    cloud: CloudSettings = CloudSettings()
    deployments: DeploymentsSettings = DeploymentsSettings()
    events: EventsSettings = EventsSettings()
    experiments: ExperimentsSettings = ExperimentsSettings()
    flows: FlowsSettings = FlowsSettings()
    internal: InternalSettings = InternalSettings()
    logging: LoggingSettings = LoggingSettings()
    plugins: PluginsSettings = PluginsSettings()
    results: ResultsSettings = ResultsSettings()
    runner: RunnerSettings = RunnerSettings()
    server: ServerSettings = ServerSettings()
    tasks: TasksSettings = TasksSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    testing: TestingSettings = TestingSettings()
    worker: WorkerSettings = WorkerSettings()
    ui_url: str | None = None
    silence_api_url_misconfiguration: bool = False
