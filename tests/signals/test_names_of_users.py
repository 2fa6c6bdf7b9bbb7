"""Names that users chose are told only where a setting asks for them."""

from collections.abc import Callable
from pathlib import Path

from lightwell.instrumentation import figures
from lightwell.instrumentation.vocabulary.exporter import EXPORTER_METRICS
from tests.signals.conftest import eventually
from tests.signals.stage import staged


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
