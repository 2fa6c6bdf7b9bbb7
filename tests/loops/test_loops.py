"""Which loops the settings ask for."""

from datetime import timedelta

from lightwell.loops import LOOPS, loops_of
from lightwell.orchestration.transition import Tuning
from lightwell.settings.loops import (
    CancellationCleanupSettings,
    ExporterNamesSettings,
    LateRunsSettings,
    LeaseExpirySettings,
    LoopSettings,
    PauseExpirationsSettings,
    RetentionSettings,
    StatisticsSettings,
)
from lightwell.storage.database import Database
from tests.timed import MovingClock

ALL = LoopSettings(
    retention=RetentionSettings(runs=timedelta(days=30), logs=timedelta(days=7)),
    exporter_names=ExporterNamesSettings(enabled=True),
)


def _names(settings: LoopSettings) -> list[str]:
    return [loop.name for loop in loops_of(settings, Tuning())]


def test_every_loop_is_asked_for_by_its_settings() -> None:
    """Each once, with its own period."""
    assert len(set(_names(ALL))) == len(LOOPS)
    periods = {loop.name: loop.period for loop in loops_of(ALL, Tuning())}
    assert periods["late_runs"] == ALL.late_runs.period
    assert periods["old_flow_runs"] == ALL.retention.period


def test_without_an_age_nothing_is_old() -> None:
    """By default events are."""
    assert _names(LoopSettings()) == [
        "late_runs", "pause_expirations", "cancellation_cleanup", "lease_expiry", "old_events", "deleted_logs",
        "statistics",
    ]  # fmt: skip


def test_each_can_be_left_out() -> None:
    """But not the lines of runs that somebody has deleted; nor can anything run when loops are off."""
    settings = LoopSettings(
        late_runs=LateRunsSettings(enabled=False),
        pause_expirations=PauseExpirationsSettings(enabled=False),
        cancellation_cleanup=CancellationCleanupSettings(enabled=False),
        lease_expiry=LeaseExpirySettings(enabled=False),
        retention=RetentionSettings(enabled=False),
        statistics=StatisticsSettings(enabled=False),
    )
    assert _names(settings) == ["deleted_logs"]
    assert _names(LoopSettings(enabled=False)) == []


async def test_each_finds_nothing_in_an_empty_database(store: Database, clock: MovingClock) -> None:
    """As they are made from the settings; those that count for metrics find what there is, be it nothing."""
    looking = [loop for loop in loops_of(ALL, Tuning()) if loop.name not in {"statistics", "exporter_names"}]
    assert [await loop.tick(store, clock) for loop in looking] == [0] * (len(LOOPS) - 2)
