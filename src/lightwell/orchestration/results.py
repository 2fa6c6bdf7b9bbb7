"""What the data of a state say about the run's result, as far as the server looks into them."""

from typing import Any


def refers_to_result(data: Any) -> bool:
    """Whether `data` point to a result that the client has stored, so that losing them loses it."""
    return isinstance(data, dict) and bool(data) and data.get("type") != "unpersisted"
