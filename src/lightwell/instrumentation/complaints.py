"""What is said about signals that could not be delivered: one line a minute in all, whichever signals they are.

What the exporters say themselves while they work for us is heard here instead of being written, so that the one line
has the reason.
"""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from lightwell.instrumentation.vocabulary import TELEMETRY_FAILED
from lightwell.instrumentation.words import log

_BETWEEN_LINES: Final = 60.0
_QUERY: Final = re.compile(r"\?[^\s'\")]+")
_USER: Final = re.compile(r"//[^/@\s]+@")
_MOST_REASON: Final = 300


class _Here(threading.local):
    reason: str | None = None
    listens = False


class Complaints:
    """Counts what is lost, and tells of it now and then."""

    def __init__(self) -> None:
        self._here = _Here()
        self._lock = threading.RLock()
        self._told_at = -_BETWEEN_LINES
        self._lost = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While this lasts, what exporters say in this thread is the reason of a failure."""
        self._here.listens, self._here.reason = True, None
        try:
            yield
        finally:
            self._here.listens = False

    def hears(self, record: logging.LogRecord) -> bool:
        """Whether a record is an exporter's that works for us, in which case it need not be written."""
        if not self._here.listens:
            return False
        self._here.reason = record.getMessage()
        return True

    def lost(self, signal: str, items: int, reason: str) -> None:
        """Say that items of a signal were lost, if nothing was said for a minute; what an exporter says goes first."""
        now = monotonic()
        with self._lock:
            self._lost += items
            if now - self._told_at < _BETWEEN_LINES:
                return
            self._told_at = now
            lost, self._lost = self._lost, 0
        shown = _USER.sub("//", _QUERY.sub("?*", self._here.reason or reason))[:_MOST_REASON]
        log.warning(TELEMETRY_FAILED.name, signal=signal, lost=lost, reason=shown)


COMPLAINTS: Final = Complaints()
