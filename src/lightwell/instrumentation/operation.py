"""`@operation`: a verb of the domain becomes a span with duration and outcome, without knowing it."""

from collections.abc import Callable
from functools import partial, wraps
from time import perf_counter_ns
from typing import Concatenate, ParamSpec, TypeVar

from lightwell.instrumentation import metrics
from lightwell.instrumentation.outcomes import failed, outcome_of
from lightwell.instrumentation.recording import current, recording_to

P = ParamSpec("P")
T = TypeVar("T")
Tx = TypeVar("Tx")


def operation(verb: Callable[Concatenate[Tx, P], T]) -> Callable[Concatenate[Tx, P], T]:
    """Observe a synchronous verb `verb(tx, ...)`.

    Its name in telemetry is its module's last part and its own: `flow_runs.set_state`. The outcome is `ok` or the name
    of the error's class. Arguments and results are never recorded.
    """
    name = f"{verb.__module__.rpartition('.')[2]}.{verb.__name__}"

    @wraps(verb)
    def observed(tx: Tx, /, *args: P.args, **kwargs: P.kwargs) -> T:
        entries = recording_to()
        started = perf_counter_ns()
        if entries is not None:
            entries.append(("enter", started, name))
        error: BaseException | None = None
        try:
            return verb(tx, *args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            ended = perf_counter_ns()
            outcome, is_failed = outcome_of(error), failed(error)
            if entries is not None:
                entries.append(("leave", ended, outcome, is_failed))
            error = None
            if metrics.LIVE:
                recording = current()
                record = partial(metrics.operation_ended, name, outcome, ended - started)
                if recording is None:
                    record()
                else:
                    recording.measure(record, is_failed=is_failed)

    return observed
