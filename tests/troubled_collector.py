"""A collector with troubles: it can be killed, stall, refuse, flap, and be well again, always at one address."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from tests.serving import free_port
from tests.signals.collector import Collected, Handler

Mode = Literal["takes", "refuses", "stalls", "slow"]

_SLOW_SECONDS = 0.7


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that it can be cut."""
        self.open.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut is meant to be."""

    def cut(self) -> None:
        """End every connection, as the death of a process does."""
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.open.clear()


class TroubledCollector:
    """Takes what it is sent into `collected` while it is well."""

    def __init__(self) -> None:
        self._port = free_port()
        self.collected = Collected(f"http://127.0.0.1:{self._port}")
        self.mode: Mode = "takes"
        self._released = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where it listens, or would."""
        return self.collected.address

    def live(self, mode: Mode = "takes") -> None:
        """Listen, and do from now on what the mode says."""
        self._released.set()
        self._released = threading.Event()
        self.mode = mode
        if self._server is None:
            self._server = _Server(self._port, self._handler())
            self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
            self._thread.start()

    def die(self) -> None:
        """Listen no more, and cut every connection."""
        self._released.set()
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut()

    @contextmanager
    def flapping(self, every: float = 0.3) -> Iterator[None]:
        """While this lasts, it dies and lives in turns."""
        over = threading.Event()

        def flap() -> None:
            while not over.wait(every):
                self.die()
                if over.wait(every):
                    break
                self.live()

        thread = threading.Thread(target=flap, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Troubled(Handler):
            collected = collector.collected

            def do_POST(self) -> None:  # noqa: N802 -- the library's name
                if collector.mode == "takes":
                    super().do_POST()
                elif collector.mode == "slow":
                    collector._released.wait(_SLOW_SECONDS)
                    super().do_POST()
                elif collector.mode == "refuses":
                    self.send_error(503)
                else:
                    collector._released.wait()
                    self.close_connection = True

        return Troubled


@contextmanager
def troubled_collector() -> Iterator[TroubledCollector]:
    """A collector that is well, until it is told otherwise."""
    collector = TroubledCollector()
    collector.live()
    try:
        yield collector
    finally:
        collector.die()
