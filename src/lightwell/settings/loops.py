"""The settings of the work that the server does by the clock, loop by loop."""

from datetime import timedelta
from typing import Annotated

from lightwell.settings.section import NoneWhenEmpty, Section, setting
from lightwell.settings.values import Duration


class LateRunsSettings(Section):
    """Marks runs that should have started."""

    enabled: bool = setting(
        "Run this loop.",
        default=True,
        aliases=("PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED", "PREFECT_API_SERVICES_LATE_RUNS_ENABLED"),
    )
    period: Duration = setting(
        "How often the loop looks.",
        timedelta(seconds=5),
        aliases=("PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS", "PREFECT_API_SERVICES_LATE_RUNS_LOOP_SECONDS"),
        ge=timedelta(milliseconds=100),
        le=timedelta(days=1),
    )
    after: Duration = setting(
        "How long after its scheduled time a run that has not started is late.",
        timedelta(seconds=15),
        aliases=("PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS", "PREFECT_API_SERVICES_LATE_RUNS_AFTER_SECONDS"),
        ge=timedelta(0),
        le=timedelta(days=30),
    )
    batch_size: int = setting("Runs marked in one transaction.", 100, unit="runs", ge=1, le=10_000)


class PauseExpirationsSettings(Section):
    """Fails runs that were paused for too long."""

    enabled: bool = setting(
        "Run this loop.",
        default=True,
        aliases=("PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED", "PREFECT_API_SERVICES_PAUSE_EXPIRATIONS_ENABLED"),
    )
    period: Duration = setting(
        "How often the loop looks.",
        timedelta(seconds=5),
        aliases=(
            "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS",
            "PREFECT_API_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS",
        ),
        ge=timedelta(milliseconds=100),
        le=timedelta(days=1),
    )
    batch_size: int = setting("Runs failed in one transaction.", 100, unit="runs", ge=1, le=10_000)


class CancellationCleanupSettings(Section):
    """Cancels what a cancelled run left running."""

    enabled: bool = setting(
        "Run this loop.",
        default=True,
        aliases=(
            "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED",
            "PREFECT_API_SERVICES_CANCELLATION_CLEANUP_ENABLED",
        ),
    )
    period: Duration = setting(
        "How often the loop looks.",
        timedelta(seconds=20),
        aliases=(
            "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS",
            "PREFECT_API_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS",
        ),
        ge=timedelta(milliseconds=100),
        le=timedelta(days=1),
    )
    cancelling_timeout: Duration = setting(
        "How long a run may stay Cancelling before the server calls it Cancelled.",
        timedelta(seconds=300),
        aliases=("PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_CANCELLING_TIMEOUT_SECONDS",),
        ge=timedelta(seconds=1),
        le=timedelta(days=30),
    )
    batch_size: int = setting("Runs cancelled in one transaction.", 100, unit="runs", ge=1, le=10_000)


class LeaseExpirySettings(Section):
    """Gives back the concurrency slots of holders that stopped renewing."""

    enabled: bool = setting("Run this loop.", default=True, aliases=("PREFECT_SERVER_SERVICES_REPOSSESSOR_ENABLED",))
    period: Duration = setting(
        "How often the loop looks.",
        timedelta(seconds=15),
        aliases=("PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS",),
        ge=timedelta(milliseconds=100),
        le=timedelta(days=1),
    )
    batch_size: int = setting("Leases ended in one transaction.", 100, unit="leases", ge=1, le=10_000)


class RetentionSettings(Section):
    """Deletes what is old, a little at a time."""

    enabled: bool = setting("Run this loop.", default=True)
    period: Duration = setting(
        "How often the loop looks.", timedelta(minutes=1), ge=timedelta(milliseconds=100), le=timedelta(days=1)
    )
    runs: Annotated[Duration | None, NoneWhenEmpty] = setting(
        "How long a flow run is kept after it ended, with its task runs, states and logs; none keeps it for ever.",
        None,
        ge=timedelta(minutes=1),
    )
    logs: Annotated[Duration | None, NoneWhenEmpty] = setting(
        "How long a log line is kept; none keeps it as long as its run.", None, ge=timedelta(minutes=1)
    )
    events: Annotated[Duration | None, NoneWhenEmpty] = setting(
        "How long an event is kept; none keeps it for ever.",
        timedelta(days=7),
        aliases=("PREFECT_SERVER_EVENTS_RETENTION_PERIOD", "PREFECT_EVENTS_RETENTION_PERIOD"),
        ge=timedelta(minutes=1),
    )
    batch_size: int = setting(
        "Objects deleted in one transaction; small, so that it never holds up other writers.",
        200,
        unit="objects",
        ge=1,
        le=10_000,
    )


class StatisticsSettings(Section):
    """Counts runs, leases and tables for metrics; where nobody reads metrics it does nothing."""

    enabled: bool = setting("Run this loop.", default=True)
    period: Duration = setting(
        "How often the loop counts. What takes long is counted more seldom: a hundredth of the time is all it gets.",
        timedelta(seconds=15),
        ge=timedelta(milliseconds=100),
        le=timedelta(days=1),
    )
    sizes_period: Duration = setting(
        "How often it looks at the sizes of tables, at most.",
        timedelta(minutes=1),
        ge=timedelta(0),
        le=timedelta(days=1),
    )


class ExporterNamesSettings(Section):
    """Makes metrics by the names of prometheus-prefect-exporter, so that dashboards made for it keep working."""

    enabled: bool = setting(
        "Run this loop. Its metrics have the names of flows, deployments, pools and queues as labels.", default=False
    )
    period: Duration = setting(
        "How often the loop counts, at most.",
        timedelta(seconds=60),
        ge=timedelta(milliseconds=100),
        le=timedelta(days=1),
    )
    window: Duration = setting(
        "How far back flow runs are counted, as OFFSET_MINUTES of that exporter.",
        timedelta(minutes=5),
        ge=timedelta(seconds=1),
        le=timedelta(days=30),
    )
    most_series: int = setting(
        "Series of one metric; what is left out is counted by lightwell.exporter_names.dropped.",
        1000,
        unit="series",
        ge=1,
        le=100_000,
    )


class LoopSettings(Section):
    """The work the server does by the clock."""

    enabled: bool = setting("Run loops in this server at all.", default=True)
    late_runs: LateRunsSettings = LateRunsSettings()
    pause_expirations: PauseExpirationsSettings = PauseExpirationsSettings()
    cancellation_cleanup: CancellationCleanupSettings = CancellationCleanupSettings()
    lease_expiry: LeaseExpirySettings = LeaseExpirySettings()
    retention: RetentionSettings = RetentionSettings()
    statistics: StatisticsSettings = StatisticsSettings()
    exporter_names: ExporterNamesSettings = ExporterNamesSettings()
