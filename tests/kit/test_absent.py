"""What is left out of imports."""

import sys
from importlib import import_module

import pytest

from lightwell.kit.absent import absent


def test_what_is_absent_cannot_be_imported_until_afterwards() -> None:
    """As if it was not installed."""
    with absent("wave"), pytest.raises(ImportError):
        import_module("wave")

    assert import_module("wave").__name__ == "wave"


def test_what_is_there_already_stays() -> None:
    """Whoever has imported it keeps the same module."""
    with absent("sys"):
        assert import_module("sys") is sys

    assert sys.modules["sys"] is sys
