"""What an operator can choose: one frozen object, read once, from the environment or from the embedding program.

The choices themselves are in `sections.py`; which names the environment has for them is in `environment.py`.
"""

from lightwell.settings.current import current_settings, use_settings
from lightwell.settings.failures import SettingsError
from lightwell.settings.loops import LoopSettings
from lightwell.settings.root import Settings, load
from lightwell.settings.sections import (
    ApiSettings,
    ConcurrencySettings,
    DatabaseSettings,
    EventSettings,
    ListenSettings,
    LogSettings,
    UiSettings,
)
from lightwell.settings.telemetry import TelemetrySettings
from lightwell.settings.trace_store import TraceStoreSettings

__all__ = [
    "ApiSettings",
    "ConcurrencySettings",
    "DatabaseSettings",
    "EventSettings",
    "ListenSettings",
    "LogSettings",
    "LoopSettings",
    "Settings",
    "SettingsError",
    "TelemetrySettings",
    "TraceStoreSettings",
    "UiSettings",
    "current_settings",
    "load",
    "use_settings",
]
