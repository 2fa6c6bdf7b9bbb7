"""The small language of text searches: words and quoted phrases, found whatever the case of letters.

`error` finds it, `-error` or `!error` leaves it out, `+error` insists on it, `"no route"` is one phrase, in which a
backslash escapes a quote or a backslash. Of the words without a sign, one is enough.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import Field

from lightwell.contract.model import Input
from lightwell.contract.values import Text

MAX_QUERY_LENGTH = 200

_TERM = re.compile(
    r'(?![-!+](?:\s|\Z))(?P<sign>[-!+])?(?:"(?P<phrase>(?:\\.|[^"\\])*\\?)"?|(?P<word>[^\s"]+))', re.DOTALL
)
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass(frozen=True, slots=True)
class TextSearch:
    """A search, taken apart; every term is in lower case."""

    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()

    def matches(self, text: str) -> bool:
        """Whether the text is found."""
        text = text.lower()
        return (
            (not self.any_of or any(term in text for term in self.any_of))
            and not any(term in text for term in self.none_of)
            and all(term in text for term in self.all_of)
        )


@lru_cache(maxsize=256)
def parse_search(query: str) -> TextSearch:
    """Take a query apart; any text is a query."""
    found: dict[str, list[str]] = {"": [], "-": [], "!": [], "+": []}
    for match in _TERM.finditer(query):
        phrase = match["phrase"]
        term = match["word"] if phrase is None else _ESCAPED.sub(r"\1", phrase)
        if term.strip():
            found[match["sign"] or ""].append(term.lower())
    return TextSearch(tuple(found[""]), tuple(found["-"] + found["!"]), tuple(found["+"]))


class TextSearchFilter(Input):
    """A text search."""

    query: Annotated[Text, Field(max_length=MAX_QUERY_LENGTH)]

    @property
    def search(self) -> TextSearch:
        """The query, taken apart."""
        return parse_search(self.query)
