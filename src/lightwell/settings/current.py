"""The settings in force: those that the embedding program chose for this context, else the environment's."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lightwell.settings.root import Settings, load

_chosen: ContextVar[Settings | None] = ContextVar("lightwell_settings", default=None)


@contextmanager
def use_settings(settings: Settings) -> Iterator[Settings]:
    """Put these settings in force inside the `with` block, in this task and in what it starts."""
    token = _chosen.set(settings)
    try:
        yield settings
    finally:
        _chosen.reset(token)


def current_settings() -> Settings:
    """The settings in force; raises SettingsError where the environment holds something that is none."""
    return _chosen.get() or load()
