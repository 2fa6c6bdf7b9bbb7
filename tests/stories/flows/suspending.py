"""A flow that wants to be suspended, which only a deployed one may."""

from prefect import flow
from prefect.flow_runs import suspend_flow_run


@flow
def suspending() -> None:
    """Asks to be started again later."""
    suspend_flow_run(timeout=60)


if __name__ == "__main__":
    suspending()
