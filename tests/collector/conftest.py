"""The real collector, built once for all who test with it."""

from pathlib import Path

import pytest

from tests.collector.real import binary


@pytest.fixture(scope="session")
def otelcol() -> Path:
    """The collector's program; the first one who asks on a machine waits for its build."""
    return binary()
