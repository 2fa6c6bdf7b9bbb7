"""Prometheus's own programs, as Debian's package `prometheus` brings them: run with what a test gives them."""

import subprocess
from pathlib import Path


def promtool(*arguments: str | Path, given: str | None = None) -> str:
    """What promtool printed; AssertionError with it where promtool is not content."""
    ran = subprocess.run(["promtool", *map(str, arguments)], input=given, capture_output=True, text=True, check=False)
    printed = ran.stdout + ran.stderr
    assert ran.returncode == 0, printed
    return printed
