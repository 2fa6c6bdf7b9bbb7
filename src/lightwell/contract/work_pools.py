"""Work pools: here, only how other resources are filtered by them."""

from lightwell.contract.filter_shapes import Criteria, IdAny, TextAny


class WorkPoolFilter(Criteria):
    """Which work pools."""

    id: IdAny | None = None
    name: TextAny | None = None
    type: TextAny | None = None
