"""What a unit of work is given: statements to run, one instant, and, to a verb, a way to state what it changed.

Who makes them, and when they commit: `storage/database.py`.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter_ns
from typing import Any, Literal, NoReturn, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, text

from lightwell.errors import Rejected, Unavailable
from lightwell.events.facts import Fact
from lightwell.instrumentation.units import Unit
from lightwell.storage.failures import driver_error, statement_of, translated
from lightwell.storage.prepared import Prepared, Row

T = TypeVar("T")

Dialect = Literal["sqlite", "postgresql"]
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(slots=True, eq=False)
class Reader:
    """Runs statements of one unit against one consistent view of the database.

    `now` is the one instant of the whole unit, aware and in UTC; `dialect` says which database is behind it.
    Valid only while the unit runs, and only in its thread. `_driver` is SQLite's own connection, for what is prepared.
    """

    _connection: Connection
    now: datetime
    dialect: Dialect
    _unit: Unit | None = None
    _driver: sqlite3.Connection | None = None
    failure: Unavailable | None = field(default=None, init=False)
    """What made it impossible to go on: the transaction is gone, and every further statement raises this."""

    def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement; with a sequence of parameters, once for each of them.

        Raises Conflict (a constraint is broken; `constraint` names it), Invalid (a value that the database
        cannot hold), Busy, TimedOut or Unavailable. On PostgreSQL a verb can go on after one of these only if the
        statement ran inside `Transaction.nested`: prefer ON CONFLICT to catching Conflict.
        """
        return self._observed(lambda: self._connection.execute(statement, parameters))

    def find(self, query: Prepared, parameters: Mapping[str, Any]) -> Row | None:
        """The row that a query finds which finds one at most, or None; raises as `execute` does."""
        driver = self._driver
        if driver is None:
            return self.execute(query.on(self.dialect), parameters).one_or_none()
        plan = query.plan(parameters, self._connection.dialect)
        rows = self._observed(lambda: driver.execute(plan.text, plan.bind(parameters)).fetchall(), plan.text)
        return plan.read(rows[0]) if rows else None

    def _observed(self, run: Callable[[], T], text: str | None = None) -> T:
        if self.failure is not None:
            raise self.failure
        unit = self._unit
        started = 0 if unit is None else perf_counter_ns()
        try:
            result = run()
        except Exception as error:  # noqa: BLE001 - raised again, with its meaning
            self._fail(error, started, text)
        if unit is not None:
            unit.statement(_text_of(result) if text is None else text, started, perf_counter_ns())
        return result

    def _fail(self, error: Exception, started: int, text: str | None) -> NoReturn:
        ended = perf_counter_ns()
        meaning = translated(error, binding=True)
        if self._unit is not None:
            is_failure = not isinstance(meaning, Rejected)
            shown = statement_of(error) if text is None else text
            self._unit.broken(shown, started, ended, driver_error(error), is_failure=is_failure)
        if isinstance(meaning, Unavailable):
            self.failure = meaning
        if meaning is error:
            raise error
        raise meaning from meaning.__cause__

    @property
    def connection(self) -> Connection:
        """SQLAlchemy's connection inside this unit's transaction, for what no statement can say: migrations.

        Do not begin, commit or roll back on it.
        """
        return self._connection


@dataclass(slots=True, eq=False)
class Transaction(Reader):
    """A unit that changes things: all of it is kept, or nothing."""

    facts: list[Fact] = field(default_factory=list, init=False)
    announced: list[Fact] = field(default_factory=list, init=False)
    _depth: int = field(default=0, init=False)

    def change(self, statement: Prepared, parameters: Parameters) -> int:
        """Insert or update, with a sequence of parameters once for each of them; how many rows. Raises as `execute`."""
        driver = self._driver
        if driver is None:
            return self.execute(statement.on(self.dialect), parameters).rowcount
        dialect = self._connection.dialect
        if isinstance(parameters, Mapping):
            one, plan = parameters, statement.plan(parameters, dialect)
            return self._observed(lambda: driver.execute(plan.text, plan.bind(one)).rowcount, plan.text)
        several, plan = parameters, statement.plan(parameters[0], dialect)
        return self._observed(lambda: driver.executemany(plan.text, map(plan.bind, several)).rowcount, plan.text)

    def emit(self, fact: Fact) -> None:
        """State what this unit changed; stored with the unit's rows and published after the commit."""
        self.facts.append(fact)

    def announce(self, fact: Fact) -> None:
        """Publish, after the commit, a fact that this unit has stored by itself."""
        self.announced.append(fact)

    @contextmanager
    def nested(self) -> Iterator[None]:
        """A part of the unit that can fail alone: an exception takes its rows and its facts back, and goes on up."""
        emitted, announced = len(self.facts), len(self.announced)
        self._depth += 1
        name = f"nested_{self._depth}"
        self.execute(text(f"SAVEPOINT {name}"))
        try:
            yield
        except BaseException:
            del self.facts[emitted:]
            del self.announced[announced:]
            if self.failure is None:
                self.execute(text(f"ROLLBACK TO SAVEPOINT {name}"))
                self.execute(text(f"RELEASE SAVEPOINT {name}"))
            raise
        else:
            self.execute(text(f"RELEASE SAVEPOINT {name}"))
        finally:
            self._depth -= 1


def _text_of(executed: Any) -> str:
    shown: str = executed.context.statement
    return shown
