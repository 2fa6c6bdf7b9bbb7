"""Parts of the program that are loaded by those who use them: the others pay neither time nor memory for the import.

The checks of types and of imports see such a part by an `if TYPE_CHECKING` import beside the call.
"""

from importlib import import_module
from typing import Any


def load(name: str) -> Any:
    """What `package.module:attribute` names, imported now unless it was before."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
