"""A websocket protocol for uvicorn on which an application can make the pong its acknowledgement.

RFC 6455 lets a server answer a ping at once, and every library does. A peer that takes the pong as the word that all
it sent before has been stored then loses what was still in a queue. Here an application may hold the pongs back and
release them when its work is done.
"""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "lightwell.ordered_pongs"
"""The key of an `OrderedPongs` in the `extensions` of a websocket's scope."""


class OrderedPongs:
    """What an application sees of the pings of its connection."""

    def __init__(self, protocol: "OrderedPongProtocol") -> None:
        self._protocol = protocol
        self._held: list[bytes] | None = None
        self._is_settled = True

    @property
    def backlog(self) -> int:
        """How many messages have arrived that the application has not received."""
        return self._protocol.queue.qsize()

    def hold(self) -> None:
        """From now on a pong is sent only when all messages before its ping are settled."""
        self._held = []

    def settle(self) -> None:
        """Say that all messages received so far are dealt with, and let the pongs go that waited for it."""
        self._is_settled = True
        if self._held and self.backlog == 0:
            self._protocol.transport.write(b"".join(self._held))
            self._held.clear()

    def received(self) -> None:
        """The application was given a message."""
        self._is_settled = False

    def keep(self, pong: bytes) -> bool:
        """Take a pong that is ready to be sent; False where nothing before it is unsettled."""
        if self._held is None or (self._is_settled and self.backlog == 0):
            return False
        self._held.append(pong)
        return True


class OrderedPongProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own protocol, with `OrderedPongs` in the scope's extensions."""

    _pongs: OrderedPongs | None = None

    def handle_connect(self, event: Any) -> None:
        """Offer the extension to the application before it starts."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self._pongs = OrderedPongs(self)
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self._pongs

    def handle_ping(self) -> None:
        """Answer a ping, or leave that to the application."""
        pong = b"".join(self.conn.data_to_send())
        if self._pongs is None or not self._pongs.keep(pong):
            self.transport.write(pong)

    async def receive(self) -> Any:
        """The next message for the application."""
        message = await super().receive()
        if self._pongs is not None:
            self._pongs.received()
        return message
