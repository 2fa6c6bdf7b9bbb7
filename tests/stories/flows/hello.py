"""The first flow that anybody writes."""

from prefect import flow, task


@task
def greeting(name: str) -> str:
    """Say hello."""
    return f"Hello, {name}!"


@flow(log_prints=True)
def hello(name: str = "world") -> str:
    """Greet somebody."""
    said = greeting(name)
    print(said)  # noqa: T201
    return said


if __name__ == "__main__":
    assert hello("Marvin") == "Hello, Marvin!"
