"""Builds the collector that `manifest.yaml` describes, unless it is there already, and prints where it is.

It lies in the user's cache directory under a name that is made from everything that goes into it, so it outlives
`make clean`, checkouts share it, and a changed manifest is a new binary. Needs Go and its module proxy; several that
ask at the same time wait for one build.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

MANIFEST = Path(__file__).with_name("manifest.yaml")
BUILDER = "go.opentelemetry.io/collector/cmd/builder"
LINKER = "-s -w"
"""No tables for debuggers: a third smaller."""


def version() -> str:
    """The version of the collector, which is that of its builder too."""
    found = re.search(r"^  version: ([0-9.]+)$", MANIFEST.read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{MANIFEST} names no version")
    return found[1]


def place() -> Path:
    """Where the binary is once it is built."""
    ingredients = (MANIFEST.read_text(), BUILDER, LINKER, platform.system(), platform.machine())
    name = hashlib.sha256("\0".join(ingredients).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "lightwell" / f"otelcol-{version()}-{name}"


def build(target: Path) -> None:
    """Build in a directory that is thrown away, and move what came out to its place in one step."""
    go = shutil.which("go")
    if go is None:
        raise SystemExit("building the collector needs Go, which is not on the PATH")
    work = target.with_name(f"{target.name}.building")
    shutil.rmtree(work, ignore_errors=True)  # of a build that was broken off
    work.mkdir()
    environment = os.environ | {"GOBIN": str(work), "CGO_ENABLED": "0"}
    _run([go, "install", f"{BUILDER}@v{version()}"], environment, work)
    _run([f"{work}/builder", "--config", str(MANIFEST), f"--ldflags={LINKER}"], environment, work)
    (work / "out" / "otelcol").replace(target)
    shutil.rmtree(work)


def _run(command: list[str], environment: dict[str, str], work: Path) -> None:
    """Run a command that tells what it does on standard error, to keep standard output for the path alone."""
    ended = subprocess.run(command, env=environment, cwd=work, stdout=sys.stderr, check=False)
    if ended.returncode:
        raise SystemExit(f"{command[0]} ended with exit status {ended.returncode}")


def main() -> None:
    """Build if need be; print the path."""
    target = place()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            began = time.monotonic()
            print(f"building the collector {version()}, once; this takes some minutes", file=sys.stderr)
            build(target)
            size = target.stat().st_size / 1e6
            print(f"built in {time.monotonic() - began:.0f} s, {size:.0f} MB", file=sys.stderr)
    print(target)


if __name__ == "__main__":
    main()
