"""The language of text searches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lightwell.contract.text_search import TextSearch, TextSearchFilter, parse_search


@pytest.mark.parametrize(
    ("query", "search"),
    [
        ("", TextSearch()),
        ("  \t ", TextSearch()),
        ("error Timeout", TextSearch(any_of=("error", "timeout"))),
        ("-debug !trace", TextSearch(none_of=("debug", "trace"))),
        ("+must may", TextSearch(any_of=("may",), all_of=("must",))),
        ('"no route" -"to host"', TextSearch(any_of=("no route",), none_of=("to host",))),
        (r'"say \"hi\" \\ \n"', TextSearch(any_of=(r'say "hi" \ \n',))),
        ('"never closed', TextSearch(any_of=("never closed",))),
        ('""', TextSearch()),
        ('"  "', TextSearch()),
        ("- alone", TextSearch(any_of=("alone",))),
        ("-", TextSearch()),
        ("a-b", TextSearch(any_of=("a-b",))),
        ('a"b c"d', TextSearch(any_of=("a", "b c", "d"))),
        ("--a", TextSearch(none_of=("-a",))),
    ],
)
def test_a_query_is_taken_apart(query: str, search: TextSearch) -> None:
    """Words, phrases and signs mean what the module says."""
    assert parse_search(query) == search


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("CONNECTION", True),
        ("nothing connection", True),
        ("nothing", False),
        ("connection -reset", False),
        ("-nothing", True),
        ("+connection +peer", True),
        ("+connection +nothing", False),
        ('"reset by"', True),
        ('"by reset"', False),
    ],
)
def test_a_text_is_found(query: str, found: bool) -> None:  # noqa: FBT001 -- a table's column
    """One of the plain words, all with a plus and none with a minus, in any case of letters."""
    assert parse_search(query).matches("Connection reset by PEER") is found


@given(st.text(max_size=200))
def test_any_text_is_a_query(query: str) -> None:
    """No query is a syntax error, and none takes long."""
    assert all(term.strip() for term in parse_search(query).any_of)


@pytest.mark.parametrize("query", ["x" * 201, "a\x00", None])
def test_a_query_is_short_text(query: object) -> None:
    """A query has at most 200 characters that a database can look for."""
    with pytest.raises(ValidationError):
        TextSearchFilter.model_validate({"query": query})
