"""Paths as telemetry may hold them: ids and plain words, nothing else that a caller wrote."""

from uuid import UUID

import pytest

from lightwell.instrumentation.paths import shown_path

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    ("route", "values", "shown"),
    [
        ("/api/flow_runs/{id}", {"id": UUID(ID)}, f"/api/flow_runs/{ID}"),
        ("/api/flow_runs/{id}/input/{key}", {"id": ID, "key": "s3cret"}, f"/api/flow_runs/{ID}/input/{{key}}"),
        ("/api/flows/name/{name}", {}, "/api/flows/name/{name}"),
        ("/api/hello", {}, "/api/hello"),
    ],
)
def test_a_matched_path_is_its_template_with_ids(route: str, values: dict[str, object], shown: str) -> None:
    """Whatever else a parameter holds, it stands by its name."""
    assert shown_path({"path": "/anything", "path_params": values}, route) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "/"),
        ("/favicon.ico", "/favicon.ico"),
        ("/api/v2/work_pools/", "/api/v2/work_pools/"),
        (f"/api/nowhere/{ID}", f"/api/nowhere/{ID}"),
        ("/api/flow_runs/S3cret", "/api/flow_runs/*"),
        ("/hooks/xoxb-123/a b", "/hooks/*/*"),
        (f"/{'a' * 41}/é/%00", "/*/*/*"),
        ("/a" * 40, "/a" * 12 + "/*"),
    ],
)
def test_a_path_that_leads_nowhere_shows_plain_words(path: str, shown: str) -> None:
    """Enough to see what was looked for, and no more than a dozen parts of it."""
    assert shown_path({"path": path}, None) == shown
