"""The same requests get the same answers as from the reference server: each scenario beside its recorded transcript."""

import json
from collections.abc import Mapping
from difflib import unified_diff
from typing import Any

import pytest

from tests.protocol.conftest import Servers
from tests.protocol.differences import DIFFERENCES
from tests.protocol.player import play
from tests.protocol.record import TRANSCRIPTS
from tests.protocol.scenario import Json, Scenario
from tests.protocol.scenarios import SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_answers_as_the_reference_server_does(scenario: Scenario, servers: Servers) -> None:
    """Played on Lightwell, a scenario gives the transcript of the reference server, but for the listed differences."""
    recorded = json.loads((TRANSCRIPTS / f"{scenario.name}.json").read_text())
    played = play(scenario, servers.api_url(scenario.server))
    assert not list(_deviations(recorded, played)), _report(recorded, played)


def test_transcripts_belong_to_scenarios() -> None:
    """Every transcript has its scenario, and every scenario one transcript under a name of its own."""
    names = [scenario.name for scenario in SCENARIOS]
    assert sorted(names) == sorted(path.stem for path in TRANSCRIPTS.glob("*.json"))
    assert len(names) == len(set(names))


def _deviations(recorded: Mapping[str, Any], played: Mapping[str, Any]) -> list[str]:
    return list(unified_diff(_lines(recorded), _lines(played), "reference", "lightwell", n=4, lineterm=""))


def _report(recorded: Mapping[str, Any], played: Mapping[str, Any]) -> str:
    return "\n".join([f"{recorded['scenario']}: {recorded['title']}", *_deviations(recorded, played)])


def _lines(transcript: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for number, step in enumerate(transcript["steps"], 1):
        alike: dict[str, Json] = step
        for difference in DIFFERENCES:
            alike = difference.alike(alike)
        told = json.dumps(alike, indent=1, sort_keys=True, ensure_ascii=False)
        lines.extend(f"{number:2} {line}" for line in told.splitlines())
    return lines
