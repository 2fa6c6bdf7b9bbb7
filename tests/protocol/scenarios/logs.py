"""Logs: written in batches, filtered, downloaded as CSV."""

from tests.protocol.scenario import Call, Json, Scenario
from tests.protocol.scenarios.words import MAKE_FLOW, make_run


def _log(message: str, second: int, level: int = 20, **members: Json) -> Json:
    return {
        "name": "prefect.flow_runs",
        "level": level,
        "message": message,
        "timestamp": f"2030-01-01T00:00:{second:02}.5Z",
        "flow_run_id": "$run",
        **members,
    }


def _listed(sort: str | None = None, limit: int | None = None, offset: int | None = None, **logs: Json) -> Call:
    body: dict[str, Json] = {"logs": {"flow_run_id": {"any_": ["$run"]}, **logs}}
    chosen = {"sort": sort, "limit": limit, "offset": offset}
    return Call(
        request="POST /logs/filter",
        body=body | {name: value for name, value in chosen.items() if value is not None},
        pick=("message",),
    )


_WRITE = (
    MAKE_FLOW,
    make_run(),
    Call(
        request="POST /logs/",
        body=[
            _log('second, with "quotes"\nand lines', 2, 30, task_run_id="$uuid_task"),
            _log("first", 1),
            _log("third Error", 3, 40),
        ],
    ),
    Call(request="POST /logs/filter", body={"logs": {"flow_run_id": {"any_": ["$run"]}}}, until={"#": 3}),
)

SCENARIOS = (
    Scenario(
        name="logs-filtered",
        title="Logs are read in the order of their time, filtered by every means",
        steps=(
            *_WRITE,
            _listed("TIMESTAMP_DESC"),
            _listed("TIMESTAMP_ASC", 1, 1),
            _listed(level={"ge_": 30}),
            _listed(level={"le_": 30}),
            _listed(timestamp={"after_": "2030-01-01T00:00:02.5Z"}),
            _listed(timestamp={"before_": "2030-01-01T00:00:02.5Z"}),
            _listed(task_run_id={"any_": ["$uuid_task"]}),
            _listed(task_run_id={"is_null_": True}),
            Call(
                request="POST /logs/filter",
                body={"logs": {"operator": "or_", "level": {"ge_": 9999}, "task_run_id": {"any_": ["$uuid_task"]}}},
                pick=("message",),
            ),
            _listed(nope=1),
            Call(request="POST /logs/filter", body={"limit": 201}),
            Call(request="POST /logs/filter", body={"sort": "NOPE"}),
            Call(request="POST /logs/filter", body={"logs": {"flow_run_id": {"any_": ["$uuid_missing"]}}}),
        ),
    ),
    Scenario(
        name="logs-searched",
        title="Words in a log's text: any of them, none with a minus, all with a plus, phrases in quotes",
        server="postgres",
        steps=(
            *_WRITE,
            *(
                _listed(text={"query": query})
                for query in (
                    "error",
                    "ERROR",
                    "-error",
                    "!error",
                    "first third",
                    "+third +error",
                    "+third first",
                    "third -error",
                    '"third error"',
                    '"with \\"quotes\\""',
                    "quotes",
                    "%",
                    "_",
                    "",
                    " ",
                    "- error",
                    "flow_runs",
                    "x" * 201,
                )
            ),
        ),
    ),
    Scenario(
        name="logs-downloaded",
        title="All logs of a run come as one CSV file that is named after the run",
        steps=(
            *_WRITE,
            Call(request="GET /flow_runs/$run/logs/download", keep=("content-disposition",)),
            Call(request="PATCH /flow_runs/$run", body={"name": 'a name, with ünï / "'}),
            Call(request="POST /flow_runs/", body={"flow_id": "$flow", "name": "none"}, save={"empty": "id"}),
            Call(request="GET /flow_runs/$run/logs/download", keep=("content-disposition",)),
            Call(request="GET /flow_runs/$empty/logs/download", keep=("content-disposition",)),
        ),
    ),
    Scenario(
        name="logs-refused",
        title="Which batches of logs are taken",
        steps=(
            Call(request="POST /logs/", body=[]),
            Call(request="POST /logs/", body={}),
            Call(request="POST /logs/", body=[{"name": "n", "level": 20, "message": "m"}]),
            Call(request="POST /logs/", body=[{"name": "n", "level": "x", "message": "m", "timestamp": "$now"}]),
            Call(
                request="POST /logs/", body=[{"name": "n", "level": 1, "message": "m", "timestamp": "$now", "more": 1}]
            ),
            Call(request="POST /logs/", body=[{"name": "n", "level": 1, "message": "no run", "timestamp": "$now"}]),
        ),
    ),
)
