"""Prepared statements do what SQLAlchemy's own do, on both databases: values, errors, numbers of rows."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update

from lightwell.errors import Conflict, Invalid
from lightwell.kit.ids import new_id
from lightwell.storage.conflicts import insert_if_absent
from lightwell.storage.database import Database
from lightwell.storage.prepared import Prepared
from lightwell.storage.tables import flow, flow_run
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making

BY_ID = select(flow_run).where(flow_run.c.id == bindparam("flow_run_id"))
INSERT = insert(flow)
RENAME = update(flow).where(flow.c.id == bindparam("flow_id"))


def _flow(tx: Transaction, name: str, **values: Any) -> dict[str, Any]:
    return {"id": new_id(), "created": tx.now, "updated": tx.now, "name": name, "tags": ["a"], "labels": {}, **values}


async def test_a_row_is_what_sqlalchemy_reads(store: Database) -> None:
    """Every type of column comes back as it went in; what is not there is None."""

    def made(tx: Transaction) -> Any:
        return making.flow_run(
            tx,
            making.flow(tx, "nightly"),
            making.state("RUNNING"),
            tags=["one", "two"],
            parameters={"x": [1, None, {"y": 2.5}]},
            total_run_time=timedelta(seconds=3),
            auto_scheduled=True,
            labels={"a": "b"},
        )

    def both(reader: Reader, run: Any) -> None:
        wanted = {"flow_run_id": run}
        found = reader.find(Prepared(BY_ID), wanted)
        assert found is not None
        assert list(found) == list(reader.execute(BY_ID, wanted).one())
        assert reader.find(Prepared(BY_ID), {"flow_run_id": new_id()}) is None

    await store.read(both, await store.write(made))


async def test_rows_that_changed_are_counted(store: Database) -> None:
    """One, several, and none of those that are there already; other columns are another statement."""
    absent, rename = Prepared(insert_if_absent(flow)), Prepared(RENAME)

    def change(tx: Transaction) -> None:
        one, other = _flow(tx, "one"), _flow(tx, "other")
        assert tx.change(absent, one) == 1
        assert tx.change(absent, one) == 0
        tx.change(Prepared(INSERT), [other, _flow(tx, "third")])
        assert tx.change(rename, {"name": "renamed", "flow_id": one["id"]}) == 1
        assert tx.change(rename, {"tags": ["b"], "name": "again", "flow_id": other["id"]}) == 1
        assert tx.change(rename, {"name": "nobody", "flow_id": new_id()}) == 0

    await store.write(change)

    def names(reader: Reader) -> list[tuple[str, list[str]]]:
        return [tuple(row) for row in reader.execute(select(flow.c.name, flow.c.tags).order_by(flow.c.name))]

    assert await store.read(names) == [("again", ["b"]), ("renamed", ["a"]), ("third", ["a"])]


@pytest.mark.parametrize(
    ("values", "error"),
    [({"name": "taken"}, Conflict), ({"name": "\ud800"}, Invalid), ({"labels": {"x": "\ud800"}}, Invalid)],
    ids=["broken constraint", "no Unicode", "no Unicode inside of JSON"],
)
async def test_errors_are_those_of_execute(store: Database, values: dict[str, Any], error: type[Exception]) -> None:
    """With the same words, and the unit is taken back."""

    def refused(tx: Transaction, *, prepared: bool) -> None:
        row = _flow(tx, "new") | values
        if prepared:
            tx.change(Prepared(INSERT), row)
        else:
            tx.execute(INSERT, row)

    await store.write(lambda tx: tx.change(Prepared(INSERT), _flow(tx, "taken")))
    told = []
    for prepared in (True, False):
        with pytest.raises(error) as caught:
            await store.write(refused, prepared=prepared)
        told.append((str(caught.value), getattr(caught.value, "constraint", None)))
    assert told[0] == told[1]
    assert len(await store.read(lambda reader: reader.execute(select(flow.c.id)).all())) == 1


async def test_a_value_that_nobody_gives_is_refused(store: Database) -> None:
    """On SQLite, where SQLAlchemy is not there to fill it in."""

    def ask(reader: Reader) -> None:
        if reader.dialect == "sqlite":
            with pytest.raises(ValueError, match="nobody gives"):
                reader.find(Prepared(select(flow.c.id).where(flow.c.name == "constant")), {})

    await store.read(ask)


async def test_plans_do_not_pile_up(store: Database) -> None:
    """With however many sets of columns a statement is used, each works."""
    rename = Prepared(RENAME)

    def change(tx: Transaction) -> None:
        row = _flow(tx, "one")
        tx.change(Prepared(INSERT), row)
        for names in permutations(set(row) - {"id"}):
            values = {name: row[name] for name in names}
            assert tx.change(rename, {**values, "flow_id": row["id"]}) == 1

    await store.write(change)
