"""Applications by the settings they were made from, so that asking twice makes one."""

from collections.abc import Callable

from fastapi import FastAPI

from lightwell.instrumentation import metrics
from lightwell.settings import Settings

Key = tuple[Settings, bool]
"""Settings, and whether the application is ephemeral."""


class AppCache:
    """Live applications; hits, misses and bypasses are counted by the metric `lightwell.app_cache.requests`."""

    def __init__(self) -> None:
        self._applications: dict[Key, FastAPI] = {}

    def __len__(self) -> int:
        """How many applications are kept."""
        return len(self._applications)

    def get(self, key: Key, make: Callable[[], FastAPI], *, bypass: bool) -> FastAPI:
        """The application for the key, made if there is none; with `bypass` a new one that is not kept."""
        found = None if bypass else self._applications.get(key)
        metrics.app_cache_asked("bypass" if bypass else "miss" if found is None else "hit")
        if bypass:
            return make()
        return found if found is not None else self._applications.setdefault(key, make())

    def clear(self) -> None:
        """Forget all applications; those in use go on."""
        self._applications.clear()
