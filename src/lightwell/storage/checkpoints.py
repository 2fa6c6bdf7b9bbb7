"""Moves what SQLite's write-ahead log holds into the database file, beside the writer instead of in its way."""

import sqlite3
from pathlib import Path
from threading import Event, Thread

_PERIOD_SECONDS = 1.0
_OVERGROWN_PAGES = 16_384
"""64 MB: a log that is written to without a pause is never found empty, and has to be begun anew by force."""


class Checkpointer:
    """A thread with a connection of its own, which empties the log within about a second after a commit.

    So it also bounds what a loss of power can take when commits are not synchronized one by one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._due = Event()
        self._end = Event()
        self._thread = Thread(target=self._run, name="sqlite-checkpoints", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def note_commit(self) -> None:
        """Say that there is something in the log; called by the writer after each commit."""
        if not self._due.is_set():
            self._due.set()

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._end.set()
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=1.0)
        try:
            while True:
                self._due.wait()
                if self._end.wait(_PERIOD_SECONDS):
                    return
                self._due.clear()
                self._empty(connection)
        finally:
            connection.close()

    @staticmethod
    def _empty(connection: sqlite3.Connection) -> None:
        try:
            _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages > _OVERGROWN_PAGES:
                connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        except sqlite3.Error:
            # A full or failing disk is the writer's to report; the log keeps everything until the next attempt.
            return
