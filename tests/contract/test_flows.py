"""Flows."""

import pytest
from pydantic import ValidationError

from lightwell.contract.flows import FlowCreate, FlowFilter, FlowUpdate


def test_tags_keep_their_order_and_their_number() -> None:
    """Tags come back as they were sent; labels may be null."""
    flow = FlowCreate.model_validate({"name": "etl", "tags": ["b", "a", "a"], "labels": None})
    assert flow.tags == ["b", "a", "a"]
    assert flow.labels is None
    assert FlowCreate(name="etl").labels == {}


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "a/b"}, {"name": ""}, {"name": "a", "tags": None}, {"name": "a", "x": 1}],
)
def test_what_is_no_flow_is_refused(body: dict[str, object]) -> None:
    """A flow has a name that URLs can carry."""
    with pytest.raises(ValidationError):
        FlowCreate.model_validate(body)


def test_an_update_knows_what_was_sent() -> None:
    """Members that were not sent stay as they are."""
    assert FlowUpdate.model_validate({}).model_fields_set == set()
    assert FlowUpdate.model_validate({"tags": []}).model_fields_set == {"tags"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"operator": "or_", "name": {"like_": "x"}, "id": None},
        {"id": {"any_": [], "not_any_": None}},
        {"tags": {"operator": "and_", "all_": ["a"], "is_null_": False}},
        {"deployment": {"is_null_": True}},
    ],
)
def test_a_filter_may_say_nothing_or_a_lot(body: dict[str, object]) -> None:
    """Every criterion may be absent or null."""
    FlowFilter.model_validate(body)


@pytest.mark.parametrize(
    "body",
    [
        {"nope": 1},
        {"operator": "xor_"},
        {"operator": None},
        {"id": {"any_": ["x"]}},
        {"id": {"nope": []}},
        {"tags": {"any_": ["a"]}},
        {"name": {"any_": ["a\x00"]}},
    ],
)
def test_a_filter_refuses_what_it_does_not_know(body: dict[str, object]) -> None:
    """A misspelt criterion would list too much, so it is an error."""
    with pytest.raises(ValidationError):
        FlowFilter.model_validate(body)
