"""A text search, as a clause."""

from typing import Any

from sqlalchemy import ColumnElement, Text, literal_column, or_, type_coerce

from lightwell.contract.text_search import TextSearchFilter
from lightwell.storage.filters.criteria import Clause
from lightwell.storage.filters.dialects import contains_exactly_any_case

_SPACE = literal_column("' '", Text())


def found(text: ColumnElement[str], criteria: TextSearchFilter) -> list[Clause]:
    """What must hold of a text that the search finds; the case of ASCII letters does not matter."""
    search = criteria.search
    clauses = [~contains_exactly_any_case(text, term) for term in search.none_of]
    clauses += [contains_exactly_any_case(text, term) for term in search.all_of]
    if search.any_of:
        clauses.append(or_(*(contains_exactly_any_case(text, term) for term in search.any_of)))
    return clauses


def concatenation(*columns: ColumnElement[Any]) -> ColumnElement[str]:
    """The stored texts of columns, one after the other."""
    text: ColumnElement[str] = type_coerce(columns[0], Text)
    for column in columns[1:]:
        text = text.concat(_SPACE).concat(type_coerce(column, Text))
    return text
