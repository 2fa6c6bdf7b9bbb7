"""What every filter object has in common: criteria of one column, joined by an operator.

A criterion that is null says nothing. An empty `any_` matches nothing; an empty list of what to leave out leaves out
nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, true

from lightwell.contract.filter_shapes import Operator
from lightwell.contract.model import Input
from lightwell.storage.columns import Tags
from lightwell.storage.filters.dialects import (
    contains_any_case,
    has_all_tags,
    has_any_tag,
    is_one_of,
    starts_any_case,
)

Clause = ColumnElement[bool]
Column = ColumnElement[Any]
Members = Mapping[str, Callable[[Any], Clause]]
"""How each member of a filter object becomes a clause."""


def joined(criteria: Input, clauses: Sequence[Clause]) -> Clause:
    """The clauses as one, by the operator of the object that they come from (`and_` where it has none)."""
    if not clauses:
        return true()
    if len(clauses) == 1:
        return clauses[0]
    return or_(*clauses) if getattr(criteria, "operator", None) is Operator.OR else and_(*clauses)


def of_members(criteria: Input, members: Members) -> Clause:
    """The clause of a filter object, each of whose members is a filter object for something of its own."""
    return joined(
        criteria,
        [members[name](value) for name, value in criteria.__dict__.items() if value is not None and name != "operator"],
    )


def of_column(column: Column) -> Callable[[Input], Clause]:
    """How a filter object about one column becomes a clause."""
    return lambda criteria: joined(criteria, _tests(column, criteria))


def of_time(column: Column, within: Column) -> Callable[[Input], Clause]:
    """The same where presence is asked of one column, and the time of another."""

    def clause(criteria: Input) -> Clause:
        tests = [_TESTS[name](within, value) for name, value in _said(criteria) if name != "is_null_"]
        tests += [_is_null(column, value) for name, value in _said(criteria) if name == "is_null_"]
        return joined(criteria, tests)

    return clause


def of_tags(column: Column) -> Callable[[Input], Clause]:
    """How a filter object about tags becomes a clause."""

    def clause(criteria: Input) -> Clause:
        tests = [_TAG_TESTS[name](column, value) for name, value in _said(criteria) if value != [] or name != "all_"]
        return joined(criteria, tests)

    return clause


def of_parts(members: Members) -> Callable[[Input], Clause]:
    """The same as `of_members`, but a part that says nothing is left out of an `or_`."""

    def clause(criteria: Input) -> Clause:
        parts = [
            members[name](value)
            for name, value in criteria.__dict__.items()
            if value is not None and name != "operator" and _said(value)
        ]
        return joined(criteria, parts)

    return clause


def _said(criteria: Input) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in criteria.__dict__.items() if value is not None and name != "operator"]


def _tests(column: Column, criteria: Input) -> list[Clause]:
    return [_TESTS[name](column, value) for name, value in _said(criteria) if value not in ([], "") or name == "any_"]


def _is_null(column: Column, absent: bool) -> Clause:  # noqa: FBT001 -- the value of the criterion
    return column.is_(None) if absent else column.is_not(None)


def _no_tags(column: Column, absent: bool) -> Clause:  # noqa: FBT001 -- the value of the criterion
    none = literal([], Tags())
    return column == none if absent else column != none


_TESTS: Mapping[str, Callable[[Column, Any], Clause]] = {
    "any_": is_one_of,
    "not_any_": lambda column, values: ~is_one_of(column, values),
    "like_": contains_any_case,
    "startswith_": lambda column, starts: or_(*(starts_any_case(column, start) for start in starts)),
    "is_null_": _is_null,
    "before_": lambda column, instant: column <= instant,
    "after_": lambda column, instant: column >= instant,
    "ge_": lambda column, number: column >= number,
    "le_": lambda column, number: column <= number,
    "eq_": lambda column, value: column == value,
}

_TAG_TESTS: Mapping[str, Callable[[Column, Any], Clause]] = {
    "all_": has_all_tags,
    "any_": has_any_tag,
    "is_null_": _no_tags,
}
