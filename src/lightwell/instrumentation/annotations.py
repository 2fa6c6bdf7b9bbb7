"""One fact about the present request or tick, bound to its span and to its log line at once."""

from uuid import UUID

from lightwell.instrumentation.recording import MOST_RUNS, Attribute, current

_PLAIN = (str, int, float, bool)
_RUN = "flow_run_id"


def annotate(**facts: Attribute | UUID | None) -> None:
    """Bind facts to the current root span and its canonical log line; `None` is left out.

    Works from endpoints and from database threads; outside of a request or tick it does nothing. A name without a
    dot gets the prefix `lightwell.` on the span and stands as it is in the log line. What is said twice counts as said
    last, but every `flow_run_id` is remembered. Never pass secrets or bodies: identifiers, kinds and counts.
    """
    recording = current()
    if recording is None:
        return
    for name, value in facts.items():
        if value is not None:
            said = recording.facts[name] = value if isinstance(value, _PLAIN) else str(value)
            if name == _RUN and len(recording.runs) < MOST_RUNS:
                recording.runs[str(said)] = None
