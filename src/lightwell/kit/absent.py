"""Leaving out what other people's packages take along when they find it installed, and this program has no use for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Have imports of these modules fail inside, as if they were not installed; one that is there already stays.

    For a process of one's own that has a single thread yet: what is imported inside goes without them for good.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = cast("ModuleType", None)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
