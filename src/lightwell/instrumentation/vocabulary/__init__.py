"""Every span, metric, attribute and log event of this server by name: public API, the one place that names them.

A page for each kind of signal, and one for how Prometheus writes their names; `docs/telemetry.md` is made from them.
OpenTelemetry's stable HTTP and database names come first; `lightwell.*` is for what they lack.
"""

from lightwell.instrumentation.vocabulary.attribute import *
from lightwell.instrumentation.vocabulary.attributes import *
from lightwell.instrumentation.vocabulary.log_events import *
from lightwell.instrumentation.vocabulary.metric import *
from lightwell.instrumentation.vocabulary.metrics import *
from lightwell.instrumentation.vocabulary.prometheus import *
from lightwell.instrumentation.vocabulary.received import *
from lightwell.instrumentation.vocabulary.spans import *
from lightwell.instrumentation.vocabulary.trace_store import *
