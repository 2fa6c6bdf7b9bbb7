"""`create_app`: which application is returned, what it has, and how it lives."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

import lightwell.server
from lightwell.api import problems
from lightwell.instrumentation import metrics
from lightwell.server import create_app
from lightwell.server.application import APPLICATIONS
from lightwell.settings import ApiSettings, Settings, UiSettings, use_settings
from lightwell.ui.static import SPAStaticFiles


@pytest.fixture(autouse=True)
def no_applications() -> Iterator[None]:
    """Nothing is kept before a test, nor after it."""
    APPLICATIONS.clear()
    yield
    APPLICATIONS.clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the metric of the cache has counted."""
    results: list[str] = []
    monkeypatch.setattr(metrics, "app_cache_asked", results.append)
    return results


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lightwell.test")


def test_equal_settings_give_one_application(tmp_path: Path, asked: list[str]) -> None:
    """The same for two objects of equal values; another one for other values, and for an ephemeral one."""
    app = create_app(Settings(home=tmp_path))

    assert create_app(Settings(home=tmp_path)) is app
    assert create_app(Settings(home=tmp_path / "other")) is not app
    assert create_app(Settings(home=tmp_path), ephemeral=True) is not app
    assert create_app(Settings(home=tmp_path), ephemeral=True) is create_app(Settings(home=tmp_path), ephemeral=True)
    assert asked == ["miss", "hit", "miss", "miss", "hit", "hit"]
    assert len(APPLICATIONS) == 3


def test_a_new_application_can_be_asked_for(tmp_path: Path, asked: list[str]) -> None:
    """It is not kept, and what is kept stays."""
    settings = Settings(home=tmp_path)
    app = create_app(settings)

    assert create_app(settings, ignore_cache=True) is not app
    assert create_app(settings) is app
    assert asked == ["miss", "bypass", "hit"]


def test_settings_of_the_context_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings of its own an application has those in force: of the context, else of the environment."""
    with use_settings(Settings(home=tmp_path)):
        assert create_app() is create_app(Settings(home=tmp_path))
    monkeypatch.setenv("LIGHTWELL_HOME", str(tmp_path / "elsewhere"))
    assert create_app() is create_app(Settings(home=tmp_path / "elsewhere"))


async def test_the_api_and_the_pages_are_served(tmp_path: Path) -> None:
    """The API at /api, a page at /; an ephemeral application, and one whose pages are off, have the API alone."""
    settings = Settings(home=tmp_path)
    without = Settings(home=tmp_path, ui=UiSettings(enabled=False))
    for app, page in (
        (create_app(settings, ignore_cache=True), 200),
        (create_app(settings, ignore_cache=True, ephemeral=True), 404),
        (create_app(without, ignore_cache=True), 404),
    ):
        async with app.router.lifespan_context(app), _client(app) as client:
            assert (await client.get("/api/health")).json() is True
            assert (await client.get("/")).status_code == page


async def test_an_application_lives_more_than_once(tmp_path: Path) -> None:
    """Started inside of itself it goes on until the last one leaves; started again it finds its rows."""
    app = create_app(Settings(home=tmp_path), ephemeral=True)

    async with _client(app) as client:
        async with app.router.lifespan_context(app):
            async with app.router.lifespan_context(app):
                assert (await client.post("/api/flows/", json={"name": "f"})).status_code == 201
            assert (await client.post("/api/flows/", json={"name": "f"})).status_code == 200
        async with app.router.lifespan_context(app):
            assert (await client.post("/api/flows/count", json={})).json() == 1


async def test_two_applications_do_not_share_anything(tmp_path: Path) -> None:
    """Each has its own database and its own guard."""
    one = create_app(Settings(home=tmp_path / "one"), ephemeral=True)
    other = create_app(
        Settings(home=tmp_path / "other", api=ApiSettings.model_validate({"auth_string": "a:b"})), ephemeral=True
    )
    async with (
        one.router.lifespan_context(one),
        other.router.lifespan_context(other),
        _client(one) as client,
        _client(other) as guarded,
    ):
        assert (await client.post("/api/flows/", json={"name": "f"})).status_code == 201
        assert (await guarded.post("/api/flows/", json={"name": "f"})).status_code == 401
        assert (await guarded.post("/api/flows/count", json={}, auth=("a", "b"))).json() == 0


def test_the_public_face_is_in_one_place() -> None:
    """Everything that an embedding program needs is imported from `lightwell.server`."""
    face = lightwell.server
    assert face.create_api_app is face.create_orion_api
    assert face.SPAStaticFiles is SPAStaticFiles
    for name in (
        "validation_exception_handler",
        "integrity_exception_handler",
        "prefect_object_not_found_exception_handler",
        "custom_internal_exception_handler",
    ):
        assert getattr(face, name) is getattr(problems, name)
    assert set(face.__all__) <= set(dir(face))
