"""Logs: what runs have said, and how it is filtered, stored or live."""

from enum import StrEnum
from uuid import UUID

from lightwell.contract.filter_shapes import Criteria, IdAny, IdAnyOrNull, LevelFilter, Operator, TimeFilter
from lightwell.contract.model import Envelope, Input, Instant, Model
from lightwell.contract.text_search import TextSearchFilter
from lightwell.contract.values import Int32, Offset, Prose


class LogCreate(Input):
    """A line to keep; `level` as Python's logging counts."""

    name: Prose
    level: Int32
    message: Prose
    timestamp: Instant
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class Log(Model):
    """A line as it is kept."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    name: str
    level: int
    message: str
    timestamp: Instant
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class LogSort(StrEnum):
    """In which order logs are listed."""

    TIMESTAMP_ASC = "TIMESTAMP_ASC"
    TIMESTAMP_DESC = "TIMESTAMP_DESC"


class LogFilter(Criteria):
    """Which logs."""

    level: LevelFilter | None = None
    timestamp: TimeFilter | None = None
    flow_run_id: IdAny | None = None
    task_run_id: IdAnyOrNull | None = None
    text: TextSearchFilter | None = None

    def matches(self, log: Log) -> bool:
        """Whether this log, which need not be stored, is one of those."""
        verdicts = []
        if self.level:
            verdicts.append(self.level.includes(log.level))
        if self.timestamp:
            verdicts.append(self.timestamp.includes(log.timestamp))
        if self.flow_run_id:
            verdicts.append(self.flow_run_id.includes(log.flow_run_id))
        if self.task_run_id:
            verdicts.append(self.task_run_id.includes(log.task_run_id))
        if self.text:
            verdicts.append(self.text.search.matches(f"{log.message} {log.name}"))
        return all(verdicts) if self.operator is Operator.AND else any(verdicts) or not verdicts


class LogsQuery(Envelope):
    """Which logs to list, how many and in which order; `limit` null means the server's default."""

    logs: LogFilter | None = None
    sort: LogSort = LogSort.TIMESTAMP_ASC
    limit: int | None = None
    offset: Offset = 0
