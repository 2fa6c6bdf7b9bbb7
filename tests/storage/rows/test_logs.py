"""Lines of logs as rows, on both databases."""

from typing import Any
from uuid import UUID

from lightwell.contract.logs import LogCreate, LogFilter, LogSort
from lightwell.kit.ids import new_id
from lightwell.storage import logs
from lightwell.storage.database import Database
from lightwell.storage.transaction import Reader
from tests.storage.rows.making import minutes

RUN, TASK = new_id(), new_id()
BOTH = {"flow_run_id": RUN, "task_run_id": TASK}

LINES = [
    LogCreate(name="prefect.flow", level=20, message="Hello World", timestamp=minutes(0), flow_run_id=RUN),
    LogCreate(name="prefect.task", level=40, message="100% failed", timestamp=minutes(1), **BOTH),
    LogCreate(name="prefect.task", level=10, message="under_score", timestamp=minutes(1), **BOTH),
    LogCreate(name="worker", level=30, message="ÄRGER", timestamp=minutes(2)),
]  # fmt: skip

CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "0123"),
    ({"level": {"ge_": 30}}, "13"),
    ({"level": {"ge_": 20, "le_": 30}}, "03"),
    ({"timestamp": {"after_": minutes(1).isoformat()}}, "123"),
    ({"timestamp": {"before_": minutes(1).isoformat()}}, "012"),
    ({"flow_run_id": {"any_": [str(RUN)]}}, "012"),
    ({"task_run_id": {"any_": [str(TASK)]}}, "12"),
    ({"task_run_id": {"is_null_": True}}, "03"),
    ({"task_run_id": {"is_null_": False}, "flow_run_id": {"any_": [str(RUN)]}}, "12"),
    ({"operator": "or_", "level": {"ge_": 40}, "task_run_id": {"is_null_": True}}, "013"),
    ({"text": {"query": "hello"}}, "0"),
    ({"text": {"query": "hello worker"}}, "03"),
    ({"text": {"query": "-prefect"}}, "3"),
    ({"text": {"query": "+prefect +100%"}}, "1"),
    ({"text": {"query": "r_s"}}, "2"),
    ({"text": {"query": '"hello world prefect"'}}, "0"),
]


def _found(reader: Reader, criteria: LogFilter) -> tuple[str, int]:
    messages = [line.message for line in LINES]
    found = logs.select(reader, criteria)
    return "".join(str(messages.index(line.message)) for line in found), logs.count(reader, criteria)


async def test_criteria(store: Database) -> None:
    """Each criterion of a line finds what it says, in the order of time and of arrival."""
    await store.write(logs.insert, LINES)
    for body, expected in CASES:
        assert await store.read(_found, LogFilter.model_validate(body)) == (expected, len(expected)), body


async def test_lines_come_back_as_they_were_kept(store: Database) -> None:
    """What is told on arrival is what is read later, backwards too."""
    kept = await store.write(logs.insert, LINES)
    assert await store.read(logs.select) == kept
    assert await store.read(logs.select, sort=LogSort.TIMESTAMP_DESC, limit=2, offset=1) == kept[2:0:-1]
    assert await store.write(logs.insert, []) == []


async def test_a_long_log_in_parts(store: Database) -> None:
    """Each part goes on where the last one ended, between lines of one instant too."""
    kept = await store.write(logs.insert, LINES)
    parts: list[UUID] = []
    after = None
    while part := await store.read(logs.select_after, RUN, after=after, limit=2):
        parts += [line.id for line in part]
        after = part[-1].timestamp, part[-1].id
    assert parts == [line.id for line in kept[:3]]


async def test_old_lines_go_in_batches(store: Database) -> None:
    """The oldest go first, and never more than asked."""
    await store.write(logs.insert, LINES)
    assert [await store.write(logs.delete_before, minutes(2), most=2) for _ in range(3)] == [2, 1, 0]
    assert await store.read(_found, LogFilter()) == ("3", 1)
