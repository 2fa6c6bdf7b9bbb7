"""Work queues: here, only how other resources are filtered by them."""

from lightwell.contract.filter_shapes import Criteria, IdAny, TextAny
from lightwell.contract.values import Patterns


class WorkQueueNameFilter(TextAny):
    """The name is one of these, or starts with one of those, whatever the case of letters."""

    startswith_: Patterns | None = None


class WorkQueueFilter(Criteria):
    """Which work queues."""

    id: IdAny | None = None
    name: WorkQueueNameFilter | None = None
