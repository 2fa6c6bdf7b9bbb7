"""Settings of the server's background services."""

from datetime import timedelta

from pydantic import Field

from lightwell.contract.settings.setting import Group


class CancellationCleanupSettings(Group):
    """When runs that are being cancelled are given up."""

    enabled: bool = True
    loop_seconds: float = 20
    cancelling_timeout_seconds: float = 300


class CleanupReconcilerSettings(Group):
    """How infrastructure that is left over is found."""

    enabled: bool = True
    loop_seconds: float = 5
    batch_size: int = 100


class DBVacuumSettings(Group):
    """What is deleted when it is old."""

    enabled: set[str] | bool | None = Field(default={"events"})
    loop_seconds: float = 3600
    orphan_cleanup_loop_seconds: float = 86_400
    retention_period: timedelta = timedelta(days=90)
    batch_size: int = 200
    event_retention_overrides: dict[str, timedelta] = Field(default={"prefect.flow-run.heartbeat": timedelta(days=7)})


class EventLoggerSettings(Group):
    """Whether events are logged."""

    enabled: bool = False


class EventPersisterSettings(Group):
    """How events are stored."""

    enabled: bool = True
    batch_size: int = 20
    read_batch_size: int = 1
    flush_interval: float = 5
    queue_max_size: int = 50_000
    max_flush_retries: int = 5


class ForemanSettings(Group):
    """When workers, queues and deployments count as gone."""

    enabled: bool = True
    loop_seconds: float = 15
    inactivity_heartbeat_multiple: int = 3
    fallback_heartbeat_interval_seconds: int = 30
    deployment_last_polled_timeout_seconds: int = 60
    work_queue_last_polled_timeout_seconds: int = 60


class LateRunsSettings(Group):
    """When a run counts as late."""

    enabled: bool = True
    loop_seconds: float = 5
    after_seconds: timedelta = timedelta(seconds=15)


class PauseExpirationsSettings(Group):
    """How paused runs time out."""

    enabled: bool = True
    loop_seconds: float = 5


class RepossessorSettings(Group):
    """How leases expire."""

    enabled: bool = True
    loop_seconds: float = 15


class SchedulerSettings(Group):
    """How far ahead runs are scheduled."""

    enabled: bool = True
    loop_seconds: float = 60
    recent_deployments_loop_seconds: float = 5
    deployment_batch_size: int = 100
    insert_batch_size: int = 500
    min_runs: int = 3
    max_runs: int = 100
    min_scheduled_time: timedelta = timedelta(hours=1)
    max_scheduled_time: timedelta = timedelta(days=100)


class TaskRunRecorderSettings(Group):
    """How task runs are made from events."""

    enabled: bool = True
    read_batch_size: int = 1
    batch_size: int = 1
    flush_interval: float = 5


class TriggersSettings(Group):
    """How automations are triggered."""

    enabled: bool = True
    read_batch_size: int = 1
    pg_notify_reconnect_interval_seconds: int = 10
    pg_notify_heartbeat_interval_seconds: int = 5


class ServicesSettings(Group):
    """The background services."""

    cancellation_cleanup: CancellationCleanupSettings = CancellationCleanupSettings()
    cleanup_reconciler: CleanupReconcilerSettings = CleanupReconcilerSettings()
    db_vacuum: DBVacuumSettings = DBVacuumSettings()
    event_logger: EventLoggerSettings = EventLoggerSettings()
    event_persister: EventPersisterSettings = EventPersisterSettings()
    foreman: ForemanSettings = ForemanSettings()
    late_runs: LateRunsSettings = LateRunsSettings()
    pause_expirations: PauseExpirationsSettings = PauseExpirationsSettings()
    repossessor: RepossessorSettings = RepossessorSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    task_run_recorder: TaskRunRecorderSettings = TaskRunRecorderSettings()
    triggers: TriggersSettings = TriggersSettings()
