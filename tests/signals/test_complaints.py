"""What is said of signals that were lost: one line a minute for all of them, with the reason and without a secret."""

import logging as stdlib
from collections.abc import Callable

from lightwell.instrumentation.complaints import Complaints
from lightwell.instrumentation.words import log
from tests.signals.conftest import Signals


def _record(text: str) -> stdlib.LogRecord:
    return stdlib.LogRecord("opentelemetry.exporter", stdlib.ERROR, "", 0, text, None, None)


def test_one_line_says_it_for_all_signals(signals: Signals) -> None:
    """The first loss is told at once, later ones wait for the minute to pass."""
    complaints = Complaints()
    for _ in range(10):
        for signal in ("traces", "metrics", "logs"):
            complaints.lost(signal, 5, "it was refused")

    (line,) = signals.events("telemetry.export_failed")
    assert (line["level"], line["signal"], line["lost"], line["reason"]) == ("warning", "traces", 5, "it was refused")


def test_the_reason_is_what_the_exporter_said(signals: Signals) -> None:
    """Its own line is not written; passwords and queries of the endpoint's address are not told."""
    complaints = Complaints()
    with complaints.listening():
        assert complaints.hears(_record("failed to export to https://me:hunter2@host/v1/traces?key=hunter2, code: 401"))
        complaints.lost("traces", 1, "it was refused")
    assert not complaints.hears(_record("somebody else's exporter"))

    (line,) = signals.events("telemetry.export_failed")
    assert "code: 401" in line["reason"]
    assert "hunter2" not in line["reason"]


def test_an_exporters_words_are_not_written_while_it_works_for_us(log_lines: Callable[[], list[str]]) -> None:
    """Those of a host application's exporters are."""
    before = len(log_lines())
    log.info("http.request")
    stdlib.getLogger("opentelemetry.exporter.otlp.host").error("failed")

    assert len(log_lines()) == before + 2
