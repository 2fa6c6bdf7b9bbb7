"""A flow that calls another flow, whose task calls a third."""

from prefect import flow, task


@flow(flow_run_name="grandchild of {depth}")
def grandchild(depth: int) -> list[int]:
    """The innermost."""
    return [depth + 1]


@task
def calls_a_flow(depth: int) -> list[int]:
    """A task may call a flow."""
    return grandchild(depth)


@flow
def child(depth: int) -> list[int]:
    """In the middle."""
    return calls_a_flow(depth + 1)


@task
def after(depths: list[int]) -> int:
    """Needs the child's result."""
    return sum(depths) * 10


@flow
def parent() -> int:
    """The outermost."""
    return after(child(0))


if __name__ == "__main__":
    assert parent() == 20
