"""What an attribute is declared by."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class AttributeName:
    """An attribute: its type, and what it says."""

    name: str
    type: Literal["string", "int", "double", "boolean", "string[]", "int[]"]
    description: str
