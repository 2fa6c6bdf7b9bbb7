"""A flow whose task fails, and one that lives on when it does."""

import sys

from prefect import flow, task


@task
def broken() -> None:
    """Always fails."""
    raise ValueError("no bananas today")


@task
def dependent(value: object) -> object:
    """Never starts when what it needs has failed."""
    return value


@flow
def failing() -> None:
    """Fails with its task."""
    broken()


@flow
def surviving() -> str:
    """Goes on although a task has failed."""
    first = broken.submit()
    second = dependent.submit(first)
    second.wait()
    return f"{first.state.name} and {second.state.name}"


if __name__ == "__main__":
    assert surviving() == "Failed and NotReady"
    failing()
    sys.exit("the flow should have failed")
