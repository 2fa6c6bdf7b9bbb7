"""Starts the reference server on a fresh database: `python -m tests.reference.serve [PORT]`.

It needs older libraries than Lightwell, so it lives in an environment of its own (`.venv-reference`), which is made
when it is first needed.
"""

import os
import signal
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.serving import await_ready, free_port, stop

REQUIREMENTS = ("prefect==3.8.8", "fastapi==0.139.0", "sqlalchemy<2.1")
"""With a newer framework or SQLAlchemy it does not start, or schedules nothing."""
PASSWORD = "guard:dog"
GUARDED = {"PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true", "PREFECT_SERVER_API_AUTH_STRING": PASSWORD}
"""Settings of a server that wants a password and CSRF tokens."""
_ENVIRONMENT = Path(os.environ.get("REFERENCE_ENV", Path(__file__).parents[2] / ".venv-reference"))
_START_SECONDS = 90.0


def reference_python() -> Path:
    """The interpreter of the reference server's environment, which is made where it is absent."""
    python = _ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(_ENVIRONMENT, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    return python


@contextmanager
def reference_server(environment: Mapping[str, str] | None = None, port: int | None = None) -> Iterator[str]:
    """A running reference server with a database of its own; gives the URL of its API."""
    python = reference_python()
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="reference-") as home:
        settings = {
            "PREFECT_HOME": home,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "true",
            "PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED": "true",
            "DO_NOT_TRACK": "1",
            **(environment or {}),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        command: list[str | Path] = [
            python,
            "-m",
            "prefect",
            "server",
            "start",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        with (Path(home) / "server.log").open("w") as log:
            process = subprocess.Popen(command, env=inherited | settings, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}/api"
            await_ready(url, process, _START_SECONDS)
            yield url
        finally:
            stop(process)


def main() -> None:
    """Serve until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else None
    with reference_server(port=port) as url:
        sys.stdout.write(f"The reference server answers at {url}; Ctrl+C ends it.\n")
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
