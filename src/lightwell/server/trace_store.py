"""Which store of traces the settings ask for."""

from pathlib import Path
from typing import Final

from lightwell.settings import Settings
from lightwell.storage.database import parsed
from lightwell.telemetry.store import TraceStore
from lightwell.telemetry.writing import Ring

_USUAL: Final = "lightwell.sqlite3"
_OWN: Final = "traces.sqlite3"


def trace_store(settings: Settings, *, ephemeral: bool) -> TraceStore | None:
    """The store, not started; None where it is off."""
    chosen = settings.telemetry.store
    if chosen.mode == "off":
        return None
    path = path_of(settings)
    if chosen.mode == "memory" or (chosen.mode == "auto" and (ephemeral or path is None)):
        path, size = None, chosen.max_memory
    else:
        path, size = path or settings.home / _OWN, chosen.max_size
    return TraceStore(path, Ring(chosen.max_spans, size, chosen.max_age.total_seconds()))


def path_of(settings: Settings) -> Path | None:
    """The store's file, beside the data; None where nothing was chosen and the data is in memory."""
    chosen = settings.telemetry.store.path
    if chosen is not None:
        return chosen.expanduser().absolute()
    address = parsed(settings.database_url)
    if address.get_backend_name() != "sqlite":
        return settings.home / _OWN
    if not address.database or address.database == ":memory:":
        return None
    data = Path(address.database)
    return data.with_name(_OWN if data.name == _USUAL else f"{data.stem}-{_OWN}")
