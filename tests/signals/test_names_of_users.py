"""Names that users chose are told only where a setting asks for them."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx

from lightwell.events.bus import Bus
from lightwell.instrumentation import figures
from lightwell.instrumentation.vocabulary.exporter import EXPORTER_METRICS
from lightwell.kit.clock import SystemClock
from lightwell.storage.database import open_database
from lightwell.storage.transaction import Transaction
from tests.serving import lightwell_server
from tests.signals.conftest import eventually
from tests.signals.stage import staged
from tests.storage.rows import making

PATIENCE = 30.0
EXPORTER = {
    "prefect_flows_total": "gauge",
    "prefect_info_flows": "gauge",
    "prefect_deployments_total": "gauge",
    "prefect_info_deployment": "gauge",
    "prefect_flow_runs_total": "gauge",
    "prefect_flow_runs_total_run_time_total": "counter",
    "prefect_info_flow_runs_total": "counter",
    "prefect_work_pools_total": "gauge",
    "prefect_info_work_pools": "gauge",
    "prefect_work_queues_total": "gauge",
    "prefect_info_work_queues": "gauge",
}
"""What a dashboard that was made for the exporter asks for."""


async def test_by_default_no_name_of_a_users_thing_is_told(tmp_path: Path, log_lines: Callable[[], list[str]]) -> None:
    """The exporter's names are asked for by a setting; and a server that has stopped tells no figures."""
    async with staged(tmp_path, loops={"statistics": {"period": 0.1}}) as made:
        await made.make_flow("hunter2")
        signals = made.listen(log_lines)
        await eventually(lambda: bool(figures.read("lightwell.db.size")))
        assert not [metric.name for metric in EXPORTER_METRICS if signals.points(metric.name)]
        data = signals.reader.get_metrics_data()
        assert data is not None
        assert "hunter2" not in data.to_json()
    assert signals.points("lightwell.runs") == []


def _fill(path: Path) -> None:
    async def fill() -> None:
        database = open_database(f"sqlite:///{path}", clock=SystemClock(), bus=Bus())
        await database.start()
        await database.write(_populate)
        await database.stop()

    asyncio.run(fill())


def _populate(tx: Transaction) -> None:
    flow_id = making.flow(tx, 'odd "name"\n')
    _, queue_id = making.pool_with_queue(tx, "pool", "queue")
    deployed = making.deployed(tx, flow_id, "prod", work_queue_id=queue_id)
    ended = {"start_time": tx.now, "end_time": tx.now, "total_run_time": timedelta(seconds=1.5)}
    making.flow_run(tx, flow_id, making.state("COMPLETED", tx.now), deployment_id=deployed, **ended)


def test_on_metrics_they_are_as_the_exporter_has_them(tmp_path: Path) -> None:
    """By name, type and label; a name with quotes and a line's end is still one label."""
    settings = {
        "LIGHTWELL_LOOPS_EXPORTER_NAMES_ENABLED": "true",
        "LIGHTWELL_LOOPS_EXPORTER_NAMES_PERIOD": "0.1s",
    }
    with lightwell_server(tmp_path, settings) as server:
        _fill(tmp_path / "lightwell.sqlite3")
        give_up = time.monotonic() + PATIENCE
        page = ""
        while "prefect_info_work_queues{" not in page:
            assert time.monotonic() < give_up, page[-2000:]
            page = httpx.get(server.api_url.removesuffix("/api") + "/metrics").text
            threading.Event().wait(0.1)

    lines = page.splitlines()
    told = {name: kind for line in lines if line.startswith("# TYPE prefect_") for name, kind in [line.split()[2:]]}
    assert told == EXPORTER
    assert "prefect_flows_total 1" in lines
    labels = 'deployment_name="prod",flow_name="odd \\"name\\"\\n",state_name="Completed",work_queue_name="None"'
    assert f"prefect_info_flow_runs_total{{{labels}}} 1" in lines
    labels = 'deployment_name="prod",flow_name="odd \\"name\\"\\n"'
    assert f"prefect_flow_runs_total_run_time_total{{{labels}}} 1.5" in lines
