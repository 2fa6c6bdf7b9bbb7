"""A task and a flow that succeed when they are tried again."""

from prefect import flow, task
from prefect.runtime import flow_run, task_run


class NotYetError(Exception):
    """It will work the next time."""


@task(retries=2)
def third_time_lucky() -> int:
    """Fails twice."""
    if task_run.run_count < 3:
        raise NotYetError
    return int(task_run.run_count)


@flow(retries=1)
def retries() -> int:
    """Fails once, after its task has succeeded."""
    tries = third_time_lucky()
    if flow_run.run_count < 2:
        raise NotYetError
    return tries


if __name__ == "__main__":
    assert retries() == 3
