"""Structured events from the edges: `log.info("loop.tick", loop="late_runs")`; `logging.py` has the pipeline behind."""

from typing import Any, Final, Protocol, cast

import structlog


class Target(Protocol):
    """What a structured logger can do."""

    def debug(self, event: str, /, **fields: Any) -> object:
        """For whoever debugs."""
        ...

    def info(self, event: str, /, **fields: Any) -> object:
        """As it should be."""
        ...

    def warning(self, event: str, /, **fields: Any) -> object:
        """Not as it should be."""
        ...

    def error(self, event: str, /, **fields: Any) -> object:
        """Broken."""
        ...


class Log:
    """A structured logger that stays the same object while the pipeline behind it changes.

    Each call takes a static event name from `vocabulary/` and fields: identifiers, kinds and counts; never objects or
    secrets.
    """

    __slots__ = ("_target",)

    def __init__(self) -> None:
        self._target: Target = cast("Target", structlog.get_logger("lightwell"))

    def bind_to(self, target: Target) -> None:
        """Send what follows to another structured logger."""
        self._target = target

    def debug(self, event: str, /, **fields: Any) -> None:
        """For whoever debugs; off by default."""
        self._target.debug(event, **fields)

    def info(self, event: str, /, **fields: Any) -> None:
        """What happened, as it should."""
        self._target.info(event, **fields)

    def warning(self, event: str, /, **fields: Any) -> None:
        """Time will mend it, or somebody should look one day."""
        self._target.warning(event, **fields)

    def error(self, event: str, /, **fields: Any) -> None:
        """Somebody should look; `exc_info=error` adds the traceback."""
        self._target.error(event, **fields)


log: Final = Log()
