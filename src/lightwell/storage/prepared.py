"""Statements that nearly every request runs: on SQLite they go straight to the driver.

SQLAlchemy writes their text and knows their types; what it does around each execution costs more than SQLite's own work
(`docs/decisions/0007-prepared-statements.md`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Dialect, Insert, Select, Update

Statement = Select[*tuple[Any, ...]] | Insert | Update
Row = Sequence[Any]

_MOST_PLANS: Final = 64
"""Of a statement; an update of other columns is another plan."""


class Plan:
    """The text of a statement with parameters of certain names, and how values get into it and out of it."""

    __slots__ = ("_binds", "_reads", "text")

    def __init__(self, statement: Statement, names: Sequence[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        binds = [(name, compiled.binds[name].type) for name in compiled.positiontup or ()]
        if unnamed := {name for name, _ in binds}.difference(names):
            raise ValueError(f"A prepared statement is given all its values by name; nobody gives {sorted(unnamed)}")
        columns = statement.selected_columns if isinstance(statement, Select) else ()
        self.text = str(compiled)
        self._binds = [(name, kind.dialect_impl(dialect).bind_processor(dialect)) for name, kind in binds]
        self._reads = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]

    def bind(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The values for the text's placeholders, as they are stored."""
        return [parameters[name] if store is None else store(parameters[name]) for name, store in self._binds]

    def read(self, row: Row) -> Row:
        """A row's values, as they are in Python."""
        return [value if read is None else read(value) for value, read in zip(row, self._reads, strict=True)]


class Prepared:
    """A statement for `Reader.find` or `Transaction.change`: the same for both databases, or one by dialect.

    All values are parameters with names; lists of variable length are not possible.
    """

    def __init__(self, statement: Statement | Mapping[Any, Statement]) -> None:
        self._statement = statement
        self._plans: dict[tuple[str, ...], Plan] = {}

    def on(self, dialect: str) -> Statement:
        """What SQLAlchemy is given to execute."""
        return self._statement[dialect] if isinstance(self._statement, Mapping) else self._statement

    def plan(self, parameters: Mapping[str, Any], dialect: Dialect) -> Plan:
        """How the driver runs it with parameters of these names; raises ValueError where it has others."""
        names = tuple(parameters)
        plan = self._plans.get(names)
        if plan is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[names] = Plan(self.on(dialect.name), names, dialect)
        return plan
