"""docs/operating.md, "From a red panel to the cause": each of its failures, caused and found as it is written there."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.documents.transcripts import commands, prints, run, section
from tests.serving import lightwell_server

DOCUMENT = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
CHAPTER = section(DOCUMENT, "## From a red panel to the cause")
FAILURES = [line for line in CHAPTER.splitlines() if line.startswith("### ")]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of a shell beside the server that the page begins with."""
    home = tmp_path_factory.mktemp("night")
    settings = {"LIGHTWELL_TELEMETRY_BASELINE_RATIO": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    with lightwell_server(home, settings) as server:
        yield {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "DATA": str(home / "lightwell.sqlite3"),
            "API": server.api_url,
            "LIGHTWELL_API_URL": server.api_url,
            "COLUMNS": "140",
        }


def test_there_are_five() -> None:
    """The page shows as many failures as it says."""
    assert len(FAILURES) == 5


@pytest.mark.parametrize("failure", FAILURES)
def test_the_page_leads_to_the_cause(failure: str, shell: Mapping[str, str], tmp_path: Path) -> None:
    """Every command prints what the page says."""
    written = list(commands(section(DOCUMENT, failure)))

    assert len(written) > 1
    for command in written:
        output = run(command.text, shell, tmp_path)
        assert prints(command, output), f"$ {command.text}\n{output}\n-- and not --\n" + "\n".join(command.expected)
