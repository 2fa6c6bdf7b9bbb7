"""Task runs, as requests and as reports in events."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from lightwell.contract.states import StateType
from lightwell.contract.task_runs import (
    Constant,
    FlowRunResult,
    Parameter,
    TaskRunCreate,
    TaskRunReport,
    TaskRunResult,
    TaskRunUpdate,
)

ID = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
KEYS = {"task_key": "load", "dynamic_key": "0"}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"input_type": "task_run", "id": str(ID)}, TaskRunResult(id=ID)),
        ({"input_type": "flow_run", "id": str(ID)}, FlowRunResult(id=ID)),
        ({"input_type": "parameter", "name": "a"}, Parameter(name="a")),
        ({"input_type": "constant", "type": "int"}, Constant(type="int")),
        ({"id": str(ID)}, TaskRunResult(id=ID)),
        ({"name": "a"}, Parameter(name="a")),
        ({"type": "int"}, Constant(type="int")),
    ],
)
def test_an_input_is_what_its_type_says(sent: dict[str, str], meant: object) -> None:
    """Where the type is absent, the members tell."""
    run = TaskRunCreate.model_validate(KEYS | {"task_inputs": {"x": [sent]}})
    assert run.task_inputs == {"x": [meant]}


@pytest.mark.parametrize(
    "more",
    [
        {"task_key": None},
        {"dynamic_key": 0},
        {"bogus": 1},
        {"cache_key": "x" * 2001},
        {"task_inputs": {"x": [{"input_type": "guess"}]}},
        {"task_inputs": {"x": [{"input_type": "parameter", "id": str(ID)}]}},
        {"cache_expiration": "never"},
    ],
)
def test_what_is_no_task_run_is_refused(more: dict[str, object]) -> None:
    """Keys are texts, and a cache key has at most 2000 characters."""
    with pytest.raises(ValidationError):
        TaskRunCreate.model_validate(KEYS | more)


def test_the_longest_cache_key_fits() -> None:
    """A cache key may have 2000 characters."""
    assert TaskRunCreate.model_validate(KEYS | {"cache_key": "x" * 2000}).cache_key == "x" * 2000


def test_a_task_run_without_a_name_gets_one() -> None:
    """Also where it is renamed to nothing."""
    assert TaskRunCreate.model_validate(KEYS).name
    assert TaskRunUpdate.model_validate({"name": None}).name


def _report(**task_run: Any) -> dict[str, Any]:
    return {
        "intended": {"from": "PENDING", "to": "RUNNING"},
        "initial_state": None,
        "validated_state": {
            "type": "RUNNING",
            "name": "Running",
            "message": "a\x00",
            "state_details": {},
            "data": None,
        },
        "task_run": {"name": "load-1", "total_run_time": 1.5, "new_in_3_9": True} | KEYS | task_run,
    }


def test_a_report_tells_the_run_and_its_state() -> None:
    """A client's event holds both; what it adds beside them is ignored."""
    report = TaskRunReport.model_validate(_report(run_count=1, labels={"prefect.flow.id": str(uuid4())}))
    assert report.validated_state.type is StateType.RUNNING
    assert report.validated_state.message == "a\ufffd"
    assert report.task_run.total_run_time == timedelta(seconds=1.5)
    assert "start_time" not in report.task_run.model_fields_set
    assert "run_count" in report.task_run.model_fields_set


@pytest.mark.parametrize(
    "payload",
    [
        {},
        _report(dynamic_key=None),
        _report(run_count=2**40),
        _report(total_run_time=1e300),
        _report() | {"validated_state": {"name": "Running"}},
    ],
)
def test_what_reports_nothing_is_refused(payload: dict[str, Any]) -> None:
    """A payload of another kind is a validation error."""
    with pytest.raises(ValidationError):
        TaskRunReport.model_validate(payload)
