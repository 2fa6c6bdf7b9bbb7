"""What a server has acknowledged to its clients, as they have written it down."""

from collections.abc import Callable
from dataclasses import dataclass, field

LINES_AT_ONCE = 5
"""How many log lines a client sends in one request."""


@dataclass
class Account:
    """Everything that was answered before the server was killed.

    `tripwire` is called once, with the acknowledgement number `trip_at`.
    """

    trip_at: int
    tripwire: Callable[[], None]
    acknowledged: int = 0
    flow_run_states: dict[str, list[str]] = field(default_factory=dict)
    """By flow run: the ids of its states, oldest first."""
    log_batches: dict[str, str] = field(default_factory=dict)
    """The flow run of each batch of log lines, by the batch's name."""
    task_run_states: dict[str, list[str]] = field(default_factory=dict)
    """By task run: the ids of the events that reported its states, oldest first."""

    def note_flow_run_state(self, flow_run_id: str, state_id: str) -> None:
        """A flow run was made in this state, or has entered it."""
        self.flow_run_states.setdefault(flow_run_id, []).append(state_id)
        self._note()

    def note_logs(self, flow_run_id: str, batch: str) -> None:
        """All lines of a batch are kept."""
        self.log_batches[batch] = flow_run_id
        self._note()

    def note_task_run_states(self, reports: list[tuple[str, str]]) -> None:
        """A ping was answered: these reports, task run and event, were sent before it."""
        for task_run_id, event_id in reports:
            self.task_run_states.setdefault(task_run_id, []).append(event_id)
        self._note()

    def _note(self) -> None:
        self.acknowledged += 1
        if self.acknowledged == self.trip_at:
            self.tripwire()
