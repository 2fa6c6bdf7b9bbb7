"""A flow that stops and asks a person."""

from prefect import flow, task
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput


class Order(RunInput):
    """What the flow wants to know."""

    dish: str
    plates: int = 1


@task
def serve(order: Order) -> str:
    """Bring it."""
    return f"{order.plates} x {order.dish}"


@flow(persist_result=True)
def restaurant() -> str:
    """Waits for an order, then serves."""
    order = pause_flow_run(
        wait_for_input=Order.with_initial_data(dish="soup", description="What shall it be?"), timeout=60
    )
    return serve(order)


if __name__ == "__main__":
    assert restaurant() == "2 x pie"
