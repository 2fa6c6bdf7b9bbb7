"""Every recorded transition ends here as it does on the reference server, but for the differences named below."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.orchestration.cases import FLOW_RUN_CASES, TASK_RUN_CASES, Case
from tests.orchestration.replay import flow_run_world, replay, task_run_world

_RECORDED: dict[str, list[tuple[str, str, list[str]]]] = json.loads(
    (Path(__file__).parent / "data" / "transitions.json").read_text()
)


def _differences(resource: str, world: Any) -> list[str]:
    different = []
    for kind, steps, expected in _RECORDED[resource]:
        case = Case(kind, tuple(steps.split()))
        wanted, got = [_as_decided(outcome) for outcome in expected], replay(world(kind), case)
        if got != wanted:
            different.append(f"{kind} {steps}: expected {wanted}, got {got}")
    return different


def _as_decided(outcome: str) -> str:
    """The recorded outcome, but for what we do otherwise on purpose.

    A refused attempt to leave a pause changes nothing here; there it marks the run as resuming, so that its next
    attempt is not counted.
    """
    return outcome.removesuffix(" resuming") if outcome.startswith("REJECT PAUSED:") else outcome


@pytest.mark.parametrize(("resource", "world"), [("flow_runs", flow_run_world), ("task_runs", task_run_world)])
def test_transitions_end_as_on_the_reference_server(resource: str, world: Any) -> None:
    """Status, state and what the run's columns say are the same for each pair of states and each sequence."""
    assert _differences(resource, world) == []


@pytest.mark.parametrize(("resource", "cases"), [("flow_runs", FLOW_RUN_CASES), ("task_runs", TASK_RUN_CASES)])
def test_every_case_is_recorded(resource: str, cases: list[Case]) -> None:
    """The data are renewed with `python -m tests.orchestration.record` when the cases change."""
    assert [(kind, steps) for kind, steps, _ in _RECORDED[resource]] == [
        (case.kind, " ".join(case.steps)) for case in cases
    ]
