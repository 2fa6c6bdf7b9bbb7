"""A server that wants a password, and a token with every change."""

from tests.stories.person import Person


def test_with_the_password(trusted_person: Person) -> None:
    """Who knows the password runs flows as ever: the client fetches CSRF tokens by itself, events and logs arrive."""
    result = trusted_person.run("hello")
    assert result.status == 0, result.output
    run = trusted_person.flow_run("hello")
    assert trusted_person.state_names(run["id"]) == ["Pending", "Running", "Completed"]
    assert len(trusted_person.task_runs(run["id"], ended_runs=1)) == 1


def test_with_a_wrong_password(trusted_person: Person) -> None:
    """Who does not know it gets nothing done, and is told that they are not authorized."""
    result = trusted_person.run("hello", PREFECT_API_AUTH_STRING="guard:cat", PREFECT_CLIENT_MAX_RETRIES="0")
    assert result.status != 0
    assert "401" in result.output or "Unauthorized" in result.output
    assert trusted_person.flow_runs() == []
