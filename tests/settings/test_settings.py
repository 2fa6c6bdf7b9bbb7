"""Settings: where they come from, what they accept, and what they say when something is wrong."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from lightwell.settings import Settings, SettingsError, current_settings, load, use_settings
from lightwell.settings.environment import unread
from lightwell.settings.names import names_in, write
from lightwell.settings.values import database_url, parse_duration, without_password, write_duration


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that has no settings."""
    for name in names_in(Settings):
        for variable in name.variables:
            monkeypatch.delenv(variable, raising=False)


def test_equal_values_make_equal_settings_with_one_hash() -> None:
    """Settings are the key of the application cache."""
    one = Settings(home=Path("/data"), api={"cors_origins": "https://a.example"})
    other = Settings(home=Path("/data"), api={"cors_origins": ("https://a.example",)})

    assert one == other
    assert hash(one) == hash(other)
    assert one != Settings(home=Path("/data"))


def test_settings_cannot_be_changed() -> None:
    """What was read once stays as it was read."""
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.home = Path("/elsewhere")  # type: ignore[misc]  # that is the point
    with pytest.raises(ValidationError, match="frozen"):
        settings.api.default_limit = 1  # type: ignore[misc]  # that is the point


def test_the_default_database_is_a_file_under_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the home alone moves everything."""
    monkeypatch.setenv("LIGHTWELL_HOME", "/data/lightwell")

    assert load().database_url == "sqlite:////data/lightwell/lightwell.sqlite3"


def test_what_is_given_goes_before_the_environment_and_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command's option overrides one setting of a section, not its siblings."""
    monkeypatch.setenv("LIGHTWELL_LISTEN_PORT", "4300")
    monkeypatch.setenv("LIGHTWELL_LISTEN_HOST", "0.0.0.0")  # noqa: S104 - a value, not listened on

    settings = load(listen={"port": 4400})

    assert (settings.listen.host, settings.listen.port) == ("0.0.0.0", 4400)  # noqa: S104 - the same


@pytest.mark.parametrize(
    ("variable", "value", "path", "expected"),
    [
        ("LIGHTWELL_LOOPS_LATE_RUNS_PERIOD", "2m", ("loops", "late_runs", "period"), timedelta(minutes=2)),
        ("LIGHTWELL_LOOPS_RETENTION_EVENTS", "none", ("loops", "retention", "events"), None),
        ("LIGHTWELL_API_CORS_ORIGINS", "https://a, https://b", ("api", "cors_origins"), ("https://a", "https://b")),
        ("LIGHTWELL_API_CSRF_ENABLED", "true", ("api", "csrf_enabled"), True),
        ("LIGHTWELL_TELEMETRY_LOG_LEVEL", "debug", ("telemetry", "log_level"), "DEBUG"),
        ("LIGHTWELL_LISTEN_PORT", "", ("listen", "port"), 4200),
        ("PREFECT_SERVER_API_PORT", "4999", ("listen", "port"), 4999),
        ("PREFECT_API_DEFAULT_LIMIT", "50", ("api", "default_limit"), 50),
        ("PREFECT_SERVER_CSRF_PROTECTION_ENABLED", "1", ("api", "csrf_enabled"), True),
        ("PREFECT_API_SERVICES_LATE_RUNS_AFTER_SECONDS", "20", ("loops", "late_runs", "after"), timedelta(seconds=20)),
        ("PREFECT_EVENTS_RETENTION_PERIOD", "86400", ("loops", "retention", "events"), timedelta(days=1)),
        ("OTEL_TRACES_SAMPLER_ARG", "0.5", ("telemetry", "baseline_ratio"), 0.5),
    ],
)
def test_the_environment_is_read(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, path: tuple[str, ...], expected: object
) -> None:
    """Own names and those of the reference server, in the forms people write."""
    monkeypatch.setenv(variable, value)

    name = next(name for name in names_in(Settings) if name.path == path)

    assert name.value_in(load()) == expected


