"""The few expressions that SQLite and PostgreSQL spell differently, as SQLAlchemy elements that compile for both."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, Text, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from lightwell.storage.columns import ID_FROM_HEX, Id, Ids, Tags, Texts

_FEW: Final = 250
"""So many values are bound one by one, which planners see through; databases have a limit for that, and it is slow."""


class like_any_case(FunctionElement[bool]):  # noqa: N801 -- reads as the SQL function that it stands for
    """Whether text fits a LIKE pattern, the case of ASCII letters aside; a backslash is an ordinary character."""

    type = Boolean()
    inherit_cache = True


class like_any_case_escaped(FunctionElement[bool]):  # noqa: N801
    r"""The same, where a backslash makes the next character of the pattern ordinary."""

    type = Boolean()
    inherit_cache = True


class fits_glob(FunctionElement[bool]):  # noqa: N801
    """Whether text fits a pattern of `*` and `?`, exactly; `pattern` makes what either database compares with."""

    type = Boolean()
    inherit_cache = True


class tags_have_all(FunctionElement[bool]):  # noqa: N801
    """Whether a list of tags has all tags of another."""

    type = Boolean()
    inherit_cache = True


class tags_have_any(FunctionElement[bool]):  # noqa: N801
    """Whether a list of tags has one tag of another."""

    type = Boolean()
    inherit_cache = True


class text_is_among(FunctionElement[bool]):  # noqa: N801
    """Whether a text is one of a list, which is one parameter however long it is."""

    type = Boolean()
    inherit_cache = True


class id_is_among(FunctionElement[bool]):  # noqa: N801
    """The same for an id."""

    type = Boolean()
    inherit_cache = True


class json_member(FunctionElement[str]):  # noqa: N801
    """The text of a member of a JSON object, by name; NULL where there is none."""

    type = Text()
    inherit_cache = True


class unindexed(FunctionElement[str]):  # noqa: N801
    """A column of texts that SQLite is not to look up in an index; PostgreSQL knows better by its statistics."""

    type = Text()
    inherit_cache = True


class json_elements(FunctionElement[Any]):  # noqa: N801
    """The elements of a JSON array, as rows of one column, `value`."""

    inherit_cache = True


class greatest(FunctionElement[Any]):  # noqa: N801
    """The larger of two numbers."""

    inherit_cache = True


def contains_any_case(column: ColumnElement[str], fragment: str) -> ColumnElement[bool]:
    """Whether the text has the fragment inside, the case of ASCII letters aside; `%` and `_` in it are wildcards."""
    return like_any_case(column, literal(f"%{fragment}%", Text()))


def contains_exactly_any_case(column: ColumnElement[str], fragment: str) -> ColumnElement[bool]:
    """Whether the text has the fragment inside, the case of ASCII letters aside; no character is special."""
    escaped = fragment.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return like_any_case_escaped(column, literal(f"%{escaped}%", Text()))


def starts_any_case(column: ColumnElement[str], start: str) -> ColumnElement[bool]:
    """Whether the text begins so, the case of ASCII letters aside; `%` and `_` in it are wildcards."""
    return like_any_case(column, literal(f"{start}%", Text()))


def starts_with(column: ColumnElement[str], start: str) -> ColumnElement[bool]:
    """Whether the text begins so, exactly: a range of the column, which an index serves."""
    above = _first_above(start)
    return (column >= start) if above is None else (column >= start) & (column < above)


def fits(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """Whether the text fits a pattern of `*` and `?`, exactly; a `!` in front turns it round. NULL does neither."""
    clause = fits_glob(column, literal(pattern.removeprefix("!"), Text()))
    return ~clause if pattern.startswith("!") else clause


def has_all_tags(column: ColumnElement[Any], tags: Iterable[str]) -> ColumnElement[bool]:
    """Whether the tags have all of these."""
    return tags_have_all(column, literal(list(tags), Tags()))


def has_any_tag(column: ColumnElement[Any], tags: Iterable[str]) -> ColumnElement[bool]:
    """Whether the tags have one of these."""
    return tags_have_any(column, literal(list(tags), Tags()))


def is_one_of(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether the id or the text is one of these, of which there can be any number."""
    wanted = list(dict.fromkeys(values))
    if len(wanted) <= _FEW:
        return column.in_(wanted)
    if isinstance(column.type, Id):
        return id_is_among(column, literal(wanted, Ids()))
    return text_is_among(column, literal(wanted, Texts()))


def _first_above(start: str) -> str | None:
    """The smallest text that is larger than every text with this beginning; None where there is none."""
    kept = start.rstrip("\U0010ffff")
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    first_surrogate, after_surrogates = 0xD800, 0xE000
    return kept[:-1] + chr(after_surrogates if following == first_surrogate else following)


