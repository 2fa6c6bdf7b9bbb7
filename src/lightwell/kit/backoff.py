"""Waiting longer after each failure."""


class Backoff:
    """Doubling waits in seconds, from `first` up to `most`."""

    def __init__(self, *, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._following = first

    def next(self) -> float:
        """How long to wait now; longer the next time."""
        present = self._following
        self._following = min(2 * present, self._most)
        return present

    def reset(self) -> None:
        """Begin from `first` again."""
        self._following = self._first
