"""The graph of a flow run: its task runs and subflows, what each waited for, and what it left behind."""

from typing import Any, Literal
from uuid import UUID

from lightwell.contract.model import Instant, Model
from lightwell.contract.states import State, StateType
from lightwell.contract.task_runs import TaskRunResult


class GraphState(Model):
    """A state that the flow run was in."""

    id: UUID
    timestamp: Instant
    type: StateType
    name: str


class GraphArtifact(Model):
    """An artifact of the flow run or of a node; only those of progress show their data."""

    id: UUID
    created: Instant
    key: str | None
    type: str | None
    is_latest: bool
    data: Any | None


class Edge(Model):
    """A node at the other end."""

    id: UUID


class Node(Model):
    """A task run or a subflow."""

    kind: Literal["flow-run", "task-run"]
    id: UUID
    label: str
    state_type: StateType
    start_time: Instant
    end_time: Instant | None
    parents: list[Edge]
    children: list[Edge]
    encapsulating: list[Edge]
    artifacts: list[GraphArtifact]


class Graph(Model):
    """A flow run's graph; each subflow is one node."""

    start_time: Instant | None
    end_time: Instant | None
    root_node_ids: list[UUID]
    nodes: list[tuple[UUID, Node]]
    artifacts: list[GraphArtifact]
    states: list[GraphState]


class Dependency(Model):
    """A task run with the task runs whose results it took: the older form of the graph."""

    id: UUID
    name: str
    upstream_dependencies: list[TaskRunResult]
    state: State | None
    expected_start_time: Instant | None
    start_time: Instant | None
    end_time: Instant | None
    total_run_time: float | None
    estimated_run_time: float | None
    untrackable_result: bool
