"""The settings of the embedded store of traces."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from lightwell.settings.section import NoneWhenEmpty, Section, setting
from lightwell.settings.values import Duration

_MIB = 1024 * 1024


class TraceStoreSettings(Section):
    """The embedded store of traces: what can be seen without a collector, under /api/telemetry."""

    mode: Literal["auto", "file", "memory", "off"] = setting(
        "Where kept traces are stored: file, memory, off, or auto: a file, and memory for an ephemeral server.", "auto"
    )
    path: Annotated[Path | None, NoneWhenEmpty] = setting(
        "The file. The default is traces.sqlite3 in the home directory; with a SQLite database elsewhere, or of "
        "another name, NAME-traces.sqlite3 beside it.",
        None,
    )
    max_size: int = setting(
        "The file's size; the oldest traces make room.", 64 * _MIB, unit="bytes", ge=_MIB, le=64 * 1024 * _MIB
    )
    max_memory: int = setting(
        "The same where traces are in memory.", 16 * _MIB, unit="bytes", ge=_MIB, le=4 * 1024 * _MIB
    )
    max_spans: int = setting("Spans that are kept.", 200_000, unit="spans", ge=100, le=100_000_000)
    max_age: Duration = setting(
        "How long traces are kept.", timedelta(days=7), ge=timedelta(minutes=1), le=timedelta(days=3650)
    )