def test_our_own_name_goes_before_an_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sets both means the one that is ours."""
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "4999")
    monkeypatch.setenv("LIGHTWELL_LISTEN_PORT", "4300")

    assert load().listen.port == 4300


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite+aiosqlite:////data/x.db", "sqlite:////data/x.db"),
        ("sqlite:///relative.db", "sqlite:///relative.db"),
        ("postgresql+asyncpg://u:p%40ss@db:5432/name", "postgresql://u:p%40ss@db:5432/name"),
        ("postgresql+asyncpg://db/name?ssl=require", "postgresql://db/name?sslmode=require"),
        ("postgres://db/name", "postgresql://db/name"),
    ],
)
def test_database_urls_of_other_drivers_are_understood(written: str, meant: str) -> None:
    """An address that worked with the reference server works here."""
    assert database_url(written) == meant


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("LIGHTWELL_DATABSE_URL", "x", "LIGHTWELL_DATABSE_URL is not a setting; did you mean LIGHTWELL_DATABASE_URL?"),
        ("LIGHTWELL_QQQQQ", "x", "LIGHTWELL_QQQQQ is not a setting; `lightwell config` lists them all."),
        ("LIGHTWELL_LISTEN_PORT", "70000", "LIGHTWELL_LISTEN_PORT: must be from 0 to 65535"),
        ("PREFECT_SERVER_API_PORT", "70000", "PREFECT_SERVER_API_PORT: must be from 0 to 65535"),
        ("LIGHTWELL_LOOPS_RETENTION_RUNS", "1s", "LIGHTWELL_LOOPS_RETENTION_RUNS: must be at least 1m"),
        ("LIGHTWELL_TELEMETRY_LOG_FORMAT", "x", "LIGHTWELL_TELEMETRY_LOG_FORMAT: must be 'auto', 'json' or 'console'"),
        (
            "LIGHTWELL_DATABASE_URL",
            "mysql://h/n",
            "LIGHTWELL_DATABASE_URL: must begin with sqlite:/// or postgresql://",
        ),
    ],
)
def test_a_mistake_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, line: str) -> None:
    """The line names the variable that was set, and what it should hold."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        load()

    assert str(caught.value) == line


def test_what_kubernetes_sets_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service named lightwell puts variables with our prefix into every container."""
    for variable in (
        "SERVICE_HOST",
        "SERVICE_PORT",
        "SERVICE_PORT_HTTP",
        "PORT",
        "PORT_4200_TCP",
        "PORT_4200_TCP_ADDR",
    ):
        monkeypatch.setenv(f"LIGHTWELL_{variable}", "tcp://10.0.0.1:4200")

    assert load().listen.port == 4200


def test_secrets_are_not_shown() -> None:
    """Neither in the text of the settings nor in the message about a bad one."""
    secret = "hunter2"
    settings = Settings(api={"auth_string": f"admin:{secret}"}, database={"url": f"postgresql://u:{secret}@h/n"})

    assert secret not in repr(settings)
    assert secret not in without_password(settings.database_url)
    with pytest.raises(ValidationError) as caught:
        Settings(database={"url": f"mysql://u:{secret}@h/n"})
    assert secret not in str(caught.value)


def test_variables_of_the_reference_server_that_are_not_read_are_known() -> None:
    """Somebody who moves here learns what was left behind; what only the client reads is not their concern."""
    environment = {
        "PREFECT_SERVER_DATABASE_HOST": "db",
        "PREFECT_SERVER_API_PORT": "4200",
        "PREFECT_API_URL": "http://here/api",
        "PREFECT_LOGGING_LEVEL": "DEBUG",
    }

    assert unread(Settings, environment) == ("PREFECT_SERVER_DATABASE_HOST",)


def test_settings_in_force_are_those_of_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedding program chooses for a block; outside it the environment counts."""
    monkeypatch.setenv("LIGHTWELL_LISTEN_PORT", "4300")
    chosen = Settings(listen={"port": 4400})

    with use_settings(chosen):
        assert current_settings() is chosen
        with use_settings(Settings(listen={"port": 4500})):
            assert current_settings().listen.port == 4500
        assert current_settings() is chosen
    assert current_settings().listen.port == 4300


