"""A flow whose run the server cannot start, and a person who looks at what the client says of it."""

import json
import sys

from prefect import flow
from prefect.exceptions import PrefectHTTPStatusError


@flow
def asking(password: str) -> str:
    """Never begun."""
    return password


if __name__ == "__main__":
    try:
        asking(sys.argv[1])
    except PrefectHTTPStatusError as error:
        print("body:", json.loads(error.response.text)["trace_id"])  # noqa: T201
        print("header:", error.response.headers["X-Trace-Id"])  # noqa: T201
