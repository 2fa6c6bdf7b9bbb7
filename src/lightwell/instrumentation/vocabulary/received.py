"""The signals about spans that others send to this server (`/v1/traces`)."""

from typing import Final

from lightwell.instrumentation.vocabulary.attribute import AttributeName
from lightwell.instrumentation.vocabulary.metric import Metric

SCOPE_NAME: Final = "otel.scope.name"
TASK_RUN: Final = "lightwell.task_run_id"
RECEIVED: Final = "lightwell.received.result"

RECEIVED_ATTRIBUTES: Final = (
    AttributeName(SCOPE_NAME, "string", "The library that made a span of a client."),
    AttributeName(TASK_RUN, "string", "The task run that was worked on."),
    AttributeName(
        RECEIVED,
        "string",
        "`taken`, `invalid` (no ids, or a time that never was), `too_large` or `too_many` for one request, "
        "`queue_full` or `off`: the store has no room, or trouble, and who sent them is asked to send them again.",
    ),
)

SPANS_RECEIVED: Final = Metric(
    "lightwell.telemetry.received", "counter", "{span}", "Spans that clients and workers sent.", (RECEIVED,)
)
RECEIVED_METRICS: Final = (SPANS_RECEIVED,)
