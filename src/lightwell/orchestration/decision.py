"""The output of a decision, and the verdict that a single rule gives."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from lightwell.contract.states import State
from lightwell.orchestration.effects import Effect


class Status(StrEnum):
    """What the client is told: go on, adopt another state, stop, or ask again later."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    ABORT = "ABORT"
    WAIT = "WAIT"


class Verdict(NamedTuple):
    """A rule's objection; `state` is to be written in place of the proposed one, None: the run keeps what it has."""

    status: Status
    reason: str
    state: State | None = None
    delay_seconds: int | None = None


def reject(reason: str, state: State | None = None) -> Verdict:
    """The client shall adopt `state`, or the one that the run has."""
    return Verdict(Status.REJECT, reason, state)


def abort(reason: str) -> Verdict:
    """The client shall stop."""
    return Verdict(Status.ABORT, reason)


def wait(delay_seconds: int, reason: str) -> Verdict:
    """The client shall ask again after so many seconds."""
    return Verdict(Status.WAIT, reason, None, delay_seconds)


class Decision(NamedTuple):
    """What became of a proposed state.

    `state` is the run's state from now on. It is to be inserted, `changes` to be written to the run's columns
    and `effects` to be applied in order, if `writes`; otherwise it is the state that the run had. `rule` is the
    one that objected, None where none did.
    """

    status: Status
    state: State | None
    reason: str | None
    delay_seconds: int | None
    changes: Mapping[str, Any]
    effects: tuple[Effect, ...]
    rule: str | None = None

    @property
    def writes(self) -> bool:
        """Whether the run gets a new state."""
        return bool(self.changes)