def _parts(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> list[str]:
    return [compiler.process(clause, **kw) for clause in element.clauses]


@compiles(like_any_case, "sqlite")
def _like_sqlite(element: like_any_case, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = _parts(element, compiler, **kw)
    return f"({text} LIKE {pattern})"


@compiles(like_any_case, "postgresql")
def _like_postgresql(element: like_any_case, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = _parts(element, compiler, **kw)
    return f"({text} ILIKE {pattern} ESCAPE '')"


@compiles(like_any_case_escaped, "sqlite")
def _escaped_sqlite(element: like_any_case_escaped, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = _parts(element, compiler, **kw)
    return f"({text} LIKE {pattern} ESCAPE '\\')"


@compiles(like_any_case_escaped, "postgresql")
def _escaped_postgresql(element: like_any_case_escaped, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = _parts(element, compiler, **kw)
    return f"({text} ILIKE {pattern} ESCAPE '\\')"


@compiles(fits_glob, "sqlite")
def _glob_sqlite(element: fits_glob, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = _parts(element, compiler, **kw)
    return f"({text} GLOB replace({pattern}, '[', '[[]'))"


@compiles(fits_glob, "postgresql")
def _glob_postgresql(element: fits_glob, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern = _parts(element, compiler, **kw)
    ordinary = f"replace(replace(replace({pattern}, '\\', '\\\\'), '%%', '\\%%'), '_', '\\_')"
    return f"({text} LIKE translate({ordinary}, '*?', '%%_') ESCAPE '\\')"


@compiles(tags_have_all, "sqlite")
def _all_tags_sqlite(element: tags_have_all, compiler: SQLCompiler, **kw: Any) -> str:
    tags, wanted = _parts(element, compiler, **kw)
    return (
        f"(NOT EXISTS (SELECT 1 FROM json_each({wanted}) AS wanted"  # noqa: S608 -- compiled expressions, no values
        f" WHERE wanted.value NOT IN (SELECT had.value FROM json_each({tags}) AS had)))"
    )


@compiles(tags_have_all, "postgresql")
def _all_tags_postgresql(element: tags_have_all, compiler: SQLCompiler, **kw: Any) -> str:
    tags, wanted = _parts(element, compiler, **kw)
    return f"({tags} @> {wanted})"


@compiles(tags_have_any, "sqlite")
def _any_tag_sqlite(element: tags_have_any, compiler: SQLCompiler, **kw: Any) -> str:
    tags, wanted = _parts(element, compiler, **kw)
    return (
        f"EXISTS (SELECT 1 FROM json_each({tags}) AS had"  # noqa: S608 -- the same
        f" WHERE had.value IN (SELECT wanted.value FROM json_each({wanted}) AS wanted))"
    )


@compiles(tags_have_any, "postgresql")
def _any_tag_postgresql(element: tags_have_any, compiler: SQLCompiler, **kw: Any) -> str:
    tags, wanted = _parts(element, compiler, **kw)
    return f"({tags} ?| ARRAY(SELECT jsonb_array_elements_text({wanted})))"


@compiles(text_is_among, "sqlite")
def _text_among_sqlite(element: text_is_among, compiler: SQLCompiler, **kw: Any) -> str:
    text, wanted = _parts(element, compiler, **kw)
    return f"({text} IN (SELECT wanted.value FROM json_each({wanted}) AS wanted))"  # noqa: S608 -- the same


@compiles(id_is_among, "sqlite")
def _id_among_sqlite(element: id_is_among, compiler: SQLCompiler, **kw: Any) -> str:
    identity, wanted = _parts(element, compiler, **kw)
    return f"({identity} IN (SELECT {ID_FROM_HEX}(wanted.value) FROM json_each({wanted}) AS wanted))"  # noqa: S608 -- the same


@compiles(text_is_among, "postgresql")
@compiles(id_is_among, "postgresql")
def _among_postgresql(element: FunctionElement[bool], compiler: SQLCompiler, **kw: Any) -> str:
    value, wanted = _parts(element, compiler, **kw)
    return f"({value} = ANY({wanted}))"


@compiles(unindexed, "sqlite")
def _unindexed_sqlite(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = _parts(element, compiler, **kw)
    return f"+{column}"


@compiles(unindexed, "postgresql")
def _unindexed_postgresql(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = _parts(element, compiler, **kw)
    return column


@compiles(json_member, "sqlite")
def _member_sqlite(element: json_member, compiler: SQLCompiler, **kw: Any) -> str:
    document, name = _parts(element, compiler, **kw)
    return f"(SELECT member.value FROM json_each({document}) AS member WHERE member.key = {name})"  # noqa: S608 -- the same


@compiles(json_member, "postgresql")
def _member_postgresql(element: json_member, compiler: SQLCompiler, **kw: Any) -> str:
    document, name = _parts(element, compiler, **kw)
    return f"(CAST({document} AS jsonb) ->> {name})"


@compiles(greatest, "sqlite")
def _greatest_sqlite(element: greatest, compiler: SQLCompiler, **kw: Any) -> str:
    return f"max({', '.join(_parts(element, compiler, **kw))})"


@compiles(greatest, "postgresql")
def _greatest_postgresql(element: greatest, compiler: SQLCompiler, **kw: Any) -> str:
    return f"greatest({', '.join(_parts(element, compiler, **kw))})"


@compiles(json_elements, "sqlite")
def _elements_sqlite(element: json_elements, compiler: SQLCompiler, **kw: Any) -> str:
    (document,) = _parts(element, compiler, **kw)
    return f"json_each({document})"


@compiles(json_elements, "postgresql")
def _elements_postgresql(element: json_elements, compiler: SQLCompiler, **kw: Any) -> str:
    (document,) = _parts(element, compiler, **kw)
    return f"jsonb_array_elements(CAST({document} AS jsonb))"
