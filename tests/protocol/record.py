"""Records what the reference server answers: `python -m tests.protocol.record [--open URL] [--guarded URL] [NAME...]`.

Without URLs it starts the reference server of `tests/reference/`, on fresh databases.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from tests.postgres import PostgresServer
from tests.protocol.player import UNSETTLED, play
from tests.protocol.scenarios import SCENARIOS
from tests.reference.serve import GUARDED, reference_server

TRANSCRIPTS = Path(__file__).parent / "transcripts"


def main(arguments: Sequence[str]) -> None:
    """Play the named scenarios (all, unless told) and write their transcripts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="scenarios to record (default: all)")
    parser.add_argument("--open", help="API URL of a reference server with neither password nor CSRF protection")
    parser.add_argument("--guarded", help="API URL of a reference server with both")
    parser.add_argument("--postgres", help="API URL of a reference server on PostgreSQL")
    options = parser.parse_args(arguments)
    chosen = [item for item in SCENARIOS if not options.names or item.name in options.names]
    urls: dict[str, str] = {name: url for name in ("open", "guarded", "postgres") if (url := getattr(options, name))}
    with ExitStack() as servers:
        for scenario in chosen:
            if scenario.server not in urls:
                urls[scenario.server] = servers.enter_context(_reference_server(scenario.server, servers))
            transcript = play(scenario, urls[scenario.server], patient=True)
            if UNSETTLED in json.dumps(transcript):
                message = f"{scenario.name}: a condition did not come true"
                raise SystemExit(message)
            path = TRANSCRIPTS / f"{scenario.name}.json"
            path.write_text(json.dumps(transcript, indent=1, ensure_ascii=False) + "\n")
            sys.stdout.write(f"{path.name}\n")


def _reference_server(kind: str, resources: ExitStack) -> AbstractContextManager[str]:
    if kind == "guarded":
        return reference_server(GUARDED)
    if kind == "postgres":
        database = resources.enter_context(PostgresServer()).create_database()
        url = database.replace("postgresql://", "postgresql+asyncpg://")
        return reference_server({"PREFECT_API_DATABASE_CONNECTION_URL": url})
    return reference_server()


if __name__ == "__main__":
    main(sys.argv[1:])