@pytest.mark.parametrize("text", ["90s", "15m", "12h", "7d", "0.5s", "0s"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    """What is shown can be set."""
    assert parse_duration(write_duration(parse_duration(text))) == parse_duration(text)  # type: ignore[arg-type]


def test_every_setting_is_described_once() -> None:
    """Each has a description and names that no other one has, and its default is one it accepts."""
    names = list(names_in(Settings))
    variables = [variable for name in names for variable in name.variables]

    assert all(name.field.description for name in names)
    assert len(variables) == len(set(variables))
    assert all(write(name.field.default) for name in names if name.field.default not in ((), None))


def test_slow_rules_are_written_as_traces_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Method and route, a route for all methods, or a loop; what is read is written again as it was."""
    written = "POST /api/flow_runs/filter=3s, loop late_runs = 10s,/api/flows/{id}=250ms"
    monkeypatch.setenv("LIGHTWELL_TELEMETRY_SLOW_BY_ROUTE", written)
    rules = load().telemetry.slow_by_route

    assert {rule.what: rule.after.total_seconds() for rule in rules} == {
        "POST /api/flow_runs/filter": 3.0,
        "loop late_runs": 10.0,
        "/api/flows/{id}": 0.25,
    }
    assert write(rules) == "POST /api/flow_runs/filter=3s,loop late_runs=10s,/api/flows/{id}=0.25s"
    assert hash(load()) == hash(load())


@pytest.mark.parametrize(
    ("variable", "written", "said"),
    [
        ("SLOW_BY_ROUTE", "POST /api/flow_runs/filter", "'POST /api/flow_runs/filter' says no time"),
        ("SLOW_BY_ROUTE", "POST /api/flow_runs/filter=soon", "says no time"),
        ("SLOW_BY_ROUTE", "FETCH /api/flow_runs=3s", "'FETCH /api/flow_runs' is no route"),
        ("SLOW_BY_ROUTE", "api/flow_runs=3s", "'api/flow_runs' is no route"),
        ("SLOW_BY_ROUTE", "GET /api/flow_runs?limit=3s", "is no route"),
        ("SLOW_BY_ROUTE", "/a=3s, /a=4s", "/a is there twice"),
        ("SLOW_BY_ROUTE", "/a=3d", "'/a=3d' must be from 0.001s to 1h"),
        ("KEEP_STATUSES", "409, 4xx", "statuses from 100 to 599"),
        ("KEEP_STATUSES", "99", "statuses from 100 to 599"),
        ("KEEP_VERDICTS", "ABORT, PERHAPS", "'ACCEPT', 'REJECT', 'WAIT' or 'ABORT'"),
    ],
)
def test_nonsense_about_what_to_keep_is_refused(
    variable: str, written: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line that names the variable and what is wrong with which part of it."""
    monkeypatch.setenv(f"LIGHTWELL_TELEMETRY_{variable}", written)
    with pytest.raises(SettingsError) as refused:
        load()

    assert str(refused.value).startswith(f"LIGHTWELL_TELEMETRY_{variable}: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_keeps_a_trace_is_read_from_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers and names, small letters or capitals."""
    monkeypatch.setenv("LIGHTWELL_TELEMETRY_KEEP_STATUSES", "409, 423")
    monkeypatch.setenv("LIGHTWELL_TELEMETRY_KEEP_VERDICTS", "abort,WAIT")
    settings = load().telemetry

    assert (settings.keep_statuses, settings.keep_verdicts) == ((409, 423), ("ABORT", "WAIT"))
    assert Settings().telemetry.slow_by_route == ()
