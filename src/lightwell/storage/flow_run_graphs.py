"""The graph of a flow run: rows are read by two statements, edges are drawn here.

A subflow is one node, under the id of its own flow run; the task run that stands for it is none.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, or_
from sqlalchemy import select as sql_select

from lightwell.contract.graphs import Dependency, Edge, Graph, GraphState, Node
from lightwell.contract.states import StateType
from lightwell.contract.task_runs import TaskRunResult
from lightwell.errors import NotFound, Rejected
from lightwell.storage import flow_run_states, flow_runs, task_runs
from lightwell.storage.states import STATE_TYPES
from lightwell.storage.tables import flow, flow_run, task_run
from lightwell.storage.transaction import Reader

_ENCAPSULATING = "__parents__"
"""The input under which a task run names the task runs that it was started inside of."""

_subflow = flow_run.alias("subflow")
_start = func.coalesce(
    _subflow.c.start_time, _subflow.c.expected_start_time, task_run.c.start_time, task_run.c.expected_start_time
)
_NODES = (
    sql_select(
        task_run.c.id,
        task_run.c.name,
        task_run.c.state_type,
        task_run.c.start_time,
        task_run.c.expected_start_time,
        task_run.c.end_time,
        task_run.c.task_inputs,
        _subflow.c.id,
        _subflow.c.name,
        flow.c.name,
        _subflow.c.state_type,
        _subflow.c.start_time,
        _subflow.c.expected_start_time,
        _subflow.c.end_time,
    )
    .select_from(
        task_run.outerjoin(_subflow, _subflow.c.parent_task_run_id == task_run.c.id).outerjoin(
            flow, flow.c.id == _subflow.c.flow_id
        )
    )
    .where(task_run.c.flow_run_id == bindparam("flow_run_id"), _start.is_not(None))
    .where(or_(_subflow.c.state_type.is_not(None), task_run.c.state_type.is_not(None)))
)


class _Vertex(NamedTuple):
    kind: str
    id: UUID
    label: str
    state_type: StateType
    start_time: datetime
    end_time: datetime | None
    parents: dict[UUID, None]
    encapsulating: dict[UUID, None]


def graph(reader: Reader, flow_run_id: UUID, *, since: datetime, most_nodes: int) -> Graph:
    """The task runs and subflows of a flow run that have not ended before `since`, with what each waited for.

    Raises NotFound, and Rejected for a graph of more than `most_nodes`.
    """
    run = flow_runs.find(reader, flow_run_id)
    if run is None:
        raise NotFound("flow_run", f"Flow run {flow_run_id} not found")
    rows = reader.execute(_NODES.limit(most_nodes + 1), {"flow_run_id": flow_run_id}).all()
    if len(rows) > most_nodes:
        message = f"The graph of flow run {flow_run_id} has more than {most_nodes} nodes."
        raise Rejected(message)
    vertices = {vertex.id: vertex for vertex in (_vertex(tuple(row)) for row in rows)}
    nodes = _nodes(vertices, since)
    return Graph(
        start_time=run.start_time or run.expected_start_time,
        end_time=run.end_time,
        root_node_ids=[node.id for node in nodes if not node.parents],
        nodes=[(node.id, node) for node in nodes],
        artifacts=[],
        states=[
            GraphState(id=state.id, timestamp=state.timestamp, type=state.type, name=state.name or "")
            for state in flow_run_states.select(reader, flow_run_id)
        ],
    )


def dependencies(reader: Reader, flow_run_id: UUID) -> list[Dependency]:
    """The task runs of a flow run, with the task runs whose results each took; raises NotFound."""
    if flow_runs.find(reader, flow_run_id) is None:
        raise NotFound("flow_run", f"Flow run with id {flow_run_id} not found")
    return [
        Dependency(
            id=run.id,
            name=run.name,
            upstream_dependencies=list(
                {
                    one.id: one
                    for inputs in run.task_inputs.values()
                    for one in inputs
                    if isinstance(one, TaskRunResult)
                }.values()
            ),
            state=run.state,
            expected_start_time=run.expected_start_time,
            start_time=run.start_time,
            end_time=run.end_time,
            total_run_time=run.total_run_time.total_seconds(),
            estimated_run_time=run.estimated_run_time.total_seconds(),
            untrackable_result=run.state is not None and run.state.state_details.untrackable_result,
        )
        for run in task_runs.select_of_flow_run(reader, flow_run_id)
    ]


def _vertex(row: tuple[Any, ...]) -> _Vertex:
    task_id, task_name, kind, start, expected, end, inputs = row[:7]
    child_id, child_name, flow_name, child_kind, child_start, child_expected, child_end = row[7:]
    state_type = STATE_TYPES[child_kind or kind]
    ended = child_end or end or (expected if kind == StateType.COMPLETED else None)
    is_subflow = child_id is not None
    return _Vertex(
        kind="flow-run" if is_subflow else "task-run",
        id=child_id if is_subflow else task_id,
        label=f"{flow_name} / {child_name}" if is_subflow else task_name,
        state_type=state_type,
        start_time=child_start or child_expected or start or expected,
        end_time=ended,
        parents=dict.fromkeys(_named(inputs, encapsulating=False)),
        encapsulating=dict.fromkeys(_named(inputs, encapsulating=True)),
    )


def _named(inputs: Mapping[str, Any], *, encapsulating: bool) -> Iterator[UUID]:
    for name, sources in inputs.items():
        if (name == _ENCAPSULATING) is encapsulating:
            for source in sources:
                if source.get("id"):
                    yield UUID(source["id"])


def _nodes(vertices: Mapping[UUID, _Vertex], since: datetime) -> list[Node]:
    children: dict[UUID, list[Edge]] = {vertex_id: [] for vertex_id in vertices}
    for vertex in vertices.values():
        for parent_id in vertex.parents:
            if parent_id in children:
                children[parent_id].append(Edge(id=vertex.id))
    shown = [vertex for vertex in vertices.values() if vertex.end_time is None or vertex.end_time >= since]
    shown.sort(
        key=lambda vertex: (vertex.start_time, vertex.end_time is not None, vertex.end_time or vertex.start_time)
    )
    return [
        Node(
            kind="flow-run" if vertex.kind == "flow-run" else "task-run",
            id=vertex.id,
            label=vertex.label,
            state_type=vertex.state_type,
            start_time=vertex.start_time,
            end_time=vertex.end_time,
            parents=[Edge(id=one) for one in vertex.parents if one in vertices],
            children=children[vertex.id],
            encapsulating=[Edge(id=one) for one in vertex.encapsulating if one in vertices],
            artifacts=[],
        )
        for vertex in shown
    ]
