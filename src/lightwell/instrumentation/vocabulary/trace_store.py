"""The metrics of the embedded store of traces."""

from typing import Final

from lightwell.instrumentation.vocabulary.attributes import STORE_DROP_REASON
from lightwell.instrumentation.vocabulary.metric import Metric

STORE_ON: Final = Metric(
    "lightwell.trace_store.on",
    "gauge",
    "{store}",
    "1 while the embedded store of traces works, 0 while trouble keeps it off; absent where a setting does.",
    across="min",
)
STORE_STORED: Final = Metric(
    "lightwell.trace_store.stored", "counter", "{span}", "Spans that the embedded store of traces took."
)
STORE_DROPPED: Final = Metric(
    "lightwell.trace_store.dropped",
    "counter",
    "{span}",
    "Spans that the embedded store of traces lost.",
    (STORE_DROP_REASON,),
)
STORE_SPANS: Final = Metric(
    "lightwell.trace_store.spans", "gauge", "{span}", "Spans that the embedded store of traces holds."
)
STORE_SIZE: Final = Metric(
    "lightwell.trace_store.size", "gauge", "By", "What the embedded store of traces takes of its file, or of memory."
)
STORE_OLDEST: Final = Metric(
    "lightwell.trace_store.oldest.age", "gauge", "s", "Age of the oldest trace in the embedded store."
)
STORE_WRITE: Final = Metric(
    "lightwell.trace_store.write.duration",
    "histogram",
    "s",
    "Duration of the embedded store's transactions, what makes them ready included.",
    (),
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
STORE_METRICS: Final = (
    STORE_ON,
    STORE_STORED,
    STORE_DROPPED,
    STORE_SPANS,
    STORE_SIZE,
    STORE_OLDEST,
    STORE_WRITE,
)
