"""The small types that members share."""

from itertools import count
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from lightwell.contract.values import (
    MAX_PARAMETERS_BYTES,
    Count,
    Int32,
    JsonObject,
    JsonValue,
    Labels,
    Name,
    Offset,
    PageNumber,
    Parameters,
    Prose,
    RunName,
    Seconds,
    Text,
    Unicode,
)

NUL = "a\x00b"
LONE_SURROGATE = "a\ud800b"


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def _endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["itself"] = value
    return value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Text, ""),
        (Text, "two\nlines"),
        (Name, "my flow (2)"),
        (Name, "größer"),
        (Unicode, NUL),
        (Int32, 2**31 - 1),
        (Int32, -(2**31)),
        (Count, 0),
        (Offset, 2**63 - 1),
        (PageNumber, 1),
        (Seconds, 0.5),
        (JsonValue, None),
        (JsonValue, [1, {"a": NUL}, 10**400]),
        (JsonObject, {"a": [1, 2.5, None, {"b": "c"}]}),
        (Parameters, {"a": "x" * (MAX_PARAMETERS_BYTES - 8)}),
        (Labels, {"a": 1, "b": 1.5, "c": "d", "e": True}),
    ],
    ids=count(),
)
def test_what_can_be_kept_is_kept_as_it_is(kind: Any, value: object) -> None:
    """A value that fits comes out as it went in, and of the same type."""
    kept = TypeAdapter(kind).validate_python(value)
    assert kept == value
    assert type(kept) is type(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Text, NUL),
        (Text, LONE_SURROGATE),
        (Text, 1),
        (Unicode, LONE_SURROGATE),
        (Name, ""),
        (Name, "a/b"),
        (Name, "50%"),
        (Name, "a&b"),
        (Name, "<a"),
        (Name, "a>"),
        (Name, NUL),
        (Int32, 2**31),
        (Int32, 10**400),
        (Int32, 1.5),
        (Int32, float("nan")),
        (Count, -1),
        (Offset, -1),
        (Offset, 2**63),
        (PageNumber, 0),
        (Seconds, -0.1),
        (Seconds, float("nan")),
        (Seconds, 1e300),
        (JsonValue, LONE_SURROGATE),
        (JsonValue, {"a": [LONE_SURROGATE]}),
        (JsonObject, {LONE_SURROGATE: 1}),
        (JsonObject, _nested(1000)),
        (JsonObject, []),
        (JsonObject, None),
        (JsonObject, _endless()),
        (JsonValue, _nested(1000)),
        (Parameters, {"a": "x" * MAX_PARAMETERS_BYTES}),
        (Parameters, {"a": LONE_SURROGATE}),
        (Labels, {"a": None}),
        (Labels, {"a": []}),
        (Labels, {"a": LONE_SURROGATE}),
        (Labels, {NUL: 1}),
    ],
    ids=count(),
)
def test_what_cannot_be_kept_is_refused(kind: Any, value: object) -> None:
    """A value that a column or JSON has no place for is a validation error."""
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("plain", "plain"),
        ("größer 🎈", "größer 🎈"),
        (NUL, "a\ufffdb"),
        (LONE_SURROGATE, "a\ufffdb"),
        ("\ud83c\udf88", "🎈"),
        ("ö\x00\udfff", "ö\ufffd\ufffd"),
    ],
)
def test_prose_is_mended_rather_than_refused(said: str, kept: str) -> None:
    """What a program says is never lost over a character that cannot be kept."""
    assert TypeAdapter(Prose).validate_python(said) == kept


@pytest.mark.parametrize("unnamed", ["", None])
def test_a_run_without_a_name_gets_one(unnamed: object) -> None:
    """Null and the empty name become two words."""
    name = TypeAdapter(RunName).validate_python(unnamed)
    assert len(name.split("-")) == 2
    assert TypeAdapter(RunName).validate_python("mine") == "mine"
