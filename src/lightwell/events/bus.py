"""Tells subscribers, in this process, of facts that are committed."""

from collections.abc import Callable, Sequence

from lightwell.events.facts import Fact

Subscriber = Callable[[Sequence[Fact]], None]
"""Called on the event loop's thread with the facts of one commit, in order; it counts or enqueues, and returns."""


class Bus:
    """Hands the facts of each commit to every subscriber, in the order of subscription.

    A subscriber that raises does not keep the facts from the others: its exception goes to `on_failure`.
    """

    def __init__(self, on_failure: Callable[[BaseException], None] | None = None) -> None:
        self._subscribers: list[Subscriber] = []
        self._on_failure = on_failure

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Add a subscriber; calling what is returned takes it away again."""
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe

    def publish(self, facts: Sequence[Fact]) -> None:
        """Tell every subscriber; called after the commit, on the event loop's thread."""
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(facts)
            except Exception as error:  # noqa: BLE001 -- one subscriber's failure must not silence the others
                if self._on_failure is not None:
                    self._on_failure(error)
